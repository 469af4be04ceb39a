# SPDX-License-Identifier: Apache-2.0
"""Taps of images and audio clips for assay_dump.py: a call of an encoder holds several items.

    dump.media = MediaItems(images=[0, 2], audio=[1])  # which run of placeholders each fills
    hook_torch(model, "hf_media.csv", dump)             # 12B: hf_media_12b.csv
    model(**inputs)

images are those of all calls of the vision encoder in their order: for transformers all images,
then all frames. A row of the map with the tap `media` says which rows of a call are real; the
taps of the call are then parted by item, and padding is dropped.
"""

import numpy as np

from assay_dump import DumpError

_PATCHES_OF_A_SOFT_TOKEN = 9


class MediaItems:
    """The numbers of a prompt's items, and the items of each encoder's present call."""

    def __init__(self, images=(), audio=()):
        self._waiting = {"images": list(images), "audio": list(audio)}
        self._call = {}  # kind -> [(number, {count name: rows})]

    def begin(self, rules, array):
        """A call of an encoder: `array` shows which rows of its items are real."""
        kind = rules["items"]
        if rules["sizes"] == "positions":  # [B, S, 2], -1 is padding
            real = (array != -1).all(axis=-1).sum(axis=-1)
        else:  # a mask [B, S]
            real = (array != 0).sum(axis=-1)
        waiting = self._waiting[kind]
        if len(waiting) < len(real):
            raise DumpError(f"{kind}: items: got {len(real)} in a call, {len(waiting)} announced")
        numbers, self._waiting[kind] = waiting[: len(real)], waiting[len(real) :]
        counts = [counts_of(rules, int(n)) for n in real]
        self._call[kind] = list(zip(numbers, counts))

    def parts(self, tap, rules, array):
        """The tap of each item of the call: (name, array without padding)."""
        call = self._call.get(rules["items"])
        if call is None:
            raise DumpError(f"{tap}: items: got a call without sizes: is there a row for media?")
        start = 0
        for row, (number, counts) in enumerate(call):
            name = tap.replace("{k}", str(number))
            if "shared" in rules:
                yield name, array[0]
            elif "joined" in rules:
                end = start + counts[rules["real"]]
                yield name, array[start:end]
                start = end
            else:
                yield name, _of_item(rules, array[row], counts)


def counts_of(rules, real):
    """How many rows of an item are real, at each stage of its encoder."""
    if rules["sizes"] == "mask" and "whole" not in rules:
        return {"frames": real, "half": -(-real // 2), "soft": -(-real // 4)}
    per = 1 if "whole" in rules else _PATCHES_OF_A_SOFT_TOKEN
    return {"patches": real, "soft": real // per}


def _of_item(rules, array, counts):
    count = counts[rules["real"]]
    if "swap" in rules:  # [channels, rows] -> [rows, channels]
        array = np.swapaxes(array, -1, -2)
    if "blocks" in rules:
        return unblocked(array, count, rules.get("window"))
    if "square" in rules:  # [heads, rows, rows]
        return array[:, :count, :count]
    axis = int(rules.get("axis", 0))
    return array[(slice(None),) * axis + (slice(count),)]


def unblocked(blocks, rows, window=None):
    """[heads, blocks, W, C] of local attention, the C keys ending with those of the block itself, to
    [heads, rows, rows]: 0 for the future, where no block reaches, and beyond the last `window` keys.
    """
    heads, _, size, context = blocks.shape
    out = np.zeros((heads, rows, rows), blocks.dtype)
    for query in range(rows):
        block, inside = divmod(query, size)
        column = block * size + size - context  # the key of column 0
        first = max(column, 0, query + 1 - (window or query + 1))
        for key in range(first, query + 1):
            out[:, query, key] = blocks[:, block, inside, key - column]
    return out
