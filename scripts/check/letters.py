# SPDX-License-Identifier: Apache-2.0
"""docs/notation.md explains the axes of reference/core/axes.h, none of them twice in one table."""

import re

from repository import Answer, Repository

TABLE = re.compile(r"^\| letter \|.*\n\|[-| :]+\n((?:\|.*\n)+)", re.MULTILINE)


def problems_of(page: str, axes: list[str]) -> list[str]:
    tables = [re.findall(r"^\| (\S+) \|", t, re.MULTILINE) for t in TABLE.findall(page)]
    twice = {f"{x} is explained twice in a table" for t in tables for x in t if t.count(x) > 1}
    odd = {f"{x} is only in one of notation.md and axes.h" for x in set(axes) ^ set(sum(tables, []))}
    return [f"docs/notation.md: {problem}" for problem in sorted(twice | odd)]


def check(repository: Repository) -> Answer:
    axes = re.findall(r"^struct (\w+);", repository.text("reference/core/axes.h"), re.MULTILINE)
    return Answer(problems_of(repository.text("docs/notation.md"), axes), f"{len(axes)} axes")


def self_test() -> None:
    page = "| letter | axis |\n| --- | --- |\n| T | a |\n| T | b |\n| S | c |\n"
    assert len(problems_of(page, ["T", "D"])) == 3
    assert not problems_of(page.replace("| T | b |\n", ""), ["T", "S"])
