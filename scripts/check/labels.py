# SPDX-License-Identifier: Apache-2.0
"""Rules (R-xx) that no header of the reference cites, or no test names; it only informs."""

import re

from repository import Answer, Repository

LABEL = re.compile(r"\bR-(\d\d)(?:\s*(?:\.\.\.|…|–|to)\s*R-(\d\d))?")
DEFINED = re.compile(r'"R-(\d\d)"')


def cited(text: str) -> set[int]:
    """Labels in a text; `R-70 ... R-77` cites all between."""
    found = set()
    for first, last in LABEL.findall(text):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def names(labels: set[int]) -> str:
    return " ".join(f"R-{label:02}" for label in sorted(labels)) or "none"


def check(repository: Repository) -> Answer:
    catalogue = repository.under("conformance/catalogue/", "rules.cc")
    rules = {int(r) for f in catalogue for r in DEFINED.findall(repository.text(f))}
    if not rules:
        return Answer(skipped="no rules in conformance/catalogue")
    headers = repository.under("reference/", ".h")
    tests = repository.under("", "_test.cc", "_test.py", "_cases.cc")
    unread = rules - set().union(*(cited(repository.text(f)) for f in headers), set())
    untested = rules - set().union(*(cited(repository.text(f)) for f in tests), set())
    note = f"{len(rules)} rules; in no header: {names(unread)}; in no test: {names(untested)}"
    return Answer(note=note)


def self_test() -> None:
    assert cited("Spec: R-20, R-22 and R-70 ... R-72.") == {20, 22, 70, 71, 72}
