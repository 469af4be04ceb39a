# SPDX-License-Identifier: Apache-2.0
"""Words that do not belong in the tree.

Machine paths, unfinished work, pages that are not here, terms that the project has given up.
"""

import re

from repository import Answer, Repository, line_of

FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(?:work|root|home|mnt)/\w",
    "a local host": r"\b(?:localhost|127\.0\.0\.1)\b",
    "unfinished work": r"\b(?:TODO|FIXME|XXX|HACK|WIP|[sS]tubs?)\b",
    "a page that is not in the repository": r"\b(?:toolchain|oracle_hf|oracle_jax|style|ports"
    r"|tolerance|design|contract|house)\.md\b",
    "a trailing blank": r"[ \t]+$",
}
# What was said once, and what is said now.
RETIRED = {
    "picture": "image",
    "sound": "audio",
    "soft[ _-]vector": "soft-token embedding",
    "habit": "rounding, or choice",
    "twin": "second implementation",
    "tower": "encoder",
    "rehears": "probe",
    "in the dock": "under test",
    "of good name": "published",
    "whole number": "integer",
}
# As a word, as a part of a snake_case name, and as one of a CamelCase name.
FORMS = r"(?:(?<![A-Za-z])(?i:{0})|(?<=[a-z]){1})s?(?![a-z])"
PATTERNS = {what: re.compile(pattern, re.MULTILINE) for what, pattern in FORBIDDEN.items()}
OLD = {now: re.compile(FORMS.format(old, old.capitalize())) for old, now in RETIRED.items()}
ANY_OLD = re.compile("|".join(RETIRED), re.IGNORECASE)  # most files have none: one look is enough
# Names that stay: tensors and modules of others, a tap, keys of goldens.
KEPT = re.compile(r'(?:vision|audio)_tower|tower\\?_out|"picture"|\.mkv:sound')
HISTORY = re.compile(r"^(?:docs|golden|scripts)/|\.md$")

TEXT = (".h", ".cc", ".py", ".md", ".txt", ".cmake", ".json", ".csv", ".yaml", ".yml")
EXEMPT = re.compile(r"^(?:LICENSE|golden/checkpoints/|golden/cases/|scripts/check/words\.py)")
LICENSED = re.compile(r"(?:\.h|\.cc|\.py|\.cmake|CMakeLists\.txt)$|^scripts/(?:.*/)?[^./]+$")
SPDX = "SPDX-License-Identifier: Apache-2.0"


def is_text(name: str) -> bool:
    return not EXEMPT.match(name) and (name.endswith(TEXT) or "." not in name.rsplit("/", 1)[-1])


def blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def word_problems(name: str, text: str) -> list[str]:
    found = [(what, m) for what, pattern in PATTERNS.items() for m in pattern.finditer(text)]
    if ANY_OLD.search(text) and not HISTORY.search(name):
        ours = KEPT.sub(blank, text)
        found += [(f"say {now}", m) for now, old in OLD.items() for m in old.finditer(ours)]
    return [
        f"{name}:{line_of(text, m.start())}: {what}: {m.group().strip()!r}" for what, m in found
    ]


def check(repository: Repository) -> Answer:
    names = list(filter(is_text, repository.files))
    answer = Answer(note=f"{len(names)} files")
    for name in names:
        text = repository.text(name)
        answer.problems += word_problems(name, text)
        if LICENSED.search(name) and SPDX not in "\n".join(text.split("\n", 2)[:2]):
            answer.problems.append(f"{name}: the first line is not the SPDX line")
    return answer


def self_test() -> None:
    assert word_problems("a.md", "see /work/main")
    assert word_problems("a.h", "// TODO: later")
    assert word_problems("a.h", "int x; ")
    assert not word_problems("a.md", "the work/life balance of a networkstub-like styles.md")
    assert len(word_problems("a.h", "read_sound(Picture, kTower); // soft vectors, habits")) == 5
    assert not word_problems("a.h", "model.vision_tower, libsndfile, a towering success")
    assert not word_problems("docs/decisions/0001-a.md", "a picture")
