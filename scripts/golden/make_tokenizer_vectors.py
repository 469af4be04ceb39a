#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden/tables/tokenizer.json: what the tokenizers library makes of texts and id lists.

    make_tokenizer_vectors.py [--check]

The tokenizer is golden/tokenizer/tokenizer.json, a small vocabulary that is made like the released
one. Texts are chosen for what a tokenizer gets wrong, and others are drawn; of each the table has
the ids. Id lists are drawn, too, with many byte tokens among them; of each it has the text, with
control tokens and without.
"""

import json
import random
import sys
from pathlib import Path

import tokenizers

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
SMALL = GOLDEN / "tokenizer" / "tokenizer.json"
TABLE = GOLDEN / "tables" / "tokenizer.json"
SPACE = "\u2581"

CHOSEN = [
    "", "a", " ", "  ", "Hello", "Hello world", " Hello world", "Hello  world", "Hello world ",
    "\n", "\n\n", "\t", "\t\t", " \n", "\n ", "a\n\n\nb", "   indent", "\r\n", "\r", "\x00",
    "\x7f", "1234567", "3.14", "\u00a0", "\u200b", "\ufeff", SPACE, f"a{SPACE}b", f"{SPACE} {SPACE}",
    "\u4f60\u597d", "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8", "\u0967\u0968\u0969",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u0645\u0631\u062d\u0628\u0627",
    "\u00dcn\u00efc\u00f6d\u00e9", "\u00e9", "e\u0301", "\ufb01", "\uff21", "\U0001f600",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001d518", "\U0010ffff", "\ud7ff\ue000",
    "supercalifragilisticexpialidocious", "aaaaaaaa", "I'm you're", "It is 15 degrees.",
    "<table>", "</s>", "<unused0>", "[multimodal]", "<start_of_turn>user", "<0x41>", "<0x0A>",
    "<bos>Hi", "<eos>", "<|turn>user\nHi<turn|>\n", "<|think|>\n", "<|image|>", "<|image>",
    "<|turn>model\n<|channel>thought\n<channel|>", "before <|image|> after", "<|turn", "<|turn>>",
    "<|tool_call>call:f{a:<|\"|>x<|\"|>}<tool_call|>", "<<|turn>", "<|<|turn>", "< |turn>",
    "<bos><bos>", "<|image><|image|><image|>", "<|\"|", "<|\"|><|\"|>", "<|TURN>", "<\u2581bos>",
]  # fmt: skip
RUNS = [unit * n for unit in ("\n", " ", "\t", SPACE) for n in (7, 8, 9, 15, 16, 17, 33)]
LONG = ["Hello " * 50, "a" * 301, "\u00e9" * 40, "x\n" * 40, "ab " * 100, "\U0001f600" * 20]
ALPHABET = [
    *"abehlot .,:{}<|>\"'",
    "\n",
    "\t",
    "  ",
    SPACE,
    "\u00e9",
    "\u4f60",
    "\U0001f600",
    "\x00",
]


def drawn_texts(tokens: list[str], control: list[str]) -> list[str]:
    """Pieces of the vocabulary, control literals whole and cut, and characters, side by side."""
    chance = random.Random(20260402)
    texts = []
    for i in range(80):
        pools = [tokens, ALPHABET, control, [word[:-1] for word in control]]
        texts.append("".join(chance.choice(pools[chance.randrange(4)]) for _ in range(1 + i % 13)))
    return texts


def drawn_ids(size: int, byte_ids: list[int]) -> list[list[int]]:
    chance = random.Random(1618)
    rows: list[list[int]] = [[], [byte_ids[0]], byte_ids[0xF0:0xF4]]
    for i in range(45):
        pool = byte_ids[0x80:] if i % 3 else range(size)
        rows.append([chance.choice(pool) for _ in range(1 + i % 9)])
    for character in ("\u00e9", "\u4f60", "\U0001f600", "\U0001d518", "\ud7ff"):
        whole = [byte_ids[byte] for byte in character.encode()]
        plain = [chance.randrange(size) for _ in range(2)]
        rows += [whole, whole[:-1], [*whole, *whole[:1]], [plain[0], *whole, plain[1]]]
        rows.append([whole[0], byte_ids[0x41], *whole[1:]])
    for wrong in ("ed a0 80", "c0 af", "f4 90 80 80", "ff", "e2 28 a1", "41 e9 42"):
        rows.append([byte_ids[int(byte, 16)] for byte in wrong.split()])
    return rows


def table() -> dict:
    library = tokenizers.Tokenizer.from_file(str(SMALL))
    ids = library.get_vocab()
    tokens = sorted(ids, key=ids.get)
    control = [added.content for added in library.get_added_tokens_decoder().values()]
    texts = CHOSEN + RUNS + LONG + drawn_texts(tokens, control)
    rows = drawn_ids(len(tokens), [ids[f"<0x{byte:02X}>"] for byte in range(256)])
    return {
        "made_with": f"tokenizers {tokenizers.__version__}",
        "vocabulary": "golden/tokenizer/tokenizer.json",
        "encode": [[text, library.encode(text, add_special_tokens=False).ids] for text in texts],
        "decode": [
            [row, *(library.decode(row, skip_special_tokens=skip) for skip in (False, True))]
            for row in rows
        ],
    }


def written(content: dict) -> str:
    """A vector a line."""
    lines = []
    for key, value in content.items():
        text = json.dumps(value)
        if isinstance(value, list):
            text = "[\n" + ",\n".join("  " + json.dumps(row) for row in value) + "\n ]"
        lines.append(f' "{key}": {text}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    content = table()
    text = written(content)
    print(f"{len(content['encode'])} texts, {len(content['decode'])} id lists")
    if "--check" not in sys.argv[1:]:
        TABLE.write_text(text)
        return 0
    same = json.loads(TABLE.read_text()) == json.loads(text)
    print("the table is the same" if same else f"{TABLE}: differs")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
