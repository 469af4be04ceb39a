#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/spec says what conformance/catalogue says.

`scripts/check/spec.py --update` writes rules.md and mistakes.md from the catalogue's tables, and
in multimodal.md what stands between <!-- catalogue: NAME --> and <!-- end -->.
"""

import re
import sys

import catalogue_rows
from catalogue_rows import labelled, rows_of
from repository import Answer, Repository

RULES = """# The rules

Written by `scripts/check/spec.py` from `conformance/catalogue`; `assay explain R-31` prints one.
Letters are those of [notation](../notation.md); the [book](../book/00-the-walk-of-a-token.md) tells
the same as a story.

## Text

"""
RULE_HEAD = "| rule | about | |\n| --- | --- | --- |\n"
MEDIA_RULES = """
## Images, audio and video

RI: from pixels to patches. RV: the vision encoder. RU: what the 12B has instead of encoders. RA: from samples to
log-mel. RC: the audio encoder. RX: video, placeholders, merging, masks. Sizes and names: [multimodal](multimodal.md).

"""
TEXT_RULES = """
## The text around the network

RT: text to ids and back. RP: the chat template. RN: what an answer says. RS: how a token is chosen, and what ends an
answer. Algorithms and strings in full: [prompting](prompting.md).

"""
MISTAKES = """# The mistakes

Written by `scripts/check/spec.py` from `conformance/catalogue`; `assay explain M-79` prints one.
The tap is where a comparison in execution order must fail first. *Masked*: the logits hardly move,
only the tap shows it.

## Text

"""
MISTAKE_HEAD = "| mistake | what is done wrongly | shows at | {} |\n| --- | --- | --- | --- |\n"
MEDIA_MISTAKES = """
## Images, audio and video

I: from pixels to patches, and video. V: the vision encoder and the 12B's embedder. A: from samples to log-mel. C: the
audio encoder. X: placeholders, merging, masks. Taps belong to an item: `vision.pool` of the first is `media.0.vision.pool`.
Where numbers stand, they are the largest change at the tap and the worst cosine of a soft token, on models of two layers.
*Invisible downstream*: the soft tokens do not move, only the tap shows it.

"""
TEXT_MISTAKES = """
## The text around the network

P: tokenizer, template, parser, sampling, counts of placeholders. Ids are those of the released vocabulary; C01 and so on
are the conversations of `golden/prompting`. Where no tap stands, the mistake shows in what is drawn or measured.

"""
TAP_HEAD = "| tap | shape | | rules | transformers |\n| --- | --- | --- | --- | --- |\n"
LEDGER_HEAD = (
    "| | about | who does what | what it changes | here | switch |\n"
    "| --- | --- | --- | --- | --- | --- |\n"
)
PAGE = "docs/spec/multimodal.md"
REGION = re.compile(r"(<!-- catalogue: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def cell(text: str) -> str:
    return re.sub(r"([|*_<])", r"\\\1", text)


def tap_cell(taps: str) -> str:
    return " ".join(f"`{tap}`" for tap in taps.split())


def rules(repository: Repository, kinds: str) -> str:
    return RULE_HEAD + "".join(
        f"| {label} | {cell(topic)} | {cell(statement)} |\n"
        for label, topic, statement in labelled(repository, kinds, 3)
    )


def mistakes(repository: Repository, kinds: str, note: str) -> str:
    return MISTAKE_HEAD.format(note) + "".join(
        f"| {label} | {cell(what)} | {tap_cell(taps)} | {cell(note)} |\n"
        for label, what, taps, note in labelled(repository, kinds, 4)
    )


def taps(repository: Repository, name: str) -> str:
    rows = [r for r in rows_of(repository, f"conformance/catalogue/{name}.cc") if len(r) == 10]
    return TAP_HEAD + "".join(
        f"| `{row[0]}` | {cell(row[1])} | {cell(row[5])} | {row[6]} | {cell(row[7])} |\n"
        for row in rows
    )


def ledger(repository: Repository) -> str:
    rows = labelled(repository, "DIV-M", 6)
    return LEDGER_HEAD + "".join(
        f"| {label} | {' | '.join(map(cell, texts))} | {tap_cell(key)} |\n"
        for label, *texts, key in rows
    )


def multimodal(repository: Repository) -> str:
    def fill(match: re.Match) -> str:
        name = match[2]
        table = ledger(repository) if name == "divergences" else taps(repository, name)
        return f"{match[1]}\n{table}\n{match[4]}"

    return REGION.sub(fill, repository.text(PAGE)) if PAGE in repository.files else ""


def pages(repository: Repository) -> dict[str, str]:
    return {
        "docs/spec/rules.md": RULES
        + rules(repository, "R-")
        + MEDIA_RULES
        + rules(repository, "RI- RV- RU- RA- RC- RX-")
        + TEXT_RULES
        + rules(repository, "RT- RP- RN- RS-"),
        "docs/spec/mistakes.md": MISTAKES
        + mistakes(repository, "M-", "models, and what a case needs")
        + MEDIA_MISTAKES
        + mistakes(repository, "I V A C X", "size, and what a case needs")
        + TEXT_MISTAKES
        + mistakes(repository, "P", "an input that shows it"),
        PAGE: multimodal(repository),
    }


def check(repository: Repository) -> Answer:
    answer = Answer()
    for page, wanted in pages(repository).items():
        if page not in repository.files or repository.text(page) != wanted:
            answer.problems.append(
                f"{page}: differs from the catalogue (scripts/check/spec.py --update)"
            )
    counts = [
        len(labelled(repository, "R- RI- RV- RU- RA- RC- RX- RT- RP- RN- RS-", 3)),
        len(labelled(repository, "M- I V A C X P", 4)),
        len(labelled(repository, "DIV-M", 6)),
    ]
    answer.note = "{} rules, {} mistakes, {} divergences".format(*counts)
    return answer


def self_test() -> None:
    catalogue_rows.self_test()
    assert cell("a|b_c") == "a\\|b\\_c"
    assert REGION.search("<!-- catalogue: x_taps -->\nold\n<!-- end -->")[2] == "x_taps"


if __name__ == "__main__" and sys.argv[1:] == ["--update"]:
    everything = Repository()
    for path, content in pages(everything).items():
        (everything.root / path).write_text(content, encoding="utf-8")
        print(f"wrote {path}")
