# SPDX-License-Identifier: Apache-2.0
"""A small tokenizer.json, made like the released one: python small_vocabulary.py LIST OUT

LIST is the released vocabulary (token strings in id order joined by NUL, perhaps compressed by xz);
OUT gets the control tokens, all bytes, runs of white space, the printable ASCII characters and the
pieces that merging SAMPLES goes through, in the released order under ids of their own. The merges
follow from the list (spec prompting 1.4), so every sample is cut as the released tokenizer cuts it.
"""

import argparse
import json
import lzma
from pathlib import Path

CONTROL = [
    "<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<|tool>", "<tool|>", "<|tool_call>",
    "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>', "<|think|>", "<|channel>",
    "<channel|>", "<|turn>", "<turn|>", "<|image>", "<|audio>", "<|image|>", "<|audio|>",
    "<image|>", "<audio|>", "<|video|>",
]  # fmt: skip
SPACE = "\u2581"
SAMPLES = [
    "user\n", "model\n", "system\n", "thought\n", "call:", "response:", "declaration:",
    "description:", "parameters:", "properties:", "required:", "type:", "STRING", "OBJECT",
    "true", "false", "null", "Hello world", "What is in this picture?", "Describe the sound.",
    "You are a helpful assistant.", "The weather in Paris is", "get_weather", "location",
    "   indent", "supercalifragilisticexpialidocious", "aaaaaaaa", "It is 15 degrees.",
    "<table>", "</s>", "<unused0>", "Привет, мир!", "日本語のテキスト", "Ünïcödé", "I'm you're",
]  # fmt: skip


def read_list(path: Path) -> list[str]:
    data = path.read_bytes()
    if data[:6] == b"\xfd7zXZ\0":
        data = lzma.decompress(data)
    return data.decode().split("\0")


def is_run(token: str) -> bool:
    return len(set(token)) == 1 and token[0] in "\n\t" + SPACE


def rebuild_merges(tokens: list[str]) -> list[tuple[str, str]]:
    ids = {token: i for i, token in enumerate(tokens)}
    first_piece = ids["<0xFF>"] + 1
    splits = []
    for token, i in ids.items():
        score = 0 if is_run(token) else first_piece - i
        halves = [(token[:k], token[k:]) for k in range(1, len(token))]
        known = [(left, right) for left, right in halves if left in ids and right in ids]
        known.sort(key=lambda pair: (ids[pair[0]], ids[pair[1]]))
        splits += [(score, len(left), len(right), left, right) for left, right in known]
    splits.sort(key=lambda split: split[:3], reverse=True)  # stable
    return [(left, right) for *_, left, right in splits]


def pieces_of(text: str, ids: dict[str, int], ranks: dict[tuple[str, str], int]) -> set[str]:
    """Every symbol that merging a text goes through."""
    symbols = list(text.replace(" ", SPACE))
    seen = {s for s in symbols if s in ids}
    while True:
        pairs = list(zip(symbols, symbols[1:]))
        best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)), default=None)
        if best not in ranks:
            return seen
        at = pairs.index(best)
        symbols[at : at + 2] = ["".join(best)]
        seen.add(symbols[at])


def choose(tokens: list[str]) -> list[str]:
    ids = {token: i for i, token in enumerate(tokens)}
    ranks = {pair: i for i, pair in enumerate(rebuild_merges(tokens))}
    kept = {ids[token] for token in CONTROL}
    kept |= {ids[f"<0x{byte:02X}>"] for byte in range(256)}
    kept |= {ids[unit * n] for unit in ("\n", "\t", SPACE) for n in range(1, 9)}
    kept |= {ids[chr(c)] for c in range(0x21, 0x7F)}
    for sample in SAMPLES:
        kept |= {ids[piece] for piece in pieces_of(sample, ids, ranks)}
    return [tokens[i] for i in sorted(kept)]


def tokenizer_json(tokens: list[str]) -> dict:
    ids = {token: i for i, token in enumerate(tokens)}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    sequence = [{"Sequence": {"id": name, "type_id": i}} for i, name in enumerate("AB")]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": ids[token], "content": token, **flags, "special": True}
            for token in sorted(CONTROL, key=ids.get)
        ],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"String": " "},
            "behavior": "MergedWithPrevious",
            "invert": False,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": sequence[:1],
            "pair": sequence,
            "special_tokens": {},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": ids,
            "merges": rebuild_merges(tokens),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    tokens = choose(read_list(args.list))
    text = json.dumps(tokenizer_json(tokens), ensure_ascii=False, indent=1)
    args.out.write_text(text + "\n", encoding="utf-8")
    print(f"{args.out}: {len(tokens)} tokens")


if __name__ == "__main__":
    main()
