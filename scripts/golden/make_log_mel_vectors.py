#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden/tables/log_mel.json: what transformers' feature extractor makes of some signals.

    make_log_mel_vectors.py [--check]

The signals have closed forms in exact arithmetic that reference/family/testing/test_signals.h
repeats, so that both sides start from the same bits. The FFT runs in fp64 (NumPy's rfft is handed
doubles); the result is rounded to fp32 as transformers does. Of each log-mel the table holds the
CRC-32 of the fp32 bits, little endian, sums, and four values.
"""

import json
import random
import sys
import zlib
from pathlib import Path

import numpy as np
import transformers
from table_file import settle
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor

TABLE = Path(__file__).resolve().parents[2] / "golden" / "tables" / "log_mel.json"
MASK = 0xFFFFFFFF
PRINTED = 4  # values per case


def random_words(seed: int, count: int) -> np.ndarray:
    """Words 1 ... count of a linear congruential generator."""
    words = np.empty(count, np.int64)
    for n in range(count):
        seed = (1664525 * seed + 1013904223) & MASK
        words[n] = seed
    return words


def parabola(phase: np.ndarray) -> np.ndarray:
    """Nearly a sine, exactly computable: one period in 2^32."""
    p = phase.astype(np.uint32).view(np.int32) / 2.0**31
    return 4 * p * (1 - np.abs(p))


def signal(kind: str, parameter: int, count: int) -> np.ndarray:
    """Doubles in [-1, 1]."""
    n = np.arange(count, dtype=np.int64)
    if kind == "noise":
        return 2 * ((random_words(parameter, count) >> 8) / 2.0**24) - 1
    if kind == "tone":
        return parabola((n * parameter) & MASK)
    if kind == "chirp":
        return parabola((n * n * parameter) & MASK)
    if kind == "square":
        return np.where(n // parameter % 2 == 0, 1.0, -1.0)
    if kind == "pulses":
        return np.where(n % parameter == 0, 1.0, 0.0)
    return np.zeros(count)


def cases() -> list[tuple[str, float, int, int]]:
    """signal, amplitude, parameter, samples"""
    lengths = [1, 160, 161, 320, 321, 480, 481, 640, 641, 800, 1600, 8000, 9000, 15999, 16000]
    lengths += [16001, 24000, 38560, 48000, 48800, 99360, 240000, 480000, 500000]
    chosen = [("noise", 0.1, 12345, count) for count in lengths]
    draw = random.Random(2).randint
    for kind, amplitude, parameters in (
        ("tone", 0.5, (118111601, 805306368, 26843546)),  # 440 Hz, 3 kHz, 100 Hz
        ("tone", 0.01, (118111601, 2000000000)),
        ("chirp", 0.8, (300, 5000, 77777)),
        ("noise", 1.0, (1, 2, 3)),
        ("noise", 0.0001, (4, 5)),
        ("square", 1.0, (40, 7, 1)),
        ("pulses", 1.0, (777, 160, 31)),
        ("silence", 0.0, (0, 0)),
    ):
        chosen += [(kind, amplitude, parameter, draw(161, 24000)) for parameter in parameters]
    return chosen


def log_mel(samples: np.ndarray) -> np.ndarray:
    """[T, 128] fp32: the valid frames."""
    narrow = np.fft.rfft
    np.fft.rfft = lambda x, n, axis: narrow(np.asarray(x, np.float64), n=n, axis=axis)
    try:
        batch = Gemma4AudioFeatureExtractor()([samples])
    finally:
        np.fft.rfft = narrow
    mask = np.asarray(batch["input_features_mask"][0], bool)
    return np.asarray(batch["input_features"][0], np.float32)[mask]


def row(kind: str, amplitude: float, parameter: int, count: int) -> dict:
    mel = log_mel((amplitude * signal(kind, parameter, count)).astype(np.float32))
    wide = mel.astype(np.float64)
    positions = [(len(mel) * k // PRINTED, (37 * k + 5) % 128) for k in range(PRINTED) if len(mel)]
    return {
        "signal": kind,
        "amplitude": amplitude,
        "parameter": parameter,
        "samples": count,
        "frames": len(mel),
        "crc32": f"{zlib.crc32(mel.astype('<f4').tobytes()):08x}",
        "sum": round(float(wide.sum()), 6),
        "sum_of_squares": round(float((wide * wide).sum()), 6),
        "values": [[t, f, float(mel[t, f])] for t, f in positions],
    }


def main() -> int:
    rows = [row(*case) for case in cases()]
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    made_with = f"transformers {transformers.__version__}, FFT in fp64"
    text = f'{{\n "made_with": "{made_with}",\n "cases": [\n{lines}\n ]\n}}\n'
    return settle(TABLE, text, f"log_mel: {len(rows)} signals")


if __name__ == "__main__":
    sys.exit(main())
