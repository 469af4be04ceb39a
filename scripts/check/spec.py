#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/spec/rules.md and mistakes.md say what conformance/catalogue says.

`scripts/check/spec.py --update` writes both pages from the catalogue's tables.
"""

import re
import sys

from repository import Answer, Repository

ENTRY = re.compile(r'\{("(?:[RM]-\d+)"(?:\s*,?\s*"(?:\\.|[^"\\])*")+)\s*\}')
TEXT = re.compile(r'"((?:\\.|[^"\\])*)"(\s*,)?')

RULES = """# The rules

Written by `scripts/check/spec.py` from `conformance/catalogue`; `assay explain R-31` prints one.
Letters are those of [notation](../notation.md); the [book](../book/00-the-walk-of-a-token.md) tells
the same as a story.

| rule | about | |
| --- | --- | --- |
"""
MISTAKES = """# The mistakes

Written by `scripts/check/spec.py` from `conformance/catalogue`; `assay explain M-79` prints one.
The tap is where a comparison in execution order must fail first. *Masked*: the logits hardly move,
only the tap shows it.

| mistake | what is done wrongly | shows at | models, and what a case needs |
| --- | --- | --- | --- |
"""


def fields(entry: str) -> list[str]:
    """The strings of an initialiser; neighbours without a comma are one."""
    out = [""]
    for text, comma in TEXT.findall(entry):
        out[-1] += text.replace('\\"', '"')
        if comma:
            out.append("")
    return out


def entries(repository: Repository, letter: str, count: int) -> list[list[str]]:
    found = []
    for name in repository.under("conformance/catalogue/", "s.cc"):
        found += [fields(match) for match in ENTRY.findall(repository.text(name))]
    rows = [row for row in found if row[0].startswith(letter) and len(row) == count]
    return sorted(rows, key=lambda row: int(row[0][2:]))


def cell(text: str) -> str:
    return re.sub(r"([|*_<])", r"\\\1", text)


def tap_cell(taps: str) -> str:
    return " ".join(f"`{tap}`" for tap in taps.split())


def pages(repository: Repository) -> dict[str, str]:
    rules = "".join(
        f"| {label} | {cell(topic)} | {cell(statement)} |\n"
        for label, topic, statement in entries(repository, "R", 3)
    )
    mistakes = "".join(
        f"| {label} | {cell(what)} | {tap_cell(taps)} | {cell(note)} |\n"
        for label, what, taps, note in entries(repository, "M", 4)
    )
    return {"docs/spec/rules.md": RULES + rules, "docs/spec/mistakes.md": MISTAKES + mistakes}


def check(repository: Repository) -> Answer:
    answer = Answer()
    for page, wanted in pages(repository).items():
        if page not in repository.files or repository.text(page) != wanted:
            answer.problems.append(
                f"{page}: differs from the catalogue (scripts/check/spec.py --update)"
            )
    rules, mistakes = len(entries(repository, "R", 3)), len(entries(repository, "M", 4))
    answer.note = f"{rules} rules, {mistakes} mistakes"
    return answer


def self_test() -> None:
    entry = '"R-01", "a \\"b\\"",\n "one "\n "two"'
    assert fields(entry) == ["R-01", 'a "b"', "one two"], fields(entry)
    assert ENTRY.findall("{" + entry + "}") == [entry]


if __name__ == "__main__" and sys.argv[1:] == ["--update"]:
    everything = Repository()
    for path, content in pages(everything).items():
        (everything.root / path).write_text(content, encoding="utf-8")
        print(f"wrote {path}")
