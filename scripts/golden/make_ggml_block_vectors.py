#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden/tables/ggml_blocks.json: what the gguf package makes of ggml's blocks, as checksums.

    make_ggml_block_vectors.py [--check]        needs numpy and gguf 0.19.0

Blocks and rows have closed forms that ggml_blocks_test.cc repeats. Blocks: every fp16 scale, or
every scale of eight bits, with random bytes beside it. `float` is the package's own result;
`double` is that of the same code with its float32 replaced by float64, where all of these formulas
are exact. Rows to be stored: ordinary numbers, ties, zeros, subnormals, huge numbers.
"""

import json
import sys
import zlib
from importlib.metadata import version
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, quants
from gguf.constants import GGML_QUANT_SIZES
from table_file import settle

TABLE = Path(__file__).resolve().parents[2] / "golden" / "tables" / "ggml_blocks.json"
SCALES = {  # where the scale of a block is that runs through all its values, and in how many bytes
    "Q4_0": (0, 2), "Q4_1": (0, 2), "Q5_0": (0, 2), "Q5_1": (0, 2), "Q8_0": (0, 2),
    "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208, 2), "IQ4_NL": (0, 2), "MXFP4": (0, 1),
    "NVFP4": (0, 1),
}  # fmt: skip
ROWS = ("uniform", "small", "ties", "zeros", "bits", "subnormal", "huge")
STORED = ("Q8_0", "Q4_0", "F16", "BF16")
ROW_ELEMENTS = 1 << 16


class Wide:
    """numpy with a float32 of 64 bits."""

    float32 = np.float64

    def __getattr__(self, name: str):
        return getattr(np, name)


def hashed(seed: int, count: int) -> np.ndarray:
    """32 bits per index: the mixing of the specification's deterministic tensors."""
    index = np.arange(count, dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    a = (index * np.uint64(2654435761) + np.uint64(seed * 40503 + 12345)) & mask
    a ^= a >> np.uint64(15)
    a = (a * np.uint64(2246822519)) & mask
    return a ^ (a >> np.uint64(13))


def blocks_of(name: str) -> np.ndarray:
    """[blocks, bytes]: block b has scale b."""
    number = GGMLQuantizationType[name]
    at, width = SCALES[name]
    count, size = 1 << 8 * width, GGML_QUANT_SIZES[number][1]
    blocks = (hashed(int(number), count * size) >> np.uint64(24)).astype(np.uint8)
    blocks = blocks.reshape(count, size)
    for byte in range(width):
        blocks[:, at + byte] = np.arange(count) >> 8 * byte & 255
    return blocks


def dequantized(name: str, blocks: np.ndarray, wide: bool) -> np.ndarray:
    quantization = quants._type_traits[GGMLQuantizationType[name]]
    with np.errstate(all="ignore"):
        if not wide:
            return quantization.dequantize_blocks(blocks)
        quants.np = Wide()
        half = quants.MXFP4.e8m0_to_fp32_half  # which looks at the bits of a float32
        quants.MXFP4.e8m0_to_fp32_half = lambda x: np.ldexp(1.0, x.astype(np.int32) - 128)
        try:
            return quantization.dequantize_blocks(blocks)
        finally:
            quants.np, quants.MXFP4.e8m0_to_fp32_half = np, half


def checksum(values: np.ndarray) -> str:
    """The sum of mixed(bits[i]) * (2 i + 1) modulo 2^64; the bits of a NaN count as 1."""
    bits = values.ravel().view(f"u{values.itemsize}").astype(np.uint64)
    bits[np.isnan(values.ravel())] = 1
    mixed = bits * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    weight = np.uint64(2) * np.arange(bits.size, dtype=np.uint64) + np.uint64(1)
    return f"{int((mixed * weight).sum(dtype=np.uint64)):016x}"


def block_case(name: str) -> dict:
    blocks = blocks_of(name)
    single, double = (dequantized(name, blocks, wide) for wide in (False, True))
    assert single.dtype == np.float32 and double.dtype == np.float64
    with np.errstate(all="ignore"):  # a float is the exact value, rounded once
        assert np.array_equal(single, double.astype(np.float32), equal_nan=True), name
    shown = blocks.shape[0] // 4 + 7  # an ordinary scale
    return {
        "type": name,
        "blocks": blocks.shape[0],
        "float": checksum(single),
        "double": checksum(double),
        "block": shown,
        "bytes": blocks[shown].tobytes().hex(),
        "values": [float(value) for value in double[shown]],
    }


def row_of(kind: str) -> np.ndarray:
    seed = 1000 + ROWS.index(kind)
    h = hashed(seed, ROW_ELEMENTS)
    integer = (h >> np.uint64(8)).astype(np.int64) - (1 << 23)  # 24 bits and a sign
    if kind == "uniform":
        return (integer * 2.0**-23).astype(np.float32)
    if kind == "small":  # blocks of very different sizes
        block = np.arange(ROW_ELEMENTS) // 32
        return np.ldexp(integer, -23 - block % 32).astype(np.float32)
    if kind == "ties":  # a largest element of -8 or 127 times a power of two: halves in between
        values = (h >> np.uint64(27)).astype(np.float32) / np.float32(2) - np.float32(7.5)
        block = np.arange(ROW_ELEMENTS) // 32
        values[::32] = np.where(block[::32] % 2 == 0, -8, 127)
        return np.ldexp(values, (block % 24 - 12).astype(np.int32)).astype(np.float32)
    if kind == "zeros":  # mostly, of both signs
        sign = np.where(h & np.uint64(1), np.float32(-0.0), np.float32(0.0))
        return np.where(h >> np.uint64(24) == 0, np.float32(1.25), sign).astype(np.float32)
    bits = h.astype(np.uint32)
    if kind == "bits":  # any finite number
        bits = np.where(bits >> 23 & 255 == 255, bits & np.uint32(0xBFFFFFFF), bits)
    elif kind == "subnormal":
        shift = (np.arange(ROW_ELEMENTS) // 32 % 24).astype(np.uint32)
        bits = bits & np.uint32(0x80000000) | (bits & np.uint32(0x7FFFFF)) >> shift
    else:  # huge: exponents of 2^111 to 2^127
        bits = bits & np.uint32(0x877FFFFF) | np.uint32(0x77000000)
    return bits.view(np.float32)


def row_case(kind: str) -> dict:
    row = row_of(kind)
    assert np.isfinite(row).all()
    case = {"row": kind}
    with np.errstate(all="ignore"):
        for name in STORED:
            stored = quants.quantize(row.reshape(-1, 256), GGMLQuantizationType[name])
            case[name] = f"{zlib.crc32(stored.tobytes()):08x}"
    return case


def main() -> int:
    head = f'"made_with": "gguf {version("gguf")}, numpy {np.__version__}"'
    parts = [f'"{title}": [\n{{}}\n ]' for title in ("decoded", "stored")]
    cases = ([block_case(name) for name in SCALES], [row_case(kind) for kind in ROWS])
    filled = [
        part.format(",\n".join("  " + json.dumps(case) for case in group))
        for part, group in zip(parts, cases)
    ]
    text = "{\n " + ",\n ".join([head, *filled]) + "\n}\n"
    return settle(TABLE, text, f"ggml blocks: {len(SCALES)} types", unchecked=2)


if __name__ == "__main__":
    sys.exit(main())
