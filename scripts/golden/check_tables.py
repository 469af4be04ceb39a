# SPDX-License-Identifier: Apache-2.0
"""Proves the fp64 oracle: TINY-A, -B, -C of spec text B.2 against golden/tables.

python check_tables.py

Every printed number must be right to half a unit of its last digit; a single fp32 cast left in the
oracle would move it. Prompts, soft-token embeddings, decode steps and both drafters are run.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

import hf_drafter
import hf_model
import make_checkpoints
import oracle_hf
import weights
from topologies import Drafter, Topology, config_json, drafter_config_json, drafter_text_topology

TABLES = Path(__file__).resolve().parents[2] / "golden" / "tables"
COMMON = dict(vocab=40, width=16, ffn=24, heads=4, head_dim=(8, 16), window=4)
LARGE = dict(kv_heads=(2, 1), k_eq_v=True, vision=True)
TINY = {
    "a": Topology("A", "gemma4", "F32", "SSFSSF", kv_heads=(1, 1), ple=4, shared=3,
                  double_wide=True, **COMMON),
    "b": Topology("B", "gemma4", "F32", "SSF", moe=(8, 2, 6), **LARGE, **COMMON),
    "c": Topology("C", "gemma4", "F32", "SSF", **LARGE, **COMMON),
}  # fmt: skip
DRAFTERS = {
    "a": Drafter(TINY["a"], 8, 12, 2, "F32", (10, 3)),
    "c": Drafter(TINY["c"], 8, 12, 2, "F32"),
}
PLACEHOLDER = 258880  # outside the vocabulary of 40, as the defaults are
SLACK = 1.02  # half a unit of the last digit, and the rounding of the comparison itself


def tiny_tensors(t: Topology) -> dict[str, np.ndarray]:
    """The names that seed the generator have the prefix `model.`, whatever the file's prefix is."""
    shapes = make_checkpoints.text_shapes(t, "")
    return {t.prefix + n: weights.tensor("model." + n, s) for n, s in shapes.items()}


def drafter_tensors(d: Drafter) -> dict[str, np.ndarray]:
    t = drafter_text_topology(d)
    shapes = make_checkpoints.text_shapes(t, "model.")
    shapes["pre_projection.weight"] = (d.width, 2 * d.target.width)
    shapes["post_projection.weight"] = (d.target.width, d.width)
    if d.centroids:
        shapes["masked_embedding.centroids.weight"] = (d.centroids[0], d.width)
    out = {n: weights.tensor("drafter." + n, s) for n, s in shapes.items()}
    if d.centroids:
        out["masked_embedding.token_ordering"] = (7 * np.arange(t.vocab) + 3) % t.vocab
    return out


def load_from_memory(model, attention: str):
    """Stands in for hf_model.load: a Topology or a Drafter instead of a folder."""
    if isinstance(model, Drafter):
        return hf_model.build(drafter_config_json(model), drafter_tensors(model), attention)
    config = config_json(model)
    for offset, kind in enumerate(("image", "video", "audio")):
        config[f"{kind}_token_id"] = PLACEHOLDER + offset
    return hf_model.build(config, tiny_tensors(model), attention)


def multimodal_case(table: dict, width: int) -> dict:
    ids = table["ids"] + table.get("decode_ids", [11, 19])
    types = np.array([int(i is None) for i in ids], np.int32)
    positions = np.nonzero(types)[0]
    soft = np.stack([weights.tensor(f"soft.{p}", (width,)) for p in positions])
    ids = np.array([PLACEHOLDER if i is None else i for i in ids], np.int32)
    return {"ids": ids, "token_types": types, "soft_0": soft, "kinds": np.array(["image"]),
            "decode_from": np.array(len(table["ids"]))}  # fmt: skip


def run_target(letter: str, case: dict):
    target = oracle_hf.Target(TINY[letter], "eager")
    taps = target.run(case, 0, False)
    target.recorder.close()
    return target, taps


class Tally:
    def __init__(self):
        self.numbers, self.wrong, self.worst = 0, 0, 0.0

    def number(self, where: str, got: float, printed: float, half_unit: float) -> None:
        error = abs(got - printed) / half_unit
        self.numbers, self.worst = self.numbers + 1, max(self.worst, error)
        if not error <= SLACK:
            self.wrong += 1
            print(f"{where}: got {got!r}, expected {printed}")

    def row(self, where: str, values: np.ndarray, printed: dict) -> None:
        flat = values.reshape(-1)
        if "value" in printed:
            self.number(where, float(not np.array_equal(flat, printed["value"])), 0.0, 0.5)
            return
        for element, expected in enumerate(printed["first"]):
            if expected is not None:
                self.number(f"{where}[{element}]", float(flat[element]), expected, 5e-8)
        self.number(f"{where}[-1]", float(flat[-1]), printed["last"], 5e-8)
        self.number(f"{where} sum", float(flat.sum()), printed["sum"], 5e-7)
        self.number(f"{where} l2", float(np.linalg.norm(flat)), printed["l2"], 5e-7)

    def equal(self, where: str, got: list, expected: list) -> None:
        self.number(where, float(list(got) != list(expected)), 0.0, 0.5)


def check_section(tally: Tally, name: str, table: dict, taps: dict) -> None:
    for printed in table["taps"]:
        row = taps[printed["tap"]][printed["position"]]
        tally.row(f"{name} {printed['tap']}@{printed['position']}", row, printed)
    choices = taps["text.logits"].argmax(axis=1)[: len(table["argmax"])]
    tally.equal(f"{name} argmax", choices.tolist(), table["argmax"])


def check_drafter(tally: Tally, letter: str, table: dict, ids: list[int]) -> None:
    for window in ("std", "hf"):
        target, _ = run_target(letter, {"ids": np.array(ids, np.int32)})
        case = {"ids": np.array(ids), "draft_token": table["token"], "draft_steps": 3}
        taps = hf_drafter.run(target, DRAFTERS[letter], case | {"draft_window": window}, "eager")
        drafted = [int(taps[f"mtp.step.{s}.token"][0]) for s in range(3)]
        tally.equal(f"{letter} drafted {window}", drafted, table[f"drafted_tokens_{window}"])
        for printed in table["taps"]:
            if printed["window"] in (window, "any"):
                where = f"{letter} {printed['tap']} {window}"
                tally.row(where, taps[printed["tap"]], printed)


def main() -> int:
    hf_model.set_precision("f64")
    hf_model.load = load_from_memory
    tally = Tally()
    with torch.no_grad():
        for letter, t in TINY.items():
            table = json.loads((TABLES / f"tiny_{letter}.json").read_text())
            ids = table["text"]["ids"]
            _, taps = run_target(letter, {"ids": np.array(ids, np.int32)})
            check_section(tally, letter + " text", table["text"], taps)
            _, taps = run_target(letter, multimodal_case(table["multimodal"], t.width))
            check_section(tally, letter + " multimodal", table["multimodal"], taps)
            if "drafter" in table:
                check_drafter(tally, letter, table["drafter"], ids)
    print(f"tables: {tally.numbers} numbers, {tally.wrong} wrong, "
          f"worst {tally.worst:.3f} half units of the last digit")  # fmt: skip
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
