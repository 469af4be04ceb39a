# SPDX-License-Identifier: Apache-2.0
"""The block formats of ggml in numpy: values to blocks, and blocks to exact float64.

quantise() leaves the types that the gguf package quantises to it; the others (Q4_K, Q5_K, Q6_K,
IQ4_NL) get plain scales from the extremes of each sub-block, for which there is no one right way.
dequantise() is written from the formats alone. A scale has 11 bits, times 6 or 8 and 4 to 7 more,
and the span of all terms of one element is below 53 bits: float64 holds every value exactly.
check_blocks() compares it with the package, which computes in float32.
"""

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import quants

SIZES = {  # elements and bytes of a block
    "F32": (1, 4), "F16": (1, 2), "BF16": (1, 2), "Q8_0": (32, 34), "Q4_0": (32, 18),
    "Q4_1": (32, 20), "Q5_0": (32, 22), "Q5_1": (32, 24), "IQ4_NL": (32, 18), "MXFP4": (32, 17),
    "Q4_K": (256, 144), "Q5_K": (256, 176), "Q6_K": (256, 210),
}  # fmt: skip
CODES = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float64
)
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6], np.float64)
EXACT_IN_F32 = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_0", "IQ4_NL", "MXFP4")


def f16_bytes(values: np.ndarray) -> np.ndarray:
    """[n] to [n, 2]."""
    return values.astype("<f2").view(np.uint8).reshape(-1, 2)


def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b != 0)


def k_scales(x: np.ndarray, levels: int) -> tuple[np.ndarray, ...]:
    """Q4_K and Q5_K, x [n, 8, 32]: d, dmin as stored, scales and minima [n, 8], codes."""
    low = np.minimum(x.min(-1), 0.0)
    steps = (x.max(-1).clip(0.0) - low) / (levels - 1)
    d = (steps.max(-1) / 63).astype(np.float16).astype(np.float64)
    dmin = (-low.min(-1) / 63).astype(np.float16).astype(np.float64)
    scale = np.rint(ratio(steps, d[:, None])).clip(0, 63)
    minimum = np.rint(ratio(-low, dmin[:, None])).clip(0, 63)
    offset, step = dmin[:, None] * minimum, d[:, None] * scale
    codes = np.rint(ratio(x + offset[..., None], step[..., None])).clip(0, levels - 1)
    return d, dmin, scale.astype(np.uint8), minimum.astype(np.uint8), codes.astype(np.uint8)


def pack_k_scales(scale: np.ndarray, minimum: np.ndarray) -> np.ndarray:
    """[n, 8] twice to [n, 12]: six bits each, the upper two of the last four in the first eight."""
    first = scale[:, :4] | (scale[:, 4:] >> 4) << 6
    second = minimum[:, :4] | (minimum[:, 4:] >> 4) << 6
    return np.hstack([first, second, scale[:, 4:] & 15 | (minimum[:, 4:] & 15) << 4])


def nibbles_of_pairs(codes: np.ndarray) -> np.ndarray:
    """[n, 8, 32]: sub-blocks 2p and 2p + 1 share 32 bytes."""
    low, high = codes[:, 0::2] & 15, codes[:, 1::2] & 15
    return (low | high << 4).reshape(len(codes), 128)


def quantise_q4_k(x: np.ndarray) -> np.ndarray:
    d, dmin, scale, minimum, codes = k_scales(x.reshape(-1, 8, 32), 16)
    head = [f16_bytes(d), f16_bytes(dmin), pack_k_scales(scale, minimum)]
    return np.hstack([*head, nibbles_of_pairs(codes)])


def quantise_q5_k(x: np.ndarray) -> np.ndarray:
    d, dmin, scale, minimum, codes = k_scales(x.reshape(-1, 8, 32), 32)
    bits = (codes >> 4) << np.arange(8, dtype=np.uint8)[:, None]
    head = [f16_bytes(d), f16_bytes(dmin), pack_k_scales(scale, minimum)]
    return np.hstack([*head, np.bitwise_or.reduce(bits, axis=1), nibbles_of_pairs(codes)])


