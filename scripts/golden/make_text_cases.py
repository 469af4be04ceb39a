# SPDX-License-Identifier: Apache-2.0
"""Golden cases of the text around the network: python make_text_cases.py [--out DIR]

    tokenizer   ids and texts by the tokenizers library, small vocabulary of golden/tokenizer
    template    conversations rendered by the official template, third generation (facts kept in
                golden/prompting/renderings.jsonl), their ids by the tokenizers library
    parser      model turns whose parts are known because they were put together from them
    stop        answers that end, and look-alikes that do not

Each is one HDF5 file: /inputs/requests (JSON as bytes) and a discrete tap for every answer.
"""

import argparse
import json
from pathlib import Path

import h5py
import numpy as np
from tokenizers import Tokenizer

from small_vocabulary import SAMPLES

ROOT = Path(__file__).resolve().parents[2]
TOKENIZER = ROOT / "golden" / "tokenizer" / "tokenizer.json"
RENDERINGS = ROOT / "golden" / "prompting" / "renderings.jsonl"
VARIANTS = {"e2b-chat-tiny": "small", "12b-chat-tiny": "large"}
TEXTS = [
    "a", " ", "  ", "Hello", "Hello world", " Hello world", "Hello  world", "Hello world ", "\n",
    "\n\n", "\t\t", " \n", "\n ", "a\n\n\nb", "1234567", "3.14", "e\u0301", "\uff21", "\u00a0",
    "\u2581", "a\u2581b", "\U0001f600", "\U0001d518", "\x00", "\r\n", "<table>", "</s>", "<bos>Hi",
    "<eos>", "<|turn>user\nHi<turn|>\n", "<|think|>\n", "<unused0>", "<start_of_turn>user",
    "before <|image|> after", "<|image><|image|><|image|><image|>", "\n" * 33, "x" * 40,
    "[10, 20, 300, 400]", '<|tool_call>call:f{a:<|"|>x<|"|>}<tool_call|>',
]  # fmt: skip
D = '<|"|>'


def turn(text: str, reasoning: str = "", content: str = "", calls: list | None = None, **more):
    return text, {"reasoning": reasoning, "content": content, "calls": calls or []}, more


def call(name: str, **arguments) -> dict:
    return {"name": name, "arguments": arguments}


TURNS = [
    turn("Hello<turn|>", content="Hello"),
    turn("<|channel>thought\nplan<channel|>Hi<turn|>", "plan", "Hi"),
    turn("<|channel>thought\n<channel|>Hi<turn|>", "", "Hi"),
    turn("<|channel>thought\nabc", "abc"),
    turn("abc<channel|>d<turn|>", "abc", "d", in_thought=True),
    turn("thought\nis a word<turn|>", content="thought\nis a word"),
    turn(f"<|tool_call>call:get_weather{{location:{D}Paris{D}}}<tool_call|><|tool_response>",
         calls=[call("get_weather", location="Paris")]),
    turn("<|tool_call>call:a{}<tool_call|><|tool_call>call:b{x:1}<tool_call|><|tool_response>",
         calls=[call("a"), call("b", x=1)]),
    turn(f"<|tool_call>call:my-tool.v2{{p:{D}C:\\temp\\new{D},t:{D}a, {{b:1}}{D}}}<tool_call|>",
         calls=[call("my-tool.v2", p="C:\\temp\\new", t="a, {b:1}")]),
    turn(f"<|tool_call>call:f{{l:[1,-2.5,{D}a{D},[],true,null],m:{{k:{D}v{D}}}}}<tool_call|>",
         calls=[call("f", l=[1, -2.5, "a", [], True, None], m={"k": "v"})]),
    turn(f"<|channel>thought\nneed it<channel|><|tool_call>call:f{{q:{D}he said \"hi\"{D}}}"
         "<tool_call|><|tool_response>", "need it", calls=[call("f", q='he said "hi"')]),
    turn("a</s>b<turn|>c", content="a</s>b"),
]  # fmt: skip
ANSWERS = ["a<turn|>b", "a<|tool_response>b", "a<eos>b", "a</s>b", "ab", "<turn|>"]


def as_bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode() + b"\0", dtype=np.uint8).astype(np.int32)


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False).ids


def tokenizer_case(tokenizer: Tokenizer):
    requests, taps = [], {}
    for text in [*TEXTS, *SAMPLES]:
        ids = encode(tokenizer, text)
        taps[f"tok.{len(requests)}.ids"] = ids
        requests.append({"tokenize": text})
        taps[f"tok.{len(requests)}.text"] = as_bytes(tokenizer.decode(ids, False))
        requests.append({"decode": ids})
    return requests, taps


def template_case(tokenizer: Tokenizer, variant: str):
    requests, taps = [], {}
    for line in RENDERINGS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = row[variant]
        taps[f"tpl.{len(requests)}.text"] = as_bytes(text)
        taps[f"tpl.{len(requests)}.ids"] = encode(tokenizer, text)
        requests.append({"render": row["input"], "variant": variant})
    return requests, taps


def parser_case(tokenizer: Tokenizer):
    requests, taps = [], {}
    for text, parts, more in TURNS:
        number = len(requests)
        taps[f"parse.{number}.reasoning"] = as_bytes(parts["reasoning"])
        taps[f"parse.{number}.content"] = as_bytes(parts["content"])
        taps[f"parse.{number}.calls"] = as_bytes(json.dumps(parts["calls"], ensure_ascii=False))
        requests.append({"parse": encode(tokenizer, text)} | more)
    return requests, taps


def stop_case(tokenizer: Tokenizer):
    ends = {tokenizer.token_to_id(t) for t in ("<eos>", "<turn|>", "<|tool_response>")}
    requests, taps = [], {}
    for text in ANSWERS:
        ids = encode(tokenizer, text)
        length = next((i + 1 for i, token in enumerate(ids) if token in ends), len(ids))
        taps[f"stop.{len(requests)}.length"] = [length]
        requests.append({"stop": ids})
    return requests, taps


def write(path: Path, checkpoint: str, requests: list, taps: dict, oracle: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["format_version"] = 1
        file.attrs["checkpoint"] = checkpoint
        file.attrs["case"] = path.stem
        file.attrs["profile"] = "REF"
        file.attrs["oracle"] = oracle
        file.attrs["command"] = "scripts/golden/make_text_cases.py"
        data = np.frombuffer(json.dumps(requests, ensure_ascii=False).encode(), dtype=np.uint8)
        file.create_dataset("inputs/requests", data=data, compression="gzip")
        for name, values in taps.items():
            group = file.create_group(f"taps/{name}")
            group.create_dataset("value", data=np.asarray(values, dtype=np.int32))
            group.attrs["oracles"] = json.dumps([oracle])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "golden" / "cases")
    args = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    library = "tokenizers library"
    template = "official chat template of 2026-07-09"
    for checkpoint, variant in VARIANTS.items():
        folder = args.out / checkpoint
        cases = {
            "tokenizer": (*tokenizer_case(tokenizer), library),
            "template": (*template_case(tokenizer, variant), template),
            "parser": (*parser_case(tokenizer), "put together by hand"),
            "stop": (*stop_case(tokenizer), "generation_config of the released checkpoints"),
        }
        for name, (requests, taps, oracle) in cases.items():
            write(folder / f"{name}.h5", checkpoint, requests, taps, oracle)
            print(f"{checkpoint}/{name}: {len(requests)} requests, {len(taps)} taps")


if __name__ == "__main__":
    main()
