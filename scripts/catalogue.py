# SPDX-License-Identifier: Apache-2.0
"""The files of conformance/catalogue/data, whose format is told in taps.txt."""

import re
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "conformance/catalogue/data"


def parse(text: str) -> list[dict[str, str]]:
    """Paragraphs of `key: value`; the first key of each says what it is."""
    paragraphs: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        if not line.strip():
            paragraphs.append({})
        elif line[0] in " \t":
            key = list(paragraphs[-1])[-1]
            paragraphs[-1][key] += " " + line.strip()
        elif line[0] != "#":
            key, value = line.split(": ", 1)
            paragraphs[-1][key] = value.strip()
    return [paragraph for paragraph in paragraphs if paragraph]


def read(name: str) -> list[dict[str, str]]:
    return parse((DATA / f"{name}.txt").read_text(encoding="utf-8"))


def taps() -> dict[str, dict[str, str]]:
    """Rows by pattern, each with what its section says."""
    rows: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for row in read("taps"):
        if "section" not in row:
            rows[row["tap"]] = section | row
            continue
        section = row
        for name in [n for n in rows if n.startswith(row.get("like", " ")) and "when" not in rows[n]]:
            derived = row["named"] + name.removeprefix(row["like"])
            rows[derived] = rows[name] | row | {"tap": derived}
    return rows


TAPS = taps()
BY_KIND = {re.sub(r"\{\w\}", "{}", name): name for name in TAPS}


def pattern(name: str) -> str:
    """media.0.vision.layer.3.out to vision.layer.{i}.out; a name that is no tap stays."""
    kind = re.sub(r"(?<![^.])\d+(?![^.])", "{}", re.sub(r"^media\.\d+\.", "", name))
    return BY_KIND.get(kind, name)


def is_discrete(name: str) -> bool:
    """Compared by equality, or as a set."""
    kinds = ("integer", "byte", "size", "mask", "choice", "last choice")
    row = TAPS.get(pattern(name))
    return row is not None and row["role"].split(" from ")[0] in kinds
