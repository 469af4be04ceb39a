# SPDX-License-Identifier: Apache-2.0
"""Words that do not belong in the tree: machine paths, unfinished work, pages that are not here."""

import re

from repository import Answer, Repository

# Written in pieces, so that this file does not find itself.
ELSEWHERE = "tool_chain oracle__hf oracle__jax st_yle po_rts toler_ance des_ign contr_act"
UNFINISHED = "TO_DO FIX_ME X_XX HA_CK W_IP st_ub Stu_b st_ubs"
FOLDERS = "wo_rk ro_ot ho_me m_nt"


def any_of(pieces: str) -> str:
    """A pattern of these words; a single _ is only the joint, __ stands for one."""
    words = (w.replace("__", " ").replace("_", "").replace(" ", "_") for w in pieces.split())
    return "(?:" + "|".join(words) + ")"


FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/" + any_of(FOLDERS) + r"/\w",
    "a local host": r"\b(?:localh" r"ost|127\.0\.0" r"\.1)\b",
    "unfinished work": r"\b" + any_of(UNFINISHED) + r"\b",
    "a page that is not in the repository": r"\b" + any_of(ELSEWHERE) + r"\.md\b",
    "a trailing blank": r"[ \t]+$",
}
PATTERNS = {what: re.compile(pattern, re.MULTILINE) for what, pattern in FORBIDDEN.items()}
TEXT = (".h", ".cc", ".py", ".md", ".txt", ".cmake", ".json", ".csv", ".yaml", ".yml")
EXEMPT = re.compile(r"^(LICENSE|golden/checkpoints/|golden/cases/)")
SPDX = "SPDX-License-Identifier: Apache-2.0"
SPDX_WITHIN = 2  # lines: a script starts with its interpreter


def is_text(name: str) -> bool:
    plain = name.rsplit("/", 1)[-1]
    return not EXEMPT.match(name) and (plain.endswith(TEXT) or "." not in plain)


def problems_of(name: str, text: str) -> list[str]:
    problems = []
    for what, pattern in PATTERNS.items():
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            problems.append(f"{name}:{line}: {what}: {match.group().strip()!r}")
    return problems


def needs_licence(name: str) -> bool:
    return name.endswith((".h", ".cc", ".py", ".cmake", "CMakeLists.txt")) or (
        name.startswith("scripts/") and "." not in name.rsplit("/", 1)[-1]
    )


def check(repository: Repository) -> Answer:
    answer, count = Answer(), 0
    for name in filter(is_text, repository.files):
        count += 1
        text = repository.text(name)
        answer.problems += problems_of(name, text)
        if needs_licence(name) and SPDX not in "\n".join(text.splitlines()[:SPDX_WITHIN]):
            answer.problems.append(f"{name}: the first line is not the SPDX line")
    answer.note = f"{count} files"
    return answer


def self_test() -> None:
    assert problems_of("a.md", "see /wor" "k/main")
    assert problems_of("a.h", "// TO" "DO: later")
    assert problems_of("a.h", "int x; ")
    assert not problems_of("a.md", "the work/life balance of a networkstub-like styles.md")
