# SPDX-License-Identifier: Apache-2.0
"""Proves the fp64 oracle of the encoders: the miniatures of spec multimodal, Appendix A.

python check_miniatures.py

All 119 printed rows to half a unit of their sixth digit. The printed variants (no clipping, no
standardisation, another grid, 13 keys, projection before norm) were rounded elsewhere and are held
to 5e-6; padding must change nothing.
"""

import json
import math
import sys
from dataclasses import replace

import numpy as np
import torch

import hf_media
import hf_model
import make_checkpoints
import miniatures
from check_tables import TABLES, Tally
from media_inputs import grid
from media_prompt import cut_image, log_mel
from topologies import Topology, config_json

VARIANT = 5e-6


def build(t: Topology):
    tensors = {
        name: make_checkpoints.make_tensor(t, name, shape)
        for name, shape in make_checkpoints.text_shapes(t, t.prefix).items()
    }
    named = next(m for m in miniatures.MINIATURES if m.name == t.name)
    for name, shape in make_checkpoints.encoder_shapes(t).items():
        tensors[name] = miniatures.tensor(named, name, shape)
    return hf_model.build(config_json(t), tensors, "eager")


def taps_of(t: Topology, kind: str, arrays: dict, switches: dict | None = None) -> dict:
    encoders = hf_media.Encoders(build(t), switches or {}, "f64", False)
    encoders.encode({"kind": kind, "run": 0, **arrays})
    return {name.removeprefix("media.0."): value for name, value in encoders.taps.items()}


def half_unit(printed: float) -> float:
    """Of the sixth significant digit."""
    return 0.5 * 10.0 ** (math.floor(math.log10(abs(printed))) - 5) if printed else 1e-9


def check_row(tally: Tally, where: str, values: np.ndarray, printed: dict) -> None:
    flat = values.reshape(-1)
    pairs = list(zip(flat, printed["first"]))
    pairs += [(flat[-1], printed["last"])] if "last" in printed else []
    pairs += [(np.linalg.norm(flat), printed["l2"])]
    for place, (got, expected) in enumerate(pairs):
        allowed = half_unit(expected) if printed["tap"] == where else VARIANT
        tally.number(f"{where} number {place}", float(got), expected, allowed)
    tally.equal(f"{where} shape", list(values.shape), printed["shape"])


def check_vision(tally: Tally, table: dict) -> int:
    t = miniatures.VISION
    image = cut_image(miniatures.pixels(6, 3), grid(6, 3)).arrays
    taps = taps_of(t, "image", image)
    for printed in table["encoder"]:
        check_row(tally, printed["tap"], taps[printed["tap"]], printed)
    plain = replace(t, vision_encoder=replace(t.vision_encoder, clips=False))
    raw = replace(t, vision_encoder=replace(t.vision_encoder, standardize=False))
    wide = cut_image(miniatures.pixels(9, 6), grid(9, 6)).arrays
    cases = {"clipping_off": (plain, image), "standardize_off": (raw, image)}
    for name, (topology, arrays) in (cases | {"grid_9x6": (t, wide)}).items():
        other = taps_of(topology, "image", arrays)
        check_row(tally, name, other["vision.embed.out"], table[name][0])
    padded = np.concatenate([image["patches"], np.zeros((9, 768), np.float32)])
    other = taps_of(t, "image", {"patches": padded, "positions": grid(6, 3, padding=9)})
    difference = max(np.abs(other[n] - taps[n]).max() for n in taps if n.startswith("vision."))
    tally.number("vision with padding", float(difference), 0.0, 1e-12)
    return len(table["encoder"])


def check_audio(tally: Tally, table: dict) -> int:
    t, heard = miniatures.AUDIO, log_mel(miniatures.mel()).arrays
    taps = taps_of(t, "audio", heard)
    taps["audio.mel"] = heard["mel"].astype(np.float64)
    for printed in table["encoder"]:
        check_row(tally, printed["tap"], taps[printed["tap"]], printed)
    printed, out = table["variants"], taps["audio.embed.out"]
    longer = taps_of(t, "audio", heard, {"audio.window_keys": "13"})["audio.embed.out"]
    turned = taps_of(t, "audio", heard, {"audio.embed_order": "proj_norm"})["audio.embed.out"]
    row = printed["row"]
    rows = [(out[row], "keys_12"), (longer[row], "keys_13"), (turned[0], "project_then_norm")]
    for values, name in rows:
        for got, expected in zip(values, printed[name]):
            tally.number(name, float(got), expected, VARIANT)
    for values, name in ((longer, "keys_13_l2"), (turned, "project_then_norm_l2")):
        tally.number(name, float(np.linalg.norm(values)), printed[name], VARIANT)
    tally.number("13 keys, first rows", float(np.abs(longer - out)[:row].max()), 0.0, 1e-12)
    padded = log_mel(np.pad(heard["mel"], ((0, 10), (0, 0))), 62).arrays
    other = taps_of(t, "audio", padded)["audio.embed.out"]
    tally.number("audio with padding", float(np.abs(other - out).max()), 0.0, 1e-12)
    return len(table["encoder"])


def check_unified(tally: Tally, vision: list, audio: list) -> int:
    t = miniatures.UNIFIED
    image = cut_image(miniatures.merged_patches(), grid(3, 2), True).arrays
    taps = taps_of(t, "image", image) | taps_of(t, "audio", {"samples": miniatures.samples()})
    for printed in vision + audio:
        check_row(tally, printed["tap"], taps[printed["tap"]], printed)
    return len(vision + audio)


def main() -> int:
    hf_model.set_precision("f64")
    tally = Tally()
    vision, audio = (
        json.loads((TABLES / f"{kind}_miniature.json").read_text()) for kind in ("vision", "audio")
    )
    with torch.no_grad():
        rows = check_vision(tally, vision) + check_audio(tally, audio)
        rows += check_unified(tally, vision["unified"], audio["unified"])
    print(f"miniatures: {rows} rows, {tally.numbers} numbers, {tally.wrong} wrong, "
          f"worst {tally.worst:.3f} half units of the sixth digit")  # fmt: skip
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
