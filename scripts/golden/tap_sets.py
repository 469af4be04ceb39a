# SPDX-License-Identifier: Apache-2.0
"""Which taps a golden stores, and why a tap of the catalogue (spec text 4) is not in it."""

import re
import sys
from pathlib import Path

from cases import Case

sys.path.append(str(Path(__file__).resolve().parents[1]))
from catalogue import TAPS, pattern  # noqa: E402

SLIM_CASES = ("text-short", "text-edges", "soft-short", "soft-double", "soft-audio", "text-blocks")
DRAFT_STEPS = {"draft-hf": 2, "draft-std": 1}  # steps whose layers are stored
STEP = re.compile(r"^mtp\.step\.(\d+)\.layer\.")
LAYER = "text.layer.{i}."

SWITCHED = {  # how transformers was made to follow a profile other than REF
    "audio.window_keys": "its mask function given one key more",
    "audio.embed_order": "its projection called before its norm",
    "audio.hann": "its filters in NumPy after the other window",
    "audio.left_pad": "its window and filters in NumPy without the zeros",
    "audio.log_floor": "its window and filters in NumPy, then the maximum",
    "image.resample": "bicubic weights in NumPy fp64 without rounding",
    "vision.pad_mask": "1 for pairs of real patches in place of its mask",
    "text.vision_mask": "given the masks",
}


def in_smaller(case: Case, name: str) -> bool:
    """Whether a golden that does not store all stores a tap of the text model."""
    sets = {"draft"} if case.drafter else {"slim" if case.name in SLIM_CASES else "lean"}
    if "token_types" in case.data:
        sets.add("media")  # where a wrong block shows first
    return not sets.isdisjoint(TAPS[pattern(name)].get("golden", "").split())


def is_stored(case: Case, name: str) -> bool:
    if case.has_items:
        return any(re.fullmatch(kept, name) for kept in case.keep)
    if case.drafter and name.startswith("mtp."):
        step = STEP.match(name)
        return step is None or int(step.group(1)) < DRAFT_STEPS[case.name]
    return case.full or in_smaller(case, name)


def not_given(produced: set[str], of_items: bool) -> dict[str, str]:
    """Taps that no golden has, with the reason; of media those that this case lacks."""
    return {
        name: row["absent"]
        for name, row in TAPS.items()
        if "absent" in row and (row["stage"] != "media" or of_items and name not in produced)
    }


def not_provided(case: Case, stored: dict, produced: dict) -> dict[str, str]:
    out = not_given({pattern(name) for name in produced}, case.has_items)
    if case.has_items:
        left = {pattern(name) for name in produced if name not in stored}
        return dict.fromkeys(sorted(left), "kept out of this smaller golden") | out
    if case.full:
        return out
    text = [n for n, row in TAPS.items() if row["section"] == "text" and "absent" not in row]
    for name in text:
        asked = TAPS[name].get("when") != "media_prompt" and not in_smaller(case, name)
        if asked and name not in stored:
            out[name] = "kept out of this smaller golden; see text-long of the same checkpoint"
    for step in range(DRAFT_STEPS.get(case.name, 3), 3):
        for leaf in [n.removeprefix(LAYER) for n in text if n.startswith(LAYER)]:
            if "when" not in TAPS[LAYER + leaf]:
                for layer in range(4):
                    out[f"mtp.step.{step}.layer.{layer}.{leaf}"] = "kept out; see the first steps"
    return out
