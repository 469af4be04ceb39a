# SPDX-License-Identifier: Apache-2.0
"""Tiny checkpoints that `assay run` can talk to: python make_chat_checkpoints.py [--out DIR]

e2b-chat-tiny (with a drafter) and 12b-chat-tiny: encoders, a small vocabulary with every control
token under ids of its own, tokenizer.json, generation_config.json. Their answers are noise: only the
way from a prompt to an answer is looked at.
"""

import argparse
import dataclasses
import json
import shutil
from pathlib import Path

import make_checkpoints
from topologies import TARGETS, Drafter

ROOT = Path(__file__).resolve().parents[2]
TOKENIZER = ROOT / "golden" / "tokenizer" / "tokenizer.json"
ROLES = {
    "boi_token_id": "<|image>",
    "eoi_token_id": "<image|>",
    "image_token_id": "<|image|>",
    "video_token_id": "<|video|>",
    "boa_token_id": "<|audio>",
    "eoa_token_id": "<audio|>",
    "eoa_token_index": "<audio|>",
    "audio_token_id": "<|audio|>",
}


def edit_json(path: Path, changes: dict) -> None:
    value = json.loads(path.read_text()) if path.exists() else {}
    make_checkpoints.write_json(path, value | changes)


def add_text_files(folder: Path, ids: dict[str, int], unified: bool) -> None:
    shutil.copy(TOKENIZER, folder / "tokenizer.json")
    edit_json(folder / "config.json", {key: ids[token] for key, token in ROLES.items()})
    stop = [ids["<eos>"], ids["<turn|>"], ids["<|tool_response>"]]
    generation = {
        "bos_token_id": ids["<bos>"],
        "do_sample": True,
        "eos_token_id": stop,
        "pad_token_id": ids["<pad>"],
        "temperature": 1.0,
        "top_k": 64,
        "top_p": 0.95,
    }
    if unified:
        generation["suppress_tokens"] = [ids["<audio|>"], ids["<image|>"]]
    edit_json(folder / "generation_config.json", generation)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "golden" / "checkpoints")
    args = parser.parse_args()
    ids = json.loads(TOKENIZER.read_text(encoding="utf-8"))["model"]["vocab"]
    for size in ("e2b", "12b"):
        base = TARGETS[f"{size}-media-tiny"]
        target = dataclasses.replace(base, name=f"{size}-chat-tiny", vocab=len(ids))
        make_checkpoints.write_target(target, args.out)
        add_text_files(args.out / target.name, ids, target.unified is not None)
        if size == "e2b":
            drafter = Drafter(target, 20, 24, 2, "BF16")
            make_checkpoints.write_drafter(drafter, args.out)
    for folder in sorted(args.out.glob("*-chat-tiny*")):
        print(folder.name, sum(path.stat().st_size for path in folder.iterdir()), "bytes")


if __name__ == "__main__":
    main()
