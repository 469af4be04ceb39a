# SPDX-License-Identifier: Apache-2.0
"""golden/ against its manifest, both ways, and the size of the tree."""

import hashlib
import json
import re

from repository import Answer, Repository

MANIFEST = "golden/manifest.json"
TREE_LIMIT = 55_000_000  # bytes of the whole working tree


def listed_problems(listed: dict, hashes: dict[str, str]) -> list[str]:
    """Differences between the manifest's files and those that are there (name -> sha256)."""
    problems = [f"{name}: in the manifest, not in golden/" for name in listed if name not in hashes]
    for name, sha256 in hashes.items():
        facts = listed.get(name, {})
        if not facts:
            problems.append(f"{name}: in golden/, not in the manifest")
        elif missing := [fact for fact in ("sha256", "generator") if not facts.get(fact)]:
            problems.append(f"{name}: the manifest does not say its {', '.join(missing)}")
        elif facts["sha256"] != sha256:
            problems.append(f"{name}: hash differs from the manifest's")
    return sorted(problems)


def orphan_problems(files: list[str], readers: str) -> list[str]:
    """Cases without a checkpoint, checkpoints no case reads, tables that no reader names."""
    checkpoints = {f.split("/")[2] for f in files if f.startswith("golden/checkpoints/")}
    cases = {f.split("/")[2] for f in files if f.startswith("golden/cases/")}
    tables = [f for f in files if f.startswith("golden/tables/") and not f.endswith(".md")]
    problems = [f"golden/cases/{c}: has no checkpoint" for c in sorted(cases - checkpoints)]
    for checkpoint in sorted(checkpoints - cases):
        if not checkpoint.endswith("-drafter") or checkpoint[: -len("-drafter")] not in cases:
            problems.append(f"golden/checkpoints/{checkpoint}: no case reads it")
    for table in tables:  # named in full, or by a pattern: f"tiny_{letter}.json"
        name = table.rsplit("/", 1)[1]
        if name not in readers and re.sub(r"_[^_]*\.json", "_{", name) not in readers:
            problems.append(f"{table}: no test names it")
    return problems


def check(repository: Repository) -> Answer:
    files = repository.under("golden/")
    listed = json.loads(repository.text(MANIFEST))["files"]
    hashes = {}
    for name in files:
        if not name.endswith(("README.md", MANIFEST)):
            data = (repository.root / name).read_bytes()
            hashes[name.removeprefix("golden/")] = hashlib.sha256(data).hexdigest()
    readers = repository.under("", "_test.cc", "_cases.cc", ".py")
    text = "".join(map(repository.text, readers))
    answer = Answer(listed_problems(listed, hashes) + orphan_problems(files, text))
    size = sum((repository.root / name).stat().st_size for name in repository.files)
    if size > TREE_LIMIT:
        answer.problems.append(f"the tree has {size} bytes, expected at most {TREE_LIMIT}")
    answer.note = f"{len(hashes)} files; the whole tree has {size / 1e6:.1f} MB"
    return answer


def self_test() -> None:
    facts = {"sha256": "1", "generator": "g"}
    assert not listed_problems({"a": facts}, {"a": "1"})
    assert len(listed_problems({"a": facts, "b": facts}, {"a": "2", "c": "3"})) == 3
    files = ["golden/cases/x/long.h5", "golden/tables/tiny_a.json"]
    files += [f"golden/checkpoints/{name}/config.json" for name in ("x", "x-drafter", "y")]
    wanted = ["golden/checkpoints/y: no case reads it"]
    assert orphan_problems(files, 'open(f"tiny_{letter}.json")') == wanted
    assert len(orphan_problems(files, "")) == 2
