# SPDX-License-Identifier: Apache-2.0
"""Every label that is cited exists; rules that no header cites, or no test names, are listed.

Rules (R-31, RV-3, RT-3), mistakes (M-46, V29, P14) and divergences (DIV-M04) are defined in
conformance/catalogue, the divergences of the text models (DIV-05) in docs/spec/text.md.
"""

import re

from repository import Answer, Repository

RULE = re.compile(r"\bR([ACINPSTUVX]?)-(\d+)(?:\s*(?:\.\.\.|…|–|to)\s*R\1-(\d+))?")
MISTAKE = re.compile(r"\bM-\d+")
DIVERGENCE = re.compile(r"\bDIV-M?\d+")
# V29 is a label in the comments of the reference, and may be another word elsewhere. C01 is none
# but a conversation of golden/prompting.
COMMENT = re.compile(r"//.*")
MEDIA_MISTAKE = re.compile(r"\b(?:[IVACX][1-9]\d*|P\d\d)\b")

DEFINED = re.compile(r'\{"((?:R[A-Z]?-|M-|DIV-M|[IVACXP])\d+)"')
TEXT_DIVERGENCE = re.compile(r"^\| (DIV-\d+) \|", re.MULTILINE)
CITING = (".h", ".cc", ".py", ".md")
# Labels that a test cites because they do not exist.
ABSENT = {
    "conformance/catalogue/catalogue_test.cc": ("R-08", "M-999"),
    "conformance/catalogue/media_catalogue_test.cc": ("DIV-M47",),
    "conformance/program/command_line_test.cc": ("R-999",),
}


def rules_in(text: str) -> set[str]:
    """Rules in a text; `R-70 ... R-77` cites all between."""
    found = set()
    for letter, first, last in RULE.findall(text):
        for number in range(int(first), int(last or first) + 1):
            found.add(name_of(letter, number))
    return found


def name_of(letter: str, number: int) -> str:
    return f"R{letter}-{number}" if letter else f"R-{number:02}"


def cited(name: str, text: str) -> set[str]:
    """All labels that a file cites."""
    found = {name_of(*match) for match in ends_of_rules(text)}
    found |= set(MISTAKE.findall(text)) | set(DIVERGENCE.findall(text))
    if name.startswith("reference/"):
        for comment in COMMENT.findall(text):
            found |= set(MEDIA_MISTAKE.findall(comment))
    return found


def ends_of_rules(text: str) -> list[tuple[str, int]]:
    """Numbers inside a range need not exist, its ends must."""
    ends = []
    for letter, first, last in RULE.findall(text):
        ends += [(letter, int(number)) for number in (first, last) if number]
    return ends


def defined(repository: Repository) -> set[str]:
    sources = repository.under("conformance/catalogue/", "s.cc")
    labels = {label for f in sources for label in DEFINED.findall(repository.text(f))}
    page = "docs/spec/text.md"
    if page in repository.files:
        labels |= set(TEXT_DIVERGENCE.findall(repository.text(page)))
    return labels


def unknown_labels(repository: Repository, known: set[str]) -> list[str]:
    problems = []
    for name in repository.under("", *CITING):
        if name == "scripts/check/labels.py":
            continue
        unknown = cited(name, repository.text(name)) - known - set(ABSENT.get(name, ()))
        for label in sorted(unknown):
            problems.append(f"{name}: got {label}, expected a label of the catalogue")
    return problems


def names(labels: set[str]) -> str:
    def key(label: str) -> tuple[str, int]:
        kind, _, number = label.partition("-")
        return kind, int(number)

    return " ".join(sorted(labels, key=key)) or "none"


def check(repository: Repository) -> Answer:
    known = defined(repository)
    rules = {label for label in known if label.startswith("R")}
    if not rules:
        return Answer(skipped="no rules in conformance/catalogue")
    headers = repository.under("reference/", ".h")
    tests = repository.under("", "_test.cc", "_test.py", "_cases.cc")
    unread = rules - set().union(*(rules_in(repository.text(f)) for f in headers), set())
    untested = rules - set().union(*(rules_in(repository.text(f)) for f in tests), set())
    note = f"{len(known)} labels; in no header: {names(unread)}; in no test: {names(untested)}"
    return Answer(problems=unknown_labels(repository, known), note=note)


def self_test() -> None:
    assert rules_in("Spec: R-20, R-22 and R-70 ... R-72.") == {
        *("R-20", "R-22", "R-70", "R-71", "R-72")
    }
    assert rules_in("RV-3 to RV-5, RX-10") == {"RV-3", "RV-4", "RV-5", "RX-10"}
    assert cited("reference/a_test.cc", "x = C1;  // C41, DIV-M18") == {"C41", "DIV-M18"}
    assert cited("reference/a.cc", "x = 1;  // C01, P36, RT-5") == {"P36", "RT-5"}
    assert cited("docs/a.md", "template V2, M-46, R-31") == {"M-46", "R-31"}