def signed_extreme(x: np.ndarray) -> np.ndarray:
    at = np.abs(x).argmax(-1)
    return np.take_along_axis(x, at[..., None], -1)[..., 0]


def quantise_q6_k(x: np.ndarray) -> np.ndarray:
    x = x.reshape(-1, 16, 16)
    steps = signed_extreme(x) / -32
    d = (np.abs(steps).max(-1) / 127).astype(np.float16).astype(np.float64)
    scale = np.rint(ratio(steps, d[:, None])).clip(-127, 127)
    codes = np.rint(ratio(x, (d[:, None] * scale)[..., None])).clip(-32, 31) + 32
    q = codes.astype(np.uint8).reshape(-1, 2, 4, 32)  # half, quarter, element
    low = q[:, :, :2] & 15 | (q[:, :, 2:] & 15) << 4
    high = np.bitwise_or.reduce((q >> 4) << np.array([0, 2, 4, 6], np.uint8)[:, None], axis=2)
    parts = [low.reshape(-1, 128), high.reshape(-1, 64), scale.astype(np.int8).view(np.uint8)]
    return np.hstack([*parts, f16_bytes(d)])


def quantise_iq4_nl(x: np.ndarray) -> np.ndarray:
    d = (signed_extreme(x) / -127).astype(np.float16).astype(np.float64)
    codes = np.abs(ratio(x, d[:, None])[..., None] - CODES).argmin(-1).astype(np.uint8)
    return np.hstack([f16_bytes(d), codes[:, :16] | codes[:, 16:] << 4])


OURS = {
    "Q4_K": quantise_q4_k, "Q5_K": quantise_q5_k, "Q6_K": quantise_q6_k, "IQ4_NL": quantise_iq4_nl,
}  # fmt: skip


def quantise(values: np.ndarray, name: str) -> np.ndarray:
    """float32 [..., n] to what a GGUF file stores: floats, or bytes [..., n / block * bytes]."""
    if name not in OURS:
        return quants.quantize(np.ascontiguousarray(values, np.float32), Type[name])
    elements, size = SIZES[name]
    blocks = OURS[name](values.astype(np.float64).reshape(-1, elements))
    assert blocks.shape[1] == size, name
    return blocks.reshape(*values.shape[:-1], -1)


def f16(blocks: np.ndarray) -> np.ndarray:
    """[n, 2 k] bytes to [n, k]."""
    return np.ascontiguousarray(blocks).view("<f2").astype(np.float64)


def halves(qs: np.ndarray) -> np.ndarray:
    """[n, 16] bytes: element j in the low half of byte j, element j + 16 in the high one."""
    return np.hstack([qs & 15, qs >> 4]).astype(np.float64)


def fifth_bits(qh: np.ndarray) -> np.ndarray:
    word = np.ascontiguousarray(qh).view("<u4")
    return ((word >> np.arange(32, dtype=np.uint32)) & 1).astype(np.float64) * 16


