#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden/tables/resize.json: what Pillow and torch make of some images, as CRC-32 of the bytes.

    make_resize_vectors.py [--check]

The images have closed forms that reference/family/testing/test_signals.h repeats, so the table
holds no pixels. Pillow up to 12.1.1 resizes rows first, always; later ones turn to columns first for tall
images. So each image is resized twice, at once and axis by axis, and both must agree.
"""

import json
import random
import sys
import zlib
from pathlib import Path

import numpy as np
import PIL
import torch
from PIL import Image
from table_file import settle

TABLE = Path(__file__).resolve().parents[2] / "golden" / "tables" / "resize.json"
KINDS = ("noise", "binary", "board", "ramp")


def hashed(seed: int, count: int) -> np.ndarray:
    """32 bits per index: the mixing of the specification's deterministic tensors."""
    index = np.arange(count, dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    a = (index * np.uint64(2654435761) + np.uint64(seed * 40503 + 12345)) & mask
    a ^= a >> np.uint64(15)
    a = (a * np.uint64(2246822519)) & mask
    return a ^ (a >> np.uint64(13))


def image(kind: str, seed: int, height: int, width: int) -> np.ndarray:
    """[height, width, 3] bytes."""
    y, x, c = np.indices((height, width, 3))
    if kind == "ramp":
        return ((37 * x + 59 * y + 83 * c + seed) % 256).astype(np.uint8)
    if kind == "board":  # a saturated checkerboard: 1 to 5 pixels wide, 1 to 5 high
        return ((x // (1 + seed % 5) + y // (1 + seed // 5 % 5)) % 2 * 255).astype(np.uint8)
    values = (hashed(seed, height * width * 3) >> np.uint64(24)).reshape(height, width, 3)
    return (values if kind == "noise" else values // 128 * 255).astype(np.uint8)


def sizes() -> list[tuple[int, int, int, int]]:
    """height, width, target height, target width"""
    draw = random.Random(1).randint
    chosen = [(3, 4, 5, 6), (8, 10, 3, 4), (48, 48, 48, 48), (30, 50, 30, 20), (30, 50, 70, 50)]
    chosen += [tuple(draw(1, 160) for _ in range(4)) for _ in range(60)]
    chosen += [(draw(1, 60), draw(1, 60), draw(60, 200), draw(60, 200)) for _ in range(40)]
    chosen += [(draw(60, 400), draw(60, 400), draw(1, 60), draw(1, 60)) for _ in range(40)]
    chosen += [(draw(1, 3), draw(200, 2000), 48, draw(48, 2000)) for _ in range(20)]
    chosen += [(draw(200, 2000), draw(1, 3), draw(48, 2000), 48) for _ in range(20)]
    chosen += [(1, draw(1, 300), draw(1, 60), draw(1, 300)) for _ in range(10)]
    chosen += [(draw(1, 300), 1, draw(1, 300), draw(1, 60)) for _ in range(10)]
    chosen += [(draw(1, 99), draw(1, 99), 1, 1) for _ in range(10)]
    chosen += [(draw(100, 300), draw(100, 300), draw(1, 300), 1) for _ in range(10)]
    chosen += [(480, 640, 336, 432), (480, 640, 672, 912), (1080, 1920, 288, 528)]  # as models do
    chosen += [(408, 612, 624, 960), (37, 2000, 96, 5904), (2000, 37, 2928, 48), (1, 1, 768, 768)]
    chosen += [(2532, 1170, 576, 240), (3, 900, 48, 3360), (224, 224, 384, 384), (2, 1, 528, 240)]
    return chosen


def resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def torch_resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """What torchvision does with bytes."""
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    resized = torch.nn.functional.interpolate(
        planes, (height, width), mode="bicubic", antialias=True, align_corners=False
    )
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())


def case(number: int, size: tuple[int, int, int, int]) -> dict:
    height, width, target_height, target_width = size
    kind = KINDS[number % len(KINDS)]
    pixels = image(kind, number, height, width)
    result = resize(pixels, target_height, target_width)
    by_axis = resize(resize(pixels, height, target_width), target_height, target_width)
    if not np.array_equal(result, by_axis):
        sys.exit(f"resize: Pillow {PIL.__version__} does not resize rows first for {size}")
    return {
        "picture": kind,
        "seed": number,
        "size": [height, width],
        "target": [target_height, target_width],
        "crc32": f"{zlib.crc32(result.tobytes()):08x}",
        "torch": f"{zlib.crc32(torch_resize(pixels, *size[2:]).tobytes()):08x}",
    }


def main() -> int:
    rows = [case(number, size) for number, size in enumerate(sizes())]
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    made_with = f"Pillow {PIL.__version__} and torch {torch.__version__.split('+')[0]}, bicubic"
    text = f'{{\n "made_with": "{made_with}",\n "cases": [\n{lines}\n ]\n}}\n'
    return settle(TABLE, text, f"resize: {len(rows)} images")


if __name__ == "__main__":
    sys.exit(main())
