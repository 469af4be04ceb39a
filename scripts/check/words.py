# SPDX-License-Identifier: Apache-2.0
"""Words that do not belong in the tree, and how wide a page may be.

Machine paths, unfinished work, pages that are not here, terms that the project has given up.
"""

import re

from repository import Answer, Repository, line_of

FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(?:work|root|home|mnt)/\w",
    "unfinished work": r"\b(?:TODO|FIXME|XXX|HACK|WIP|[sS]tubs?)\b",
    "a page that is not here": r"\b(?:oracle_(?:hf|jax)|style|ports|design|contract|house)\.md\b",
    "say emit_": r"\bshow_\w",
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
    "rehearse": "probe",
    "behind": "after",
    "in the dock": "under test",
    "of good name": "published",
    "whole number": "integer",
}
# As a word, as a part of a snake_case name, and as one of a CamelCase name.
FORMS = r"(?:(?<![A-Za-z])(?i:{0})|(?<=[a-z]){1})s?(?![a-z])"
PATTERNS = {what: re.compile(old, re.MULTILINE) for what, old in FORBIDDEN.items()}
OLD = {
    f"say {now}": re.compile(FORMS.format(old, old.capitalize())) for old, now in RETIRED.items()
}
ANY_OLD = re.compile("|".join(RETIRED), re.IGNORECASE)  # most files have none: one look is enough
# Names that stay: tensors and modules of others, a tap, keys of goldens.
KEPT = re.compile(r'(?:vision|audio)_tower|tower\\?_out|"picture"|\.mkv:sound|[Hh]ost[ _]twin')
# History, goldens, and programs whose strings are in goldens.
WRITERS = "jax_media|make_media|oracle_jax|small_vocabulary"
HISTORY = re.compile(rf"^docs/decisions/|^golden/(?!.*README)|^scripts/golden/({WRITERS})\.py")

PAGE_WIDTH = 120
UNWRAPPED = re.compile(r"^```.*?^```|^\|[^\n]*|^\$\$.*?\$\$|^\S+$", re.MULTILINE | re.DOTALL)

TEXT = re.compile(r"\.(?:h|cc|cu|py|md|txt|cmake|json|csv|yaml|yml)$|(?:^|/)[^.]+$")
EXEMPT = re.compile(r"^(?:LICENSE|golden/checkpoints/|golden/cases/|scripts/check/words\.py)")
LICENSED = re.compile(r"(?:\.h|\.cc|\.cu|\.py|\.cmake|CMakeLists\.txt)$|^scripts/(?:.*/)?[^./]+$")
SPDX = "SPDX-License-Identifier: Apache-2.0"


def word_problems(name: str, text: str) -> list[str]:
    patterns = dict(PATTERNS)
    if ANY_OLD.search(text) and not HISTORY.search(name):
        text = KEPT.sub("", text)  # none has a line break
        patterns |= OLD
    found = [(what, m) for what, pattern in patterns.items() for m in pattern.finditer(text)]
    return [
        f"{name}:{line_of(text, m.start())}: {what}: {m.group().strip()!r}" for what, m in found
    ]


def width_problems(name: str, text: str) -> list[str]:
    """Lines of a page that are too wide; tables, formulas and fenced blocks may be."""
    lines = enumerate(UNWRAPPED.sub(lambda m: "\n" * m.group().count("\n"), text).split("\n"), 1)
    wide = [(number, len(line)) for number, line in lines if len(line) > PAGE_WIDTH]
    return [f"{name}:{n}: {width} columns, expected at most {PAGE_WIDTH}" for n, width in wide]


def check(repository: Repository) -> Answer:
    names = [name for name in repository.files if TEXT.search(name) and not EXEMPT.match(name)]
    answer = Answer(note=f"{len(names)} files")
    for name in names:
        text = repository.text(name)
        answer.problems += word_problems(name, text)
        if name.endswith(".md"):
            answer.problems += width_problems(name, text)
        if LICENSED.search(name) and SPDX not in "\n".join(text.split("\n", 2)[:2]):
            answer.problems.append(f"{name}: the first line is not the SPDX line")
    return answer


def self_test() -> None:
    assert word_problems("a.md", "see /home/someone")
    assert word_problems("a.h", "// TODO: later")
    assert word_problems("a.h", "int x; ")
    assert not word_problems("a.md", "the work/life balance of a networkstub-like styles.md")
    assert len(word_problems("a.h", "read_sound(Picture, kTower); // soft vectors, habits")) == 5
    assert not word_problems("a.h", "model.vision_tower, libsndfile, a towering success")
    assert not word_problems("docs/decisions/0001-a.md", "a picture")
    wide = "word " * 30 + "\n"
    assert width_problems("a.md", "b\n" + wide) == ["a.md:2: 150 columns, expected at most 120"]
    assert not width_problems("a.md", f"```\n{wide}```\n| {wide}$$ {wide} $$\n")
