# SPDX-License-Identifier: Apache-2.0
"""Links between pages lead somewhere, and every chapter and decision is reachable."""

import posixpath
import re

from repository import Answer, Repository

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def targets(page: str, text: str) -> list[str]:
    """Files a page links to, as paths from the root; addresses of the web are left out."""
    found = []
    for link in LINK.findall(FENCE.sub("", text)):
        if "://" not in link and not link.startswith(("#", "mailto:")):
            path = posixpath.join(posixpath.dirname(page), link.split("#")[0])
            found.append(posixpath.normpath(path))
    return found


def check(repository: Repository) -> Answer:
    pages = repository.under("", ".md")
    there = set(repository.files)
    there |= {posixpath.dirname(f) for f in there}
    answer, linked, count = Answer(), set(), 0
    for page in pages:
        for target in targets(page, repository.text(page)):
            count += 1
            linked.add(target)
            if target not in there:
                answer.problems.append(f"{page}: links to {target}, which does not exist")
    for page in pages:
        if page.startswith(("docs/book/", "docs/decisions/")) and page not in linked:
            answer.problems.append(f"{page}: no page links to it")
    answer.note = f"{count} links in {len(pages)} pages"
    return answer


def self_test() -> None:
    text = "[a](b.md#x) [w](https://example.org)\n```\n[c](d.md)\n```\n[e](../f/)"
    assert targets("docs/a.md", text) == ["docs/b.md", "f"], targets("docs/a.md", text)
