# SPDX-License-Identifier: Apache-2.0
"""Finds the functions of a C++ file by counting braces; knows our style, not all of C++."""

import re
from dataclasses import dataclass

# Comments, strings, characters; raw strings first.
NOISE = re.compile(
    r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
HEAD = re.compile(r"([~\w:]+)\s*\(")


@dataclass
class Function:
    name: str
    first: int  # line numbers, from 1; the head included
    last: int
    parameters: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def blank(match: re.Match) -> str:
    """Spaces of the same shape, so that line numbers stay."""
    return re.sub(r"[^\n]", " ", match.group())


def code_only(text: str) -> str:
    return DIRECTIVE.sub(blank, NOISE.sub(blank, text))


def count_parameters(head: str) -> int:
    """Commas of the first parenthesis that are not nested, plus one."""
    depth, commas, inside = 0, 0, ""
    for c in head[head.index("(") :]:
        if c in "(<[{":
            depth += 1
        elif c in ")>]}":
            depth -= 1
            if depth == 0:
                break
        elif c == "," and depth == 1:
            commas += 1
        inside += c
    return commas + 1 if inside.strip("( \n") else 0


def function_head(head: str) -> str:
    """The name when the text before a brace is the head of a function, else nothing."""
    head = re.sub(r"^\s*template\s*<[^{;]*?>\s*(?=\w)", "", head)
    before = head.split("(", 1)[0]
    if "(" not in head or SCOPE.search(before) or "=" in before.replace("operator=", ""):
        return ""
    match = HEAD.search(head)
    return match.group(1).rsplit("::", 1)[-1] if match else ""


def is_initialiser(head: str) -> bool:
    """The brace after `C::C(int x) : x_` opens a value, not the body."""
    return re.search(r"\)\s*:[^:].*\w\s*$", head, re.DOTALL) is not None


def functions(text: str) -> list[Function]:
    """Functions at namespace and class level; a lambda belongs to the function around it."""
    code = code_only(text)
    found: list[Function] = []
    scopes: list[Function | None] = []  # per open brace: the function it opens, or None
    head_start, inside, parentheses, values = 0, 0, 0, 0
    for at, c in enumerate(code):
        if c in "()":
            parentheses += 1 if c == "(" else -1
        elif c == "{" and (values or (not inside and is_initialiser(code[head_start:at]))):
            values += 1
        elif c == "}" and values:
            values -= 1
        elif c == "{":
            name = "" if inside or parentheses else function_head(code[head_start:at])
            scopes.append(opened(code, head_start, at, name) if name else None)
            inside += 1 if name or inside else 0
            head_start = head_start if inside or parentheses else at + 1
        elif c == "}":
            function = scopes.pop() if scopes else None
            inside -= 1 if inside else 0
            if function:
                function.last = code.count("\n", 0, at) + 1
                found.append(function)
            head_start = head_start if inside or parentheses else at + 1
        elif c == ";" and not inside and not parentheses:
            head_start = at + 1
    return found


def opened(code: str, head_start: int, at: int, name: str) -> Function:
    head = re.sub(r"^\s*(public|private|protected)\s*:", blank, code[head_start:at])
    start = head_start + len(head) - len(head.lstrip())
    return Function(name, code.count("\n", 0, start) + 1, 0, count_parameters(head))


def self_test() -> None:
    text = """#include "a.h"
namespace a {
struct P { int x = 0; int size() const { return 1; } };
// a { brace in a comment
template <class T, class U>
int f(const T& a, std::map<int, U> b) {
  auto g = [](int y) { return y; };
  return g("}"[0]);
}
C::C(int x)
    : x_{x}, y_(2) {
}
const int kTable[] = {1, 2};
}
"""
    got = [(f.name, f.first, f.last, f.parameters) for f in functions(text)]
    assert got == [("size", 3, 3, 0), ("f", 5, 9, 2), ("C", 10, 12, 1)], got
