#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code quoted in docs/ equals the source it is quoted from.

A quotation is a marker and a fenced block; the marker names a file and a function in it:

    <!-- source: reference/ops/rms_norm.cc inverse_rms -->
    ```cpp
    ...
    ```

`scripts/check/snippets.py --update` writes the blocks anew.
"""

import re
import sys

import cpp_source
from repository import Answer, Repository

QUOTE = re.compile(r"<!-- source: (\S+) (\S+) -->\n```cpp\n(.*?)```\n", re.DOTALL)
STRUCT = r"^(?:struct|enum class) {}\b[^;]*?{{\n.*?^}};$"


def quoted_from(text: str, name: str) -> str:
    """The function or struct of this name, as it stands in the text; empty when there is none."""
    for function in cpp_source.functions(text):
        if function.name == name:
            return "\n".join(text.splitlines()[function.first - 1 : function.last]) + "\n"
    match = re.search(STRUCT.format(re.escape(name)), text, re.MULTILINE | re.DOTALL)
    return match.group() + "\n" if match else ""


def quotations(repository: Repository):
    for page in repository.under("docs/", ".md"):
        for match in QUOTE.finditer(repository.text(page)):
            yield page, match


def source_of(repository: Repository, path: str, name: str) -> str:
    return quoted_from(repository.text(path), name) if path in repository.files else ""


def check(repository: Repository) -> Answer:
    answer, count = Answer(), 0
    for page, match in quotations(repository):
        path, name, code = match.groups()
        count += 1
        wanted = source_of(repository, path, name)
        if not wanted:
            answer.problems.append(f"{page}: quotes {name} of {path}, which is not there")
        elif wanted != code:
            answer.problems.append(
                f"{page}: {name} differs from {path} (scripts/check/snippets.py --update)"
            )
    answer.note = f"{count} quotations"
    return answer


def update(repository: Repository) -> None:
    for page in repository.under("docs/", ".md"):
        text = repository.text(page)

        def fresh(match: re.Match) -> str:
            path, name, code = match.groups()
            return match.group().replace(
                f"```cpp\n{code}```",
                "```cpp\n" + (source_of(repository, path, name) or code) + "```",
            )

        renewed = QUOTE.sub(fresh, text)
        if renewed != text:
            (repository.root / page).write_text(renewed, encoding="utf-8")
            print(f"updated {page}")


def self_test() -> None:
    text = "namespace a {\nint f(int x) {\n  return x;\n}\nstruct P {\n  int y;\n};\n}\n"
    assert quoted_from(text, "f") == "int f(int x) {\n  return x;\n}\n"
    assert quoted_from(text, "P") == "struct P {\n  int y;\n};\n"
    assert quoted_from(text, "g") == ""


if __name__ == "__main__" and sys.argv[1:] == ["--update"]:
    update(Repository())
