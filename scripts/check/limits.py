# SPDX-License-Identifier: Apache-2.0
"""No file of more than 500 lines, no function of more than 60; clang-tidy counts the rest."""

from repository import Answer, Repository, cpp_functions, python_functions

FILE_LINES = 500
FUNCTION_LINES = 60
TEXTBOOK_LINES = 40  # of a function in reference/, tests apart
FOLDER_DEPTH = 3


def function_limit(name: str) -> int:
    textbook = name.startswith("reference/") and not name.endswith("_test.cc")
    textbook = textbook and "/testing/" not in name
    return TEXTBOOK_LINES if textbook else FUNCTION_LINES


def problems_of(name: str, text: str) -> list[str]:
    problems, count = [], text.count("\n")
    if count > FILE_LINES:
        problems.append(f"{name}: {count} lines, expected at most {FILE_LINES}")
    functions = python_functions(text) if name.endswith(".py") else cpp_functions(text)
    for function, line, code in functions:
        length, limit = code.count("\n"), function_limit(name)
        if length > limit:
            problems.append(f"{name}:{line}: {function}: {length} lines, expected at most {limit}")
    return problems


def check(repository: Repository) -> Answer:
    answer = Answer(note=f"{len(repository.cpp)} C++ and {len(repository.python)} Python files")
    for name in [*repository.cpp, *repository.python]:
        answer.problems += problems_of(name, repository.text(name))
    for name in repository.files:
        if (depth := name.count("/")) > FOLDER_DEPTH:
            answer.problems.append(f"{name}: {depth} folders deep, expected at most {FOLDER_DEPTH}")
    return answer


def self_test() -> None:
    body = "int f(int a) {\n" + "  a += 1;\n" * 45 + "  return a;\n}\n"
    assert problems_of("reference/ops/f.cc", body)
    assert not problems_of("conformance/compare/f.cc", body)
    assert problems_of("a.py", "def f():\n" + "    pass\n" * 60)
    assert problems_of("a.cc", "\n" * 501)
