# SPDX-License-Identifier: Apache-2.0
"""The cases: what each checkpoint is asked. A case is a dict of arrays (see oracle_hf.py)."""

import numpy as np

import weights
from case import Case
from make_checkpoints import QUIET_ROW, TINY_ROW
from media_cases import all_media_cases
from media_prompt import text_ids
from quantised import QUANTISED
from topologies import DRAFTERS, TEXT_TARGETS, Topology, special_ids

TYPES = {"image": 1, "frame": 2, "audio": 3}


def text_case(t: Topology, name: str, count: int, full: bool, decode_from: int = 0) -> Case:
    data: dict = {"ids": text_ids(t, name, count)}
    if decode_from:
        data["decode_from"] = np.array(decode_from, np.int32)
    return Case(t.name, name, data, full)


def edge_case(t: Topology) -> Case:
    """The first and the last rows of the tables, and every special id that is no placeholder."""
    special = special_ids(t.vocab)
    ids = [
        2,
        1,
        3,
        4,
        t.vocab - 1,
        special["boi"],
        special["eoa"],
        t.vocab - 2,
        QUIET_ROW,
        TINY_ROW,
    ]
    return Case(t.name, "text-edges", {"ids": np.array(ids, np.int32)}, False)


def soft_case(t: Topology, name: str, items: list, full: bool, decode: int = 0) -> Case:
    """items: numbers (that many text tokens) and (kind, rows) with its begin and end tokens."""
    special, ids, types, kinds, soft = special_ids(t.vocab), [], [], [], []
    text = iter(text_ids(t, name, 40))
    for item in items:
        if isinstance(item, int):
            ids += [next(text) for _ in range(item)]
            types += [0] * item
            continue
        kind, rows = item
        around = ("boa", "eoa") if kind == "audio" else ("boi", "eoi")
        inside = {"image": "image", "frame": "video", "audio": "audio"}[kind]
        ids += [special[around[0]], *[special[inside]] * rows, special[around[1]]]
        types += [0, *[TYPES[kind]] * rows, 0]
        stream = f"{t.name}/{name}/soft.{len(soft)}"
        soft.append(weights.generate(stream, (rows, t.width), -1.7, 1.7))
        kinds.append(kind)
    data: dict = {"ids": np.array(ids, np.int32), "token_types": np.array(types, np.int32)}
    data |= {f"soft_{k}": vectors for k, vectors in enumerate(soft)}
    data["kinds"] = np.array(kinds)
    if decode:
        data["decode_from"] = np.array(len(ids) - decode, np.int32)
    return Case(t.name, name, data, full)


def draft_case(t: Topology, window: str, token: int = 11) -> Case:
    data = text_case(t, "draft", 2 * t.window + 3, False).data
    data |= {"draft_token": np.array(token, np.int32), "draft_steps": np.array(3, np.int32)}
    data["draft_window"] = np.array(window)
    return Case(t.name, f"draft-{window}", data, False, drafter=t.name + "-drafter")


def text_cases(t: Topology) -> list[Case]:
    long = 2 * t.window + 3
    return [
        text_case(t, "text-short", t.window - 1, False),
        text_case(t, "text-long", long, True),
        text_case(t, "text-decode", long + 1, False, decode_from=t.window + 1),
        edge_case(t),
    ]


def soft_cases(t: Topology) -> list[Case]:
    w = t.window
    cases = [
        soft_case(t, "soft-short", [2, ("image", w - 1), 1], False),
        soft_case(t, "soft-long", [1, ("image", w + 2), 1], False),
        soft_case(t, "soft-double", [1, ("image", w), 0, ("image", 2), ("frame", 3), 1], False),
        soft_case(t, "soft-decode", [2, ("image", w + 1), 4], False, decode=3),
    ]
    if t.ple or "unified" in t.model_type:
        cases.append(soft_case(t, "soft-audio", [2, ("audio", w + 1), 1, ("image", 2), 1], False))
    return cases


def quantised_cases() -> list[Case]:
    return [
        text_case(t, "text-blocks", 2 * t.window + 1, False, decode_from=t.window + 2)
        for t in (q.topology for q in QUANTISED.values())
    ]


def all_cases() -> list[Case]:
    cases: list[Case] = []
    for t in TEXT_TARGETS:
        cases += text_cases(t)
        if not t.model_type.endswith("_text"):
            cases += soft_cases(t)
        if t.name + "-drafter" in DRAFTERS:
            cases += [draft_case(t, "hf"), draft_case(t, "std")]
    return cases + quantised_cases() + all_media_cases()
