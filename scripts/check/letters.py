# SPDX-License-Identifier: Apache-2.0
"""docs/notation.md explains the axes of reference/core/axes.h, none of them twice in one table."""

import re

from repository import Answer, Repository

AXES = "reference/core/axes.h"
PAGE = "docs/notation.md"
TABLE = re.compile(r"^\| letter \|.*\n\|[-| :]+\n((?:\|.*\n)+)", re.MULTILINE)


def problems_of(page: str, axes: set[str]) -> list[str]:
    problems, known = [], set()
    for table in TABLE.findall(page):
        letters = re.findall(r"^\| (\S+) \|", table, re.MULTILINE)
        twice = sorted({letter for letter in letters if letters.count(letter) > 1})
        problems += [f"{PAGE}: {letter} is explained twice in one table" for letter in twice]
        known |= set(letters)
    problems += [f"{PAGE}: {letter} of {AXES} is not explained" for letter in sorted(axes - known)]
    return problems + [f"{PAGE}: {letter} is not in {AXES}" for letter in sorted(known - axes)]


def check(repository: Repository) -> Answer:
    axes = set(re.findall(r"^struct (\w+);", repository.text(AXES), re.MULTILINE))
    return Answer(problems_of(repository.text(PAGE), axes), f"{len(axes)} axes")


def self_test() -> None:
    page = "| letter | axis |\n| --- | --- |\n| T | a |\n| T | b |\n| S | c |\n"
    assert len(problems_of(page, {"T", "D"})) == 3
    assert not problems_of(page.replace("| T | b |\n", ""), {"T", "S"})