def unpack_k_scales(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = np.hstack([s[:, :4] & 63, s[:, 8:] & 15 | (s[:, :4] >> 6) << 4])
    minimum = np.hstack([s[:, 4:8] & 63, s[:, 8:] >> 4 | (s[:, 4:8] >> 6) << 4])
    return scale.astype(np.float64), minimum.astype(np.float64)


def dequantise_k(b: np.ndarray, fifth: bool) -> np.ndarray:
    """x = d scale q - dmin minimum."""
    d, dmin = f16(b[:, :2]), f16(b[:, 2:4])
    scale, minimum = unpack_k_scales(b[:, 4:16])
    qs = b[:, 48 if fifth else 16 :].reshape(-1, 4, 1, 32)
    q = np.concatenate([qs & 15, qs >> 4], axis=2).reshape(-1, 8, 32).astype(np.float64)
    if fifth:
        q += 16 * ((b[:, None, 16:48] >> np.arange(8, dtype=np.uint8)[:, None]) & 1)
    return ((d * scale)[..., None] * q - (dmin * minimum)[..., None]).reshape(-1, 256)


def dequantise_q6_k(b: np.ndarray) -> np.ndarray:
    low, high = b[:, :128].reshape(-1, 2, 2, 32), b[:, 128:192].reshape(-1, 2, 1, 32)
    scale = np.ascontiguousarray(b[:, 192:208]).view(np.int8).astype(np.float64)
    upper = (high >> np.array([0, 2, 4, 6], np.uint8)[:, None]) & 3
    q = (np.concatenate([low & 15, low >> 4], axis=2) | upper << 4).astype(np.float64) - 32
    return (f16(b[:, 208:]) * scale)[..., None].repeat(16, -1).reshape(-1, 256) * q.reshape(-1, 256)


def dequantise_mxfp4(b: np.ndarray) -> np.ndarray:
    codes = np.hstack([b[:, 1:] & 15, b[:, 1:] >> 4])
    values = np.where(codes & 8, -1.0, 1.0) * E2M1[codes & 7]
    return values * 2.0 ** (b[:, :1].astype(np.float64) - 127)


OF_BLOCK = {
    "F32": lambda b: np.ascontiguousarray(b).view("<f4").astype(np.float64),
    "F16": f16,
    "BF16": lambda b: (np.ascontiguousarray(b).view("<u2").astype("<u4") << 16)
    .view("<f4")
    .astype(np.float64),
    "Q8_0": lambda b: np.ascontiguousarray(b[:, 2:]).view(np.int8) * f16(b[:, :2]),
    "Q4_0": lambda b: (halves(b[:, 2:]) - 8) * f16(b[:, :2]),
    "Q4_1": lambda b: halves(b[:, 4:]) * f16(b[:, :2]) + f16(b[:, 2:4]),
    "Q5_0": lambda b: (halves(b[:, 6:]) + fifth_bits(b[:, 2:6]) - 16) * f16(b[:, :2]),
    "Q5_1": lambda b: (halves(b[:, 8:]) + fifth_bits(b[:, 4:8])) * f16(b[:, :2]) + f16(b[:, 2:4]),
    "IQ4_NL": lambda b: CODES[np.hstack([b[:, 2:] & 15, b[:, 2:] >> 4])] * f16(b[:, :2]),
    "MXFP4": dequantise_mxfp4,
    "Q4_K": lambda b: dequantise_k(b, False),
    "Q5_K": lambda b: dequantise_k(b, True),
    "Q6_K": dequantise_q6_k,
}


def dequantise(stored: np.ndarray, name: str) -> np.ndarray:
    """Bytes [..., n / block * bytes] to float64 [..., n]."""
    elements, size = SIZES[name]
    values = OF_BLOCK[name](stored.reshape(-1, size))
    assert values.shape[-1] == elements, name
    return values.reshape(*stored.shape[:-1], -1)


def check_blocks(stored: np.ndarray, name: str, exact: np.ndarray) -> None:
    """The package's float32 must be these values, rounded once or, with a minimum, three times."""
    other = quants.dequantize(stored, Type[name]).astype(np.float64).reshape(exact.shape)
    allowed = 0.0 if name in EXACT_IN_F32 else 2.0**-22 * np.abs(exact).max(initial=0.0)
    known = ~(np.isnan(other) & np.isnan(exact))
    if not (np.abs(other - exact) <= allowed)[known].all():
        raise ValueError(f"{name}: the gguf package dequantises otherwise")


@np.errstate(invalid="ignore")
def self_check() -> None:
    """Random blocks of every type: every code, every scale bit. A scale may be no number."""
    noise = np.random.default_rng(1)
    for name, (_, size) in SIZES.items():
        blocks = noise.integers(0, 256, (4096, size), dtype=np.uint8)
        values = dequantise(blocks, name)
        keep = np.isfinite(values).all(-1) & (np.abs(values).max(-1) < 3e38)
        for row, exact in zip(blocks[keep], values[keep]):
            check_blocks(row[None], name, exact[None])


if __name__ == "__main__":
    self_check()
    print(f"ggml_blocks: {len(SIZES)} types as the gguf package has them")
