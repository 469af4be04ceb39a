# SPDX-License-Identifier: Apache-2.0
"""Every label that is cited exists; rules that no header cites, or no test names, are listed.

Rules (R-31, RV-3, RT-3), mistakes (M-46, V29, P14) and divergences (DIV-M04) are defined in
conformance/catalogue/data, the divergences of the text models (DIV-05) in docs/spec/text.md.
"""

import re

from repository import Answer, Repository

RULE = re.compile(r"\bR([ACINPSTUVX]?)-(\d+)(?:\s*(?:\.\.\.|…|–|to)\s*R\1-(\d+))?")
OTHER = re.compile(r"\b(?:M-|DIV-M?)\d+\b")
# V29 is a label in the comments of the reference, and may be another word elsewhere. C01 is none
# but a conversation of golden/prompting.
MEDIA_MISTAKE = re.compile(r"\b(?:[IVACX][1-9]\d*|P\d\d)\b")
COMMENT = re.compile(r"//.*")

DEFINED = re.compile(r"^(?:rule|mistake|divergence): (\S+)$", re.MULTILINE)
TEXT_DIVERGENCE = re.compile(r"^\| (DIV-\d+) \|", re.MULTILINE)
ABSENT = {"R-08", "R-999", "M-999", "DIV-M47"}  # tests cite them because they do not exist


def rules_in(text: str, whole_ranges: bool = True) -> set[str]:
    """Rules in a text. `R-70 ... R-77` names all between; only its ends need exist."""
    found = set()
    for letter, first, last in RULE.findall(text):
        numbers = {int(first), int(last or first)}
        if whole_ranges:
            numbers |= set(range(min(numbers), max(numbers)))
        form = f"R{letter}-{{}}" if letter else "R-{:02}"
        found |= set(map(form.format, numbers))
    return found


def cited(name: str, text: str) -> set[str]:
    """All labels that a file cites."""
    found = rules_in(text, whole_ranges=False) | set(OTHER.findall(text))
    if name.startswith("reference/"):
        found |= set(MEDIA_MISTAKE.findall(" ".join(COMMENT.findall(text))))
    return found


def missing(repository: Repository, rules: set[str], names: list[str]) -> str:
    """The rules that none of these files names, in order."""
    left = rules.difference(*(rules_in(repository.text(name)) for name in names))
    return " ".join(sorted(left, key=lambda x: (x.split("-")[0], int(x.split("-")[1])))) or "none"


def check(repository: Repository) -> Answer:
    data, answer = repository.under("conformance/catalogue/data/"), Answer()
    known = {label for name in data for label in DEFINED.findall(repository.text(name))}
    known |= set(TEXT_DIVERGENCE.findall(repository.text("docs/spec/text.md")))
    for name in repository.under("", ".h", ".cc", ".py", ".md"):
        if name != "scripts/check/labels.py":
            absent = ABSENT if name.endswith("_test.cc") else set()
            unknown = cited(name, repository.text(name)) - known - absent
            for label in sorted(unknown):
                answer.problems.append(f"{name}: got {label}, expected a label of the catalogue")
    rules = {label for label in known if label.startswith("R")}
    headers = repository.under("reference/", ".h") + repository.under(
        "conformance/generation/", ".h"
    )
    unread = missing(repository, rules, headers)
    untested = missing(repository, rules, repository.under("", "_test.cc", "_test.py", "_cases.cc"))
    answer.note = f"{len(known)} labels; in no header: {unread}; in no test: {untested}"
    return answer


def self_test() -> None:
    wanted = {"R-20", "R-22", "R-70", "R-71", "R-72"}
    assert rules_in("Spec: R-20, R-22 and R-70 ... R-72.") == wanted
    assert rules_in("RV-3 to RV-5, RX-10") == {"RV-3", "RV-4", "RV-5", "RX-10"}
    assert cited("reference/a_test.cc", "x = C1;  // C41, DIV-M18") == {"C41", "DIV-M18"}
    assert cited("reference/a.cc", "x = 1;  // C01, P36, RT-5") == {"P36", "RT-5"}
    assert cited("docs/a.md", "template V2, M-46, R-31 ... R-39") == {"M-46", "R-31", "R-39"}
