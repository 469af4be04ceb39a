# SPDX-License-Identifier: Apache-2.0
"""What docs/README.md draws and docs/notation.md lists against the folders and axes there are."""

import re
from pathlib import PurePosixPath

from repository import Answer, Repository

MAP = "docs/README.md"
ENTRY = re.compile(r"^( *)([\w.-]+)/(?:\s|$)", re.MULTILINE)
# Data, one folder per model: the map says what lies there, not every name.
DATA = re.compile(r"^golden/(cases|checkpoints)/.")
LETTERS = re.compile(r"^\| letter \|.*\n\|[-| :]+\n((?:\|.*\n)+)", re.MULTILINE)


def drawn_folders(text: str) -> list[str]:
    """Folders of the first fenced block; two spaces of indent per level."""
    path: list[str] = []
    folders = []
    for indent, name in ENTRY.findall(text.split("```")[1]):
        path = [*path[: len(indent) // 2], name]
        folders.append("/".join(path))
    return folders


def real_folders(files: list[str]) -> set[str]:
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    return {folder for folder in folders - {"."} if not DATA.match(folder)}


def letter_problems(page: str, axes: list[str]) -> list[str]:
    """Axes of reference/core/axes.h that notation.md lacks, or explains twice in one table."""
    tables = [re.findall(r"^\| (\S+) \|", t, re.MULTILINE) for t in LETTERS.findall(page)]
    odd = {x for t in tables for x in t if t.count(x) > 1} | set(axes) ^ set(sum(tables, []))
    return [f"docs/notation.md: {x}: expected once a table, and in axes.h" for x in sorted(odd)]


def check(repository: Repository) -> Answer:
    drawn, real = drawn_folders(repository.text(MAP)), real_folders(repository.files)
    problems = [f"{MAP} draws {f}/, which does not exist" for f in drawn if f not in real]
    problems += [f"{f}/ is not drawn in {MAP}" for f in sorted(real - set(drawn))]
    axes = re.findall(r"^struct (\w+);", repository.text("reference/core/axes.h"), re.MULTILINE)
    problems += letter_problems(repository.text("docs/notation.md"), axes)
    return Answer(problems, note=f"{len(drawn)} folders, {len(axes)} axes")


def self_test() -> None:
    text = "map\n```\na/    first\n  b/  second\n    c.h\nd/\n```\n"
    assert drawn_folders(text) == ["a", "a/b", "d"], drawn_folders(text)
    wanted = {"a", "a/b", "golden", "golden/cases"}
    assert real_folders(["a/b/c.h", "golden/cases/x/y.h5", "e.md"]) == wanted
    page = "| letter | axis |\n| --- | --- |\n| T | a |\n| T | b |\n| S | c |\n"
    assert len(letter_problems(page, ["T", "D"])) == 3
    assert not letter_problems(page.replace("| T | b |\n", ""), ["T", "S"])
