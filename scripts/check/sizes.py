# SPDX-License-Identifier: Apache-2.0
"""No file that must be scrolled for a minute, no function that must be scrolled at all."""

import ast

import cpp_source
from repository import Answer, Repository

HEADER_LINES = 500
SOURCE_LINES = 500
FUNCTION_LINES = 60
REFERENCE_FUNCTION_LINES = 40
PARAMETERS = 8
FOLDER_DEPTH = 3


def function_limit(name: str) -> int:
    textbook = name.startswith("reference/") and not name.endswith("_test.cc")
    return REFERENCE_FUNCTION_LINES if textbook else FUNCTION_LINES


def cpp_problems(name: str, text: str) -> list[str]:
    problems = []
    for f in cpp_source.functions(text):
        if f.length > function_limit(name):
            limit = function_limit(name)
            problems.append(
                f"{name}:{f.first}: {f.name} has {f.length} lines, expected at most {limit}"
            )
        if f.parameters > PARAMETERS:
            problems.append(
                f"{name}:{f.first}: {f.name} takes {f.parameters} parameters, "
                f"expected at most {PARAMETERS}"
            )
    return problems


def python_problems(name: str, text: str) -> list[str]:
    problems = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                problems.append(
                    f"{name}:{node.lineno}: {node.name} has {length} lines, "
                    f"expected at most {FUNCTION_LINES}"
                )
    return problems


def check(repository: Repository) -> Answer:
    answer = Answer()
    for name in [*repository.cpp, *repository.python]:
        limit = HEADER_LINES if name.endswith(".h") else SOURCE_LINES
        count = len(repository.lines(name))
        if count > limit:
            answer.problems.append(f"{name}: {count} lines, expected at most {limit}")
    for name in repository.cpp:
        answer.problems += cpp_problems(name, repository.text(name))
    for name in repository.python:
        answer.problems += python_problems(name, repository.text(name))
    for name in repository.files:
        if name.count("/") > FOLDER_DEPTH:
            depth = name.count("/")
            answer.problems.append(f"{name}: {depth} folders deep, expected at most {FOLDER_DEPTH}")
    answer.note = f"{len(repository.cpp)} C++ and {len(repository.python)} Python files"
    return answer


def self_test() -> None:
    long_body = "int f(int a) {\n" + "  a += 1;\n" * 45 + "  return a;\n}\n"
    assert cpp_problems("reference/ops/f.cc", long_body)
    assert not cpp_problems("conformance/compare/f.cc", long_body)
    assert cpp_problems(
        "a.cc", "int f(int a, int b, int c, int d, int e, int f, int g, int h, int i) {}"
    )
    assert python_problems("a.py", "def f():\n" + "    pass\n" * 61)
