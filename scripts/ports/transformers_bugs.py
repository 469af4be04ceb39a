# SPDX-License-Identifier: Apache-2.0
"""Mistakes of the kinds of spec text 7, planted in a transformers model: the list of them all."""

import transformers_bugs_inside  # noqa: F401  (registers its bugs)
import transformers_bugs_stream  # noqa: F401
from planting import BUGS, has_blocks, size_of
from transformers_model import NotSupported, PortError


def all_bugs():
    """Every bug by name."""
    return BUGS


def find(name, loaded, case):
    """The bug, if this model and case can show it."""
    if name not in all_bugs():
        raise PortError(f"--plant: got {name}, expected one that --list-bugs prints")
    entry = BUGS[name]
    vision = bool(((case.types == 1) | (case.types == 2)).any())
    shown = {"": True, "media": bool(case.soft), "vision": vision and has_blocks(loaded)}
    shown["long"] = len(case.ids) > loaded.config.sliding_window
    if size_of(loaded) not in entry.sizes or not entry.expected(loaded) or not shown[entry.needs]:
        raise NotSupported(f"bug {name}: this checkpoint and case cannot show it")
    return entry
