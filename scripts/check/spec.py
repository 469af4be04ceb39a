#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/spec are those of conformance/catalogue/data.

`scripts/check/spec.py --update` writes what stands between <!-- catalogue: KIND WHICH -->, with
`| NOTE` for what heads a column, and <!-- end -->.
"""

import re
import sys
from pathlib import Path

from repository import Answer, Repository

sys.path.append(str(Path(__file__).resolve().parents[1]))
import catalogue  # noqa: E402

COLUMNS = {  # heads, and the keys below them
    "rules": {"rule": "rule", "about": "about", "": "text"},
    "mistakes": {"mistake": "mistake", "what is done wrongly": "what", "shows at": "tap", "NOTE": "note"},
    "forward": {"tap, below `NOTE`": "tap", "formula": "page", "shape": "shape", "rules": "rules"},
    "taps": {"tap": "tap", "shape": "shape", "": "formula", "rules": "rules", "transformers": "hf"},
    "divergences": {
        "": "divergence",
        "about": "about",
        "who does what": "who",
        "what it changes": "changes",
        "here": "here",
        "switch": "switch",
    },
}
LETTERS = {"Hq": "N", "Hkv": "K", "hd": "H", "k": "X"}
NAMES = ("tap", "switch")  # keys whose words are code
LABEL = re.compile(r"(R[A-Z]?-|M-|DIV-M|[IVACXP])(\d+)")
REGION = re.compile(
    r"(<!-- catalogue: (\w+)([^|\n]*?)(?:\| ([^\n]*?) )?-->\n)(.*?)(<!-- end -->)", re.DOTALL
)


def cell(row: dict[str, str], key: str) -> str:
    if key in NAMES:
        return " ".join(f"`{word}`" for word in row.get(key, "").split())
    parts = row.get(key, "-" if key == "hf" else "").split("`")  # what stands between is code
    return "`".join(re.sub(r"([|*_<])", r"\\\1", p) if i % 2 == 0 else p for i, p in enumerate(parts))


def forward(part: str, when: str, below: str) -> list[dict[str, str]]:
    """What the forward pass computes, in its order, with the letters of notation.md."""
    rows = []
    for row in catalogue.TAPS.values():
        shown = row["role"] not in ("integer", "size") and row.get("when") != "cache"
        if shown and row["section"] == "text" and row["part"] == part:
            shape = re.sub(r"\b(Hq|Hkv|hd|k)\b", lambda m: LETTERS[m[1]], row["shape"])
            page = row.get("page", row["formula"])
            if (row.get("when") == "moe") == (when == "moe"):
                rows.append(row | {"tap": row["tap"].removeprefix(below), "shape": shape, "page": page})
    return rows


def rows_of(kind: str, which: list[str], note: str) -> list[dict[str, str]]:
    """Taps of these sections in their order; labelled rows by prefix and number."""
    if kind == "forward":
        return forward(*which, note)
    if kind == "taps":
        return [row for row in catalogue.TAPS.values() if row["section"] in which]
    found = []
    for row in catalogue.read(kind):
        prefix, number = LABEL.fullmatch(next(iter(row.values()))).groups()
        if prefix in which or not which:
            found.append((which.index(prefix) if which else 0, int(number), row))
    return [row for _, _, row in sorted(found, key=lambda each: each[:2])]


def table(kind: str, which: list[str], note: str) -> str:
    columns = COLUMNS[kind]
    lines = [[head.replace("NOTE", note) for head in columns], ["---"] * len(columns)]
    lines += [[cell(row, key) for key in columns.values()] for row in rows_of(kind, which, note)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def filled(text: str) -> str:
    def fill(match: re.Match) -> str:
        head, kind, which, note, _, end = match.groups()
        return f"{head}\n{table(kind, which.split(), note or '')}\n{end}"

    return REGION.sub(fill, text)


def check(repository: Repository) -> Answer:
    answer = Answer()
    for page in repository.under("docs/spec/", ".md"):
        if repository.text(page) != filled(repository.text(page)):
            hint = "scripts/check/spec.py --update"
            answer.problems.append(f"{page}: differs from the catalogue ({hint})")
    kinds = ("rules", "mistakes", "divergences")
    answer.note = ", ".join(f"{len(catalogue.read(kind))} {kind}" for kind in kinds)
    return answer


def self_test() -> None:
    assert catalogue.parse("# x\na: 1: 2\n  3\n\n\na: 4") == [{"a": "1: 2 3"}, {"a": "4"}]
    assert cell({"text": "a|b_c"}, "text") == "a\\|b\\_c"
    assert REGION.search("<!-- catalogue: mistakes I V | why -->\nold\n<!-- end -->")[4] == "why"


if __name__ == "__main__" and sys.argv[1:] == ["--update"]:
    everything = Repository()
    for name in everything.under("docs/spec/", ".md"):
        (everything.root / name).write_text(filled(everything.text(name)), encoding="utf-8")
