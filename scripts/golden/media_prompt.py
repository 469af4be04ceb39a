# SPDX-License-Identifier: Apache-2.0
"""From text and items of media to the expanded prompt of a case.

A part of a prompt is a number (that many text tokens) or an Item. data["items"] is a JSON list with
run, kind, form, budget, num_frames, fps of each item; its arrays are item_{run}_{name}. The one
called `form` goes into the golden; others are what the oracle needs besides, because it decodes no
audio or video files.
"""

import json
import math
from dataclasses import dataclass, field

import numpy as np

import weights
from make_checkpoints import QUIET_ROW, TINY_ROW
from topologies import RELEASED_IDS, Topology, special_ids

TYPES = {"image": 1, "frame": 2, "video": 2, "audio": 3}


@dataclass
class Item:
    kind: str  # image, frame, audio, video
    form: str  # file, rgb, patches, samples, mel, rows
    arrays: dict
    rows: int  # soft tokens, of a video those of one frame
    facts: dict = field(default_factory=dict)

    @property
    def runs(self) -> int:
        return self.facts.get("num_frames", 1)


def text_ids(t: Topology, name: str, count: int) -> np.ndarray:
    """<bos>, then ordinary ids: neither pad nor a special one, which some ports treat otherwise."""
    first_special = special_ids(t.vocab)["boi"]
    u = weights.uniform(f"{t.name}/{name}/ids", count)
    ids = (5 + np.floor(u * (first_special - 5))).astype(np.int32)
    ids[0] = 2
    if count > 4:
        ids[2], ids[-2] = QUIET_ROW, TINY_ROW
    return ids


def soft_tokens(height: int, width: int, budget: int) -> int:
    """Spec multimodal 2.2 and 2.3."""
    factor = math.sqrt(2304 * budget / (height * width))
    high, wide = (math.floor(factor * side / 48) for side in (height, width))
    if high == 0:
        high, wide = 1, min(width // height, budget)
    elif wide == 0:
        high, wide = min(height // width, budget), 1
    return high * wide


def audio_tokens(samples: int, unified: bool, left: int = 160) -> int:
    if unified:
        return -(-samples // 640)
    frames = (samples + left - 321) // 160 + 1
    return -(-frames // 4)


def cut_image(values: np.ndarray, positions: np.ndarray, unified: bool = False) -> Item:
    count = int((positions[:, 0] >= 0).sum()) // (1 if unified else 9)
    return Item("image", "patches", {"patches": values, "positions": positions}, count)


def audio_clip(t: Topology, form: str, samples: np.ndarray, file=None, left: int = 160) -> Item:
    arrays = {"samples": samples} | ({"file": file} if form == "file" else {})
    return Item("audio", form, arrays, audio_tokens(len(samples), bool(t.unified), left))


def log_mel(values: np.ndarray, valid: int | None = None) -> Item:
    arrays, count = {"mel": values}, len(values) if valid is None else valid
    if valid is not None:
        arrays["mel_mask"] = (np.arange(len(values)) < valid).astype(np.int32)
    return Item("audio", "mel", arrays, -(-count // 4))


def prompt(t: Topology, name: str, parts: list) -> dict:
    special = RELEASED_IDS if t.released_ids else special_ids(t.vocab)
    ids, types, items = [], [], []
    arrays: dict = {}
    text = iter(text_ids(t, name, 64))
    run = 0

    def say(count: int) -> None:
        ids.extend(next(text) for _ in range(count))
        types.extend([0] * count)

    for part in parts:
        if isinstance(part, int):
            say(part)
            continue
        around = ("boa", "eoa") if part.kind == "audio" else ("boi", "eoi")
        inside = {1: "image", 2: "video", 3: "audio"}[TYPES[part.kind]]
        items.append({"run": run, "kind": part.kind, "form": part.form, **part.facts})
        arrays |= {f"item_{run}_{key}": value for key, value in part.arrays.items()}
        for frame in range(part.runs):
            if part.kind == "video":
                say(2)  # in place of its time stamp
            rows = [special[inside]] * part.rows
            marked = [] if t.released_ids else [special[side] for side in around]
            ids += [*marked[:1], *rows, *marked[1:]]
            types += [0] * len(marked[:1]) + [TYPES[part.kind]] * part.rows + [0] * len(marked[1:])
            run += 1
    return {
        "ids": np.array(ids, np.int32),
        "token_types": np.array(types, np.int32),
        "items": np.array(json.dumps(items)),
        **arrays,
    }
