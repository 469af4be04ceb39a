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
MEDIA_LAYER = ["attn.probs"]  # where a wrong block shows first
DRAFT_MODEL = ["text.ids", "text.final_norm", "text.logits"]
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
FULL_ONLY_MODEL = """text.embed_rows text.ple.proj text.rope.local.cos text.rope.local.sin
text.rope.global.cos text.rope.global.sin""".split()
FULL_ONLY_LAYER = """in attn.norm_in attn.q_proj attn.q_norm attn.k_proj attn.v_proj attn.k_norm
attn.k_rope attn.v_norm attn.kv_source attn.scores attn.probs attn.o_proj attn.post_norm ffn.norm_in
ffn.gate ffn.up ffn.act ffn.mul moe.dense_norm moe.router_norm moe.router_in moe.router_probs
moe.topk_norm moe.norm_in moe.gate_up moe.expert_out moe.norm_out ffn.post_norm ple.mul ple.proj
ple.norm""".split()


def is_stored(case: Case, name: str) -> bool:
    if name.startswith(("text.mask.", "mask.")) and case.drafter:
        return False
    if case.full or name.startswith("mtp."):
        return True
    if case.drafter:
        return name in DRAFT_MODEL
    leaf = LEAVES.match(name)
    if not leaf:
        return name in LEAN_MODEL
    media = "token_types" in case.data
    return leaf.group(1) in LEAN_LAYER or (media and leaf.group(1) in MEDIA_LAYER)


def not_provided(case: Case, stored: dict) -> dict[str, str]:
    out = dict(NOT_GIVEN)
    if case.full:
        return out
    layer = FULL_ONLY_LAYER + (LEAN_LAYER if case.drafter else [])
    model = FULL_ONLY_MODEL + (LEAN_MODEL if case.drafter else [])
    reason = "kept out of this smaller golden; see text-long of the same checkpoint"
    for name in model + ["text.layer.{i}." + leaf for leaf in layer]:
        concrete = re.compile(re.escape(name).replace(r"\{i\}", r"\d+") + "$")
        if not any(concrete.match(tap) for tap in stored):
            out[name] = reason
    return out
