#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code quoted in docs/ equals the source it is quoted from; --update writes the quotations anew.

A quotation is a block of ```cpp below a marker that names a file and a function in it:
<!-- source: reference/ops/rms_norm.cc inverse_rms -->
"""

import re
import sys

from repository import Answer, Repository, cpp_functions

QUOTE = re.compile(r"(<!-- source: (\S+) (\S+) -->\n```cpp\n)(.*?)(```\n)", re.DOTALL)
STRUCT = r"^(?:struct|enum class) {}\b[^;]*?{{\n.*?^}};\n"


def quoted_from(text: str, name: str) -> str:
    """The function or struct of this name, as it stands in the text; empty when there is none."""
    for function, _, code in cpp_functions(text):
        if function == name:
            return code
    match = re.search(STRUCT.format(re.escape(name)), text, re.MULTILINE | re.DOTALL)
    return match.group() if match else ""


def check(repository: Repository) -> Answer:
    answer, count = Answer(), 0
    for page in repository.under("docs/", ".md"):
        for quote in QUOTE.finditer(repository.text(page)):
            count += 1
            wanted = quoted_from(repository.text(quote[2]), quote[3])
            if not wanted:
                answer.problems.append(f"{page}: quotes {quote[3]} of {quote[2]}: not there")
            elif wanted != quote[4]:
                answer.problems.append(f"{page}: {quote[3]} differs from {quote[2]} (--update)")
    answer.note = f"{count} quotations"
    return answer


def update(repository: Repository) -> None:
    def fresh(quote: re.Match) -> str:
        return quote[1] + quoted_from(repository.text(quote[2]), quote[3]) + quote[5]

    for page in repository.under("docs/", ".md"):
        text = repository.text(page)
        if (renewed := QUOTE.sub(fresh, text)) != text:
            (repository.root / page).write_text(renewed, encoding="utf-8")
            print(f"updated {page}")


def self_test() -> None:
    text = "namespace a {\nint f(int x) {\n  return x;\n}\nstruct P {\n  int y;\n};\n}\n"
    assert quoted_from(text, "f") == "int f(int x) {\n  return x;\n}\n"
    assert quoted_from(text, "P") == "struct P {\n  int y;\n};\n"
    assert quoted_from(text, "g") == ""


if __name__ == "__main__" and sys.argv[1:] == ["--update"]:
    update(Repository())
