# SPDX-License-Identifier: Apache-2.0
"""The closed-form miniatures of spec multimodal, Appendix A, as checkpoints and as inputs.

Encoder tensors come from `fill`, tensor by tensor as the appendix numbers them; the small text
models around them, which the appendix leaves open, from weights.py.
"""

import math

import numpy as np

from topologies import Topology
from encoders import SIDES, Audio, Unified, Vision

SMALL = dict(vocab=40, ffn=24, heads=2, kv_heads=(1, 1), head_dim=(8, 12), window=6)
VISION = Topology(
    "miniature-vision", "gemma4", "F32", "SF", width=20,
    vision_encoder=Vision(24, 2, 12, 40, 2, 16, clips=True, standardize=True), **SMALL,
)  # fmt: skip
AUDIO = Topology(
    "miniature-audio", "gemma4", "F32", "SF", width=10, audio_encoder=Audio(16, 2, 2, 12), **SMALL
)
UNIFIED = Topology(
    "miniature-unified", "gemma4_unified", "F32", "SF", width=12, unified=Unified(8, width=16),
    **SMALL,
)  # fmt: skip
MINIATURES = (VISION, AUDIO, UNIFIED)

# The number of a tensor in its layer, its scale and its offset.
VISION_LAYER = {
    "input_layernorm.weight": (1, 0.3, 1.0),
    "self_attn.q_proj": (2, 0.35, 0.0),
    "self_attn.k_proj": (3, 0.35, 0.0),
    "self_attn.v_proj": (4, 0.35, 0.0),
    "self_attn.q_norm.weight": (5, 0.3, 1.0),
    "self_attn.k_norm.weight": (6, 0.3, 1.0),
    "self_attn.o_proj": (7, 0.35, 0.0),
    "post_attention_layernorm.weight": (8, 0.3, 1.0),
    "pre_feedforward_layernorm.weight": (9, 0.3, 1.0),
    "mlp.gate_proj": (10, 0.35, 0.0),
    "mlp.up_proj": (11, 0.35, 0.0),
    "mlp.down_proj": (12, 0.35, 0.0),
    "post_feedforward_layernorm.weight": (13, 0.3, 1.0),
}
AUDIO_LAYER = {
    "norm_pre_attn.weight": (10, 0.3, 1.0),
    "self_attn.q_proj": (11, 0.4, 0.0),
    "self_attn.k_proj": (12, 0.4, 0.0),
    "self_attn.v_proj": (13, 0.4, 0.0),
    "self_attn.per_dim_scale": (14, 1.5, -1.0),
    "self_attn.relative_k_proj.weight": (15, 0.4, 0.0),
    "self_attn.post": (16, 0.4, 0.0),
    "norm_post_attn.weight": (17, 0.3, 1.0),
    "lconv1d.pre_layer_norm.weight": (20, 0.3, 1.0),
    "lconv1d.linear_start": (21, 0.4, 0.0),
    "lconv1d.depthwise_conv1d.weight": (22, 0.5, 0.0),
    "lconv1d.conv_norm.weight": (23, 0.3, 1.0),
    "lconv1d.linear_end": (24, 0.4, 0.0),
    "norm_out.weight": (40, 0.3, 1.0),
} | {
    f"feed_forward{n}.{part}": (first + offset, *values)
    for n, first in ((1, 1), (2, 30))
    for offset, part, values in (
        (0, "pre_layer_norm.weight", (0.3, 1.0)),
        (1, "ffw_layer_1", (0.4, 0.0)),
        (2, "ffw_layer_2", (0.4, 0.0)),
        (3, "post_layer_norm.weight", (0.3, 1.0)),
    )
}
ONCE = {
    "model.vision_tower.patch_embedder.input_proj.weight": (2, 0.06, 0.0),
    "model.vision_tower.patch_embedder.position_embedding_table": (3, 0.3, 0.0),
    "model.vision_tower.std_bias": (50, 0.4, 0.0),
    "model.vision_tower.std_scale": (51, 0.3, 1.0),
    "model.audio_tower.subsample_conv_projection.layer0.conv.weight": (10, 0.3, 0.0),
    "model.audio_tower.subsample_conv_projection.layer0.norm.weight": (20, 0.3, 1.0),
    "model.audio_tower.subsample_conv_projection.layer1.conv.weight": (11, 0.04, 0.0),
    "model.audio_tower.subsample_conv_projection.layer1.norm.weight": (21, 0.3, 1.0),
    "model.audio_tower.subsample_conv_projection.input_proj_linear.weight": (30, 0.05, 0.0),
    "model.audio_tower.output_proj.weight": (90, 0.4, 0.0),
    "model.audio_tower.output_proj.bias": (91, 0.5, 0.0),
    "model.vision_embedder.patch_ln1.weight": (202, 0.3, 1.0),
    "model.vision_embedder.patch_ln1.bias": (203, 0.1, 0.0),
    "model.vision_embedder.patch_dense.weight": (204, 0.03, 0.0),
    "model.vision_embedder.patch_dense.bias": (205, 0.2, 0.0),
    "model.vision_embedder.patch_ln2.weight": (206, 0.3, 1.0),
    "model.vision_embedder.patch_ln2.bias": (207, 0.1, 0.0),
    "model.vision_embedder.pos_embedding": (208, 0.5, 0.0),
    "model.vision_embedder.pos_norm.weight": (209, 0.3, 1.0),
    "model.vision_embedder.pos_norm.bias": (210, 0.1, 0.0),
}
PROJECTORS = {  # of embed_vision and of embed_audio
    "miniature-vision": {"vision": (60, 0.3, 0.0)},
    "miniature-audio": {"audio": (92, 0.4, 0.0)},
    "miniature-unified": {"vision": (211, 0.3, 0.0), "audio": (222, 0.05, 0.0)},
}
GROUPS = {  # of clip bounds: which modules share them
    "vision": ("q_proj k_proj v_proj", "o_proj", "gate_proj up_proj", "down_proj"),
    "audio": ("ffw_layer_1", "ffw_layer_2", "q_proj k_proj v_proj", "post", "linear_start",
              "linear_end"),
}  # fmt: skip
LIMITS = {"vision": (-1.6, 1.5, -1.2, 1.1), "audio": (-1.9, 1.8, -1.5, 1.4)}


