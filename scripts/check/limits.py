# SPDX-License-Identifier: Apache-2.0
"""No file of more than 500 lines, no function of more than 60; clang-tidy counts the rest."""

import re

from repository import Answer, Repository, cpp_functions, python_functions

FILE_LINES = 500
FUNCTION_LINES = 60
TEXTBOOK_LINES = 40  # of a function in reference/
TEST = re.compile(r"_test\.cc$|/testing/")


def problems_of(name: str, text: str) -> list[str]:
    problems, count = [], text.count("\n")
    if count > FILE_LINES:
        problems.append(f"{name}: {count} lines, expected at most {FILE_LINES}")
    functions = python_functions(text) if name.endswith(".py") else cpp_functions(text)
    textbook = name.startswith("reference/") and not TEST.search(name)
    limit = TEXTBOOK_LINES if textbook else FUNCTION_LINES
    for function, line, code in functions:
        if (length := code.count("\n")) > limit:
            problems.append(f"{name}:{line}: {function}: {length} lines, expected at most {limit}")
    return problems


def check(repository: Repository) -> Answer:
    answer = Answer(note=f"{len(repository.cpp)} C++ and {len(repository.python)} Python files")
    for name in [*repository.cpp, *repository.python]:
        answer.problems += problems_of(name, repository.text(name))
    return answer


def self_test() -> None:
    body = "int f(int a) {\n" + "  a += 1;\n" * 45 + "  return a;\n}\n"
    assert problems_of("reference/ops/f.cc", body)
    assert not problems_of("conformance/compare/f.cc", body)
    assert problems_of("a.py", "def f():\n" + "    pass\n" * 60)
    assert problems_of("a.cc", "\n" * 501)
