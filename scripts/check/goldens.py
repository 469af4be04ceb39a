# SPDX-License-Identifier: Apache-2.0
"""golden/ against its manifest, both ways, and the size of the tree."""

import hashlib
import json
import re

from repository import Answer, Repository

MANIFEST = "golden/manifest.json"
NOT_DATA = {"README.md", "manifest.json", ".gitattributes"}
TREE_LIMIT = 50_000_000  # bytes of the whole working tree
FACTS = ("sha256", "generator", "command")
CASE = re.compile(r"^golden/cases/([^/]+)/([^/]+)\.h5$")


def listed_problems(listed: dict, hashes: dict[str, str]) -> list[str]:
    """Differences between the manifest's files and those that are there (name -> sha256)."""
    problems = [
        f"{name}: in the manifest, not in golden/" for name in sorted(set(listed) - set(hashes))
    ]
    problems += [
        f"{name}: in golden/, not in the manifest" for name in sorted(set(hashes) - set(listed))
    ]
    for name in sorted(set(hashes) & set(listed)):
        missing = [fact for fact in FACTS if fact != "command" and not listed[name].get(fact)]
        if missing:
            problems.append(f"{name}: the manifest does not say its {', '.join(missing)}")
        elif listed[name]["sha256"] != hashes[name]:
            problems.append(f"{name}: hash differs from the manifest's")
    return problems


def names_table(text: str, table: str) -> bool:
    """Whether a test names this file, or a pattern: tiny_a.json, f"tiny_{letter}.json"."""
    return table in text or re.sub(r"_[^_]*\.", "_{", table).split("{")[0] + "{" in text


def orphan_problems(files: list[str], texts: dict[str, str]) -> list[str]:
    """Cases without a checkpoint, checkpoints no case reads, tables no test names."""
    checkpoints = {f.split("/")[2] for f in files if f.startswith("golden/checkpoints/")}
    cases = {m.group(1) for f in files if (m := CASE.match(f))}
    problems = [f"golden/cases/{c}: has no checkpoint" for c in sorted(cases - checkpoints)]
    for checkpoint in sorted(checkpoints - cases):
        target = checkpoint.removesuffix("-drafter")
        if target == checkpoint or target not in cases:
            problems.append(f"golden/checkpoints/{checkpoint}: no case reads it")
    for table in (f for f in files if f.startswith("golden/tables/") and not f.endswith(".md")):
        if not any(names_table(text, table.rsplit("/", 1)[1]) for text in texts.values()):
            problems.append(f"{table}: no test names it")
    return problems


def check(repository: Repository) -> Answer:
    files = repository.under("golden/")
    data = [f for f in files if f.rsplit("/", 1)[1] not in NOT_DATA]
    if MANIFEST not in repository.files:
        return Answer(problems=[f"{MANIFEST} is missing"])
    listed = json.loads(repository.text(MANIFEST)).get("files", {})
    hashes = {
        f.removeprefix("golden/"): hashlib.sha256((repository.root / f).read_bytes()).hexdigest()
        for f in data
    }
    readers = repository.under("", "_test.cc", "_cases.cc") + repository.under(
        "scripts/golden/", ".py"
    )
    answer = Answer(listed_problems(listed, hashes))
    answer.problems += orphan_problems(files, {f: repository.text(f) for f in readers})
    size = sum((repository.root / f).stat().st_size for f in repository.files)
    if size > TREE_LIMIT:
        answer.problems.append(f"the tree has {size} bytes, expected at most {TREE_LIMIT}")
    cases = sum(1 for f in files if CASE.match(f))
    answer.note = f"{len(data)} files, {cases} cases; the whole tree has {size / 1e6:.1f} MB"
    return answer


def self_test() -> None:
    facts = {"sha256": "1", "generator": "g", "command": "c"}
    assert not listed_problems({"a": facts}, {"a": "1"})
    assert len(listed_problems({"a": facts, "b": facts}, {"a": "2", "c": "3"})) == 3
    files = [
        "golden/cases/x/long.h5",
        "golden/checkpoints/x/config.json",
        "golden/checkpoints/y/config.json",
    ]
    assert orphan_problems(files, {}) == ["golden/checkpoints/y: no case reads it"]
