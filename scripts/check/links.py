# SPDX-License-Identifier: Apache-2.0
"""Links between pages lead somewhere, and every chapter and decision is reachable."""

import posixpath
import re

from repository import Answer, Repository

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def targets(page: str, text: str) -> list[str]:
    """Files a page links to, as paths from the root; addresses of the web are left out."""
    links = [x for x in LINK.findall(FENCE.sub("", text)) if not re.match(r"#|mailto:|\w+://", x)]
    return [posixpath.normpath(posixpath.join(page, "..", x.split("#")[0])) for x in links]


def check(repository: Repository) -> Answer:
    pages = repository.under("", ".md")
    links = [(page, target) for page in pages for target in targets(page, repository.text(page))]
    there = set(repository.files)
    there |= {posixpath.dirname(name) for name in there}
    problems = [
        f"{page}: links to {t}, which does not exist" for page, t in links if t not in there
    ]
    linked = {target for _, target in links}
    for page in repository.under("docs/book/", ".md") + repository.under("docs/decisions/", ".md"):
        if page not in linked:
            problems.append(f"{page}: no page links to it")
    return Answer(problems, note=f"{len(links)} links in {len(pages)} pages")


def self_test() -> None:
    text = "[a](b.md#x) [w](https://example.org)\n```\n[c](d.md)\n```\n[e](../f/)"
    assert targets("docs/a.md", text) == ["docs/b.md", "f"], targets("docs/a.md", text)