def fill(seed: int, shape: tuple[int, ...], scale: float, offset: float = 0.0) -> np.ndarray:
    """A.1: a hash of the flat index, in 32 bits; the value is rounded once."""
    index = np.arange(math.prod(shape), dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    a = (index * np.uint64(2654435761) + np.uint64(seed * 40503 + 12345)) & mask
    a ^= a >> np.uint64(15)
    a = (a * np.uint64(2246822519)) & mask
    a ^= a >> np.uint64(13)
    unit = 2 * (a >> np.uint64(8)).astype(np.float64) / 2.0**24 - 1
    return (offset + scale * unit).astype(np.float32).reshape(shape)


def clip_bound(kind: str, name: str) -> np.ndarray:
    """As a double: the appendix's numbers are made with it, a file rounds it to fp32."""
    module, side = name.rsplit(".", 1)
    leaf = module.rsplit(".", 1)[-1]
    group = next(g for g, leaves in enumerate(GROUPS[kind]) if leaf in leaves.split())
    limit = LIMITS[kind][SIDES.index(side)]
    return np.array(limit + math.copysign(0.1, limit) * group)


def tensor(t: Topology, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """An encoder tensor of a miniature."""
    kind = "vision" if "vision" in name else "audio"
    if name.endswith(SIDES):
        return clip_bound(kind, name)
    if name.endswith("embedding_projection.weight"):
        return fill_as(PROJECTORS[t.name][kind], shape)
    if name in ONCE:
        return fill_as(ONCE[name], shape)
    layer, leaf = name.split("layers.")[1].split(".", 1)
    table = VISION_LAYER if kind == "vision" else AUDIO_LAYER
    number, scale, offset = table[leaf.removesuffix(".linear.weight")]
    base = 100 * (int(layer) + 1) if kind == "vision" else 1000 + 100 * int(layer)
    return fill(base + number, shape, scale, offset)


def fill_as(entry: tuple[int, float, float], shape: tuple[int, ...]) -> np.ndarray:
    number, scale, offset = entry
    return fill(number, shape, scale, offset)


def pixels(wide: int, high: int) -> np.ndarray:
    return fill(1, (wide * high, 768), 0.5, 0.5)


def mel() -> np.ndarray:
    return fill(7, (62, 128), 3.0, -2.0)


def merged_patches() -> np.ndarray:
    return fill(201, (6, 6912), 0.5, 0.5)


def samples() -> np.ndarray:
    return fill(221, (1500,), 0.2)
