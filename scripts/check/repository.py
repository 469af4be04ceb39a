# SPDX-License-Identifier: Apache-2.0
"""The files of the repository, the functions in them, and what a check answers."""

import ast
import re
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Of C++, what clang-format makes of ours: a function is a head at the margin, or two blanks from it
# in a class, then a body, then a brace alone below the head.
CPP_FUNCTION = re.compile(
    r"^((?:  )?)(?!namespace\b|struct\b|class\b|enum\b)\w[^;\n]*(?:\n[ \w][^;\n]*)*?\{\n"
    r"(?:(?!\1\}).*\n)*\1\}$",
    re.MULTILINE,
)
CPP_NAME = re.compile(r"(?:\s*template <.*>\n)?[^(]*?(~?\w+)\(")


@dataclass
class Answer:
    """Problems fail a check; a note stands beside its name; skipped says why it did not run."""

    problems: list[str] = field(default_factory=list)
    note: str = ""
    skipped: str = ""


class Repository:
    """Every file that is tracked or would be: ignored files do not exist for the checks."""

    def __init__(self) -> None:
        self.root = ROOT
        self._texts: dict[str, str] = {}

    @cached_property
    def files(self) -> list[str]:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        names = listed.stdout.split("\0")
        if listed.returncode != 0:  # an archive without its history
            paths = (str(path.relative_to(ROOT)) for path in ROOT.rglob("*"))
            names = [path for path in paths if not path.startswith(("build", "."))]
        return sorted(n for n in set(names) if n and (self.root / n).is_file())

    def under(self, folder: str, *suffixes: str) -> list[str]:
        return [f for f in self.files if f.startswith(folder) and f.endswith(suffixes or "")]

    @cached_property
    def cpp(self) -> list[str]:
        return self.under("", ".h", ".cc", ".cu")

    @cached_property
    def python(self) -> list[str]:
        return self.under("scripts/", ".py")

    def text(self, name: str) -> str:
        """What a file holds; nothing when there is no such file."""
        if name not in self._texts:
            path = self.root / name
            there = path.is_file()
            self._texts[name] = path.read_text("utf-8", errors="replace") if there else ""
        return self._texts[name]


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def cpp_functions(text: str) -> list[tuple[str, int, str]]:
    """Name, first line and text of the functions of a C++ file; a macro's block counts as one."""
    found = []
    for match in CPP_FUNCTION.finditer(text):
        name = CPP_NAME.match(match.group())
        if name:
            found.append((name[1], line_of(text, match.start()), match.group() + "\n"))
    return found


def python_functions(text: str) -> list[tuple[str, int, str]]:
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    lines = text.splitlines(keepends=True)
    return [(n.name, n.lineno, "".join(lines[n.lineno - 1 : n.end_lineno])) for n in nodes]


def self_test() -> None:
    method = "struct P {\n  int x = 0;\n  int g() const {\n    return x;\n  }\n};\n"
    table = "const int kTable[] = {\n    1,\n};\n"
    function = "template <class T>\nint f(const T& a = {},\n      int b) {\n  return b;\n}\n"
    constructor = "C::C(int x)\n    : x_{x} {\n}\n"
    text = "namespace a {\n" + method + table + function + constructor + "}  // namespace a\n"
    got = [(name, line, code.count("\n")) for name, line, code in cpp_functions(text)]
    assert got == [("g", 4, 3), ("f", 11, 5), ("C", 16, 3)], got
    assert python_functions("x = 1\ndef f():\n    pass\n")[0][:2] == ("f", 2)
