# SPDX-License-Identifier: Apache-2.0
"""The closed-form weight generator of spec text B.1: identical bits in C++ and in Python.

s = FNV-1a64(name);  z_j = splitmix64_finaliser(s + (j + 1) * 0x9E3779B97F4A7C15)
u_j = floor(z_j / 2^11) * 2^-53;  value_j = float32(lo + (hi - lo) * u_j)
"""

import math

import numpy as np

GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)

ENCODERS = (
    "model.vision_tower.",
    "model.vision_embedder.",
    "model.embed_vision.",
    "model.audio_tower.",
    "model.embed_audio.",
)
ENCODER_BOUNDS = {  # by the end of the name
    ".input_min": (-2.6, -2.2),
    ".input_max": (2.0, 2.4),
    ".output_min": (-2.2, -1.8),
    ".output_max": (1.6, 2.0),
    ".per_dim_scale": (-5.0, -2.0),
    ".std_bias": (-20.0, 20.0),
    ".std_scale": (0.8, 1.2),
    ".bias": (-0.5, 0.5),
    ".position_embedding_table": (-0.25, 0.25),
    ".pos_embedding": (-0.25, 0.25),
    ".self_attn.q_norm.weight": (0.25, 0.75),
}
SMALL_BOUNDS = {  # what comes out of a mean over many values, or out of an activation, is small
    ".o_proj.": 0.25,
    ".post.": 0.25,
    ".down_proj.": 0.5,
    ".ffw_layer_2.": 0.5,
    ".linear_end.": 0.5,
}


def fnv1a64(name: str) -> int:
    value = 0xCBF29CE484222325
    for byte in name.encode("ascii"):
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def uniform(name: str, count: int) -> np.ndarray:
    """The first `count` numbers u in [0, 1) of the stream that belongs to `name`, as float64."""
    index = np.arange(1, count + 1, dtype=np.uint64)
    z = np.uint64(fnv1a64(name)) + index * GOLDEN_GAMMA  # wraps modulo 2^64
    z ^= z >> np.uint64(30)
    z *= MIX_1
    z ^= z >> np.uint64(27)
    z *= MIX_2
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def generate(name: str, shape: tuple[int, ...], lo: float, hi: float) -> np.ndarray:
    u = uniform(name, math.prod(shape))
    return (lo + (hi - lo) * u).astype(np.float32).reshape(shape)


def encoder_bounds(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """lo, hi for a tensor of spec multimodal 8.1."""
    for end, (lo, hi) in ENCODER_BOUNDS.items():
        if name.endswith(end):
            scale = next((s for module, s in SMALL_BOUNDS.items() if module in name), 1.0)
            return scale * lo, scale * hi
    if len(shape) == 1:
        return 0.5, 1.5
    half = math.sqrt(3.0 / math.prod(shape[1:]))
    return -half, half


def bounds(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """lo, hi of B.1 for a tensor of spec text 5.1 or 5.3, told by its name."""
    if name.startswith(ENCODERS):
        return encoder_bounds(name, shape)
    if name.startswith("soft."):
        return -1.7, 1.7
    if name.endswith(("embed_tokens.weight", "embed_tokens_per_layer.weight")):
        return -0.5, 0.5
    if name.endswith("layer_scalar"):
        return 0.3, 0.9
    if name.endswith(("norm.weight", "layernorm.weight", "router.scale", "per_expert_scale")):
        return 0.5, 1.5
    if name.endswith(("layernorm_1.weight", "layernorm_2.weight")):
        return 0.5, 1.5
    half = math.sqrt(3.0 / shape[-1])
    if name.endswith("router.proj.weight"):
        half *= 6.0
    return -half, half


def tensor(name: str, shape: tuple[int, ...]) -> np.ndarray:
    return generate(name, shape, *bounds(name, shape))


def self_check() -> None:
    name = "model.norm.weight"
    assert fnv1a64(name) == 0xD6D6E5AFD11604E4
    printed = [0.04868784, 0.13782009, 0.40205695]
    assert np.abs(uniform(name, 3) - printed).max() < 5e-9


if __name__ == "__main__":
    self_check()
    print("weights: hash and first three numbers as in the spec")
