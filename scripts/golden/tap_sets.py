# SPDX-License-Identifier: Apache-2.0
"""Which taps a golden stores, and why a tap of the catalogue (spec text 4) is not in it."""

import re

from cases import Case

LEAN_LAYER = """attn.q_rope attn.k_ctx attn.v_ctx attn.mix attn.residual ffn.down ffn.residual
moe.router_logits moe.topk_index moe.topk_weight moe.sum moe.combined ple.gate ple.residual
out""".split()
LEAN_MODEL = """text.ids text.positions text.embed_scaled text.embed text.ple.ids text.ple.token
text.ple.ctx text.ple.in text.mask.local text.mask.global text.final_norm text.logits_raw
text.logits""".split()
SLIM_CASES = ("text-short", "text-edges", "soft-short", "soft-double", "soft-audio")
SLIM_LAYER = ["attn.k_ctx", "attn.mix", "moe.topk_index", "moe.topk_weight", "out"]
DRAFT_STEPS = {"draft-hf": 2, "draft-std": 1}  # steps whose layers are stored
MEDIA_LAYER = ["attn.probs"]  # where a wrong block shows first
DRAFT_MODEL = ["text.ids", "text.final_norm", "text.logits"]
STEP = re.compile(r"^mtp\.step\.(\d+)\.layer\.")
LEAVES = re.compile(r"^text\.layer\.\d+\.(.*)$")

NOT_GIVEN = {
    "text.layer.{i}.cache.k": "transformers keeps W - 1 rows of sliding layers; see attn.k_ctx",
    "text.layer.{i}.cache.v": "transformers keeps W - 1 rows of sliding layers; see attn.v_ctx",
    "text.layer.{i}.cache.pos": "transformers stores no positions in its cache",
    "spec.round.{r}.position": "the oracle runs one draft, no rounds",
    "spec.round.{r}.drafted": "the oracle runs one draft, no rounds",
    "spec.round.{r}.accepted": "the oracle runs one draft, no rounds",
    "spec.round.{r}.bonus": "the oracle runs one draft, no rounds",
    "spec.round.{r}.kv_len": "the oracle runs one draft, no rounds",
}
NO_MEDIA_TAP = {
    "image.patches": "the case gives them",
    "audio.mel": "the case gives it",
    "image.resized": "not bytes in this profile",
    "video.patches": "frame by frame: image.patches of each run",
    "video.positions": "frame by frame: image.positions of each run",
}
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
FULL_ONLY_MODEL = """text.embed_rows text.ple.proj text.rope.local.cos text.rope.local.sin
text.rope.global.cos text.rope.global.sin""".split()
FULL_ONLY_LAYER = """in attn.norm_in attn.q_proj attn.q_norm attn.k_proj attn.v_proj attn.k_norm
attn.k_rope attn.v_norm attn.kv_source attn.scores attn.probs attn.o_proj attn.post_norm ffn.norm_in
ffn.gate ffn.up ffn.act ffn.mul moe.dense_norm moe.router_norm moe.router_in moe.router_probs
moe.topk_norm moe.norm_in moe.gate_up moe.expert_out moe.norm_out ffn.post_norm ple.mul ple.proj
ple.norm""".split()
ALL_LAYER = FULL_ONLY_LAYER + LEAN_LAYER
DRAFT_LAYER = (
    """in attn.norm_in attn.q_proj attn.q_norm attn.q_rope attn.kv_source attn.k_ctx attn.v_ctx
attn.scores attn.probs attn.mix attn.o_proj attn.post_norm attn.residual ffn.norm_in ffn.gate ffn.up
ffn.act ffn.mul ffn.down ffn.post_norm ffn.residual out""".split()
)


def layer_leaves(case: Case) -> list[str]:
    leaves = SLIM_LAYER if case.name in SLIM_CASES else LEAN_LAYER
    return leaves + (MEDIA_LAYER if "token_types" in case.data else [])


def pattern(name: str) -> str:
    """media.0.vision.layer.3.out to vision.layer.{i}.out, as the catalogue has it."""
    name = re.sub(r"^media\.\d+\.", "", name)
    name = re.sub(r"\.subsample\.\d+\.", ".subsample.{s}.", name)
    return re.sub(r"\.layer\.\d+\.", ".layer.{i}.", name)


def is_stored(case: Case, name: str) -> bool:
    if case.has_items:
        return any(re.fullmatch(kept, name) for kept in case.keep)
    if case.drafter:
        step = STEP.match(name)
        if step:
            return int(step.group(1)) < DRAFT_STEPS[case.name]
        return name.startswith("mtp.") or name in DRAFT_MODEL
    leaf = LEAVES.match(name)
    if case.full:
        return True
    return leaf.group(1) in layer_leaves(case) if leaf else name in LEAN_MODEL


def not_provided(case: Case, stored: dict, produced: dict) -> dict[str, str]:
    out = dict(NOT_GIVEN)
    if case.has_items:
        left = {pattern(name) for name in produced if name not in stored}
        out |= dict.fromkeys(sorted(left), "kept out of this smaller golden")
        return out | {k: v for k, v in NO_MEDIA_TAP.items() if k not in map(pattern, produced)}
    if case.full:
        return out
    kept = [] if case.drafter else layer_leaves(case)
    model = FULL_ONLY_MODEL + (LEAN_MODEL if case.drafter else [])
    names = model + ["text.layer.{i}." + leaf for leaf in ALL_LAYER if leaf not in kept]
    for name in names:
        if name not in stored:
            out[name] = "kept out of this smaller golden; see text-long of the same checkpoint"
    for step in range(DRAFT_STEPS.get(case.name, 3), 3):
        for leaf in DRAFT_LAYER:
            for layer in range(4):
                out[f"mtp.step.{step}.layer.{layer}.{leaf}"] = "kept out; see the first steps"
    return out
