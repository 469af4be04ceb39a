# SPDX-License-Identifier: Apache-2.0
"""The tree drawn in docs/README.md against the real one, both ways."""

import re

from repository import Answer, Repository

MAP = "docs/README.md"
ENTRY = re.compile(r"^( *)([\w.-]+/)(?:\s|$)")
# Data, one folder per model: the map says what lies there, not every name.
DATA = re.compile(r"^golden/(cases|checkpoints)/.")


def drawn_folders(text: str) -> list[str]:
    """Folders of the first fenced block; two spaces of indent per level."""
    fenced = text.split("```")
    path: list[str] = []
    folders = []
    for line in (fenced[1] if len(fenced) > 1 else "").splitlines():
        match = ENTRY.match(line)
        if match:
            path = [*path[: len(match.group(1)) // 2], match.group(2).rstrip("/")]
            folders.append("/".join(path))
    return folders


def real_folders(files: list[str]) -> set[str]:
    folders = set()
    for name in files:
        parts = name.split("/")[:-1]
        folders |= {"/".join(parts[: i + 1]) for i in range(len(parts))}
    return {f for f in folders if not DATA.match(f)}


def check(repository: Repository) -> Answer:
    if MAP not in repository.files:
        return Answer(problems=[f"{MAP} is missing"])
    drawn, real = drawn_folders(repository.text(MAP)), real_folders(repository.files)
    problems = [f"{MAP} draws {f}/, which does not exist" for f in drawn if f not in real]
    problems += [f"{f}/ is not drawn in {MAP}" for f in sorted(real - set(drawn))]
    return Answer(problems, note=f"{len(drawn)} folders")


def self_test() -> None:
    text = "map\n```\na/    first\n  b/  second\n    c.h\nd/\n```\n"
    assert drawn_folders(text) == ["a", "a/b", "d"], drawn_folders(text)
    assert real_folders(["a/b/c.h", "golden/cases/x/y.h5"]) == {
        "a",
        "a/b",
        "golden",
        "golden/cases",
    }
