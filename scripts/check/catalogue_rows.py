# SPDX-License-Identifier: Apache-2.0
"""The rows of conformance/catalogue, read from its sources."""

import re

from repository import Repository

STRING = r'"(?:\\.|[^"\\])*"'
ROW = re.compile(r"\{(\s*" + STRING + r"(?:\s*,?\s*(?:" + STRING + r"|\bk\w+))*)\s*,?\s*\}")
FIELD = re.compile(r'(?:"((?:\\.|[^"\\])*)"|\b(k\w+))(\s*,)?')
LABEL = re.compile(r"(R[A-Z]?-|M-|DIV-M|[IVACXP])(\d+)")


def fields(row: str) -> list[str]:
    """The values of an initialiser; neighbouring strings without a comma are one."""
    out, begins = [], True
    for text, word, comma in FIELD.findall(row):
        if begins:
            out.append("")
        out[-1] += text.replace('\\"', '"') + word
        begins = bool(comma)
    return out


def rows_of(repository: Repository, name: str) -> list[list[str]]:
    """Every row of one source, in its order."""
    return [fields(match) for match in ROW.findall(repository.text(name))]


def labelled(repository: Repository, kinds: str, count: int) -> list[list[str]]:
    """Rows of `count` fields whose label begins with one of the kinds, by kind and number."""
    order, found = kinds.split(), []
    for name in repository.under("conformance/catalogue/", "s.cc"):
        for row in rows_of(repository, name):
            label = LABEL.fullmatch(row[0])
            if label and label[1] in order and len(row) == count:
                found.append((order.index(label[1]), int(label[2]), row))
    return [row for _, _, row in sorted(found)]


def self_test() -> None:
    row = '"R-01", "a \\"b\\"",\n kMay, "one "\n "two", ""'
    wanted = ["R-01", 'a "b"', "kMay", "one two", ""]
    assert fields(row) == wanted == fields(row + ","), fields(row)
    assert ROW.findall("x = {{" + row + "}, {}}") == [row]
