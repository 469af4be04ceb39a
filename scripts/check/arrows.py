# SPDX-License-Identifier: Apache-2.0
"""Include lines against the arrows between folders (docs/README.md draws them)."""

import re
from fnmatch import fnmatch
from graphlib import TopologicalSorter

from repository import Answer, Repository

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)

FAMILY = {
    "base": "",
    "config": "base",
    "checkpoint": "base config",
    "synth": "base config checkpoint",
    "preprocess": "base config",
    "media": "base config preprocess",
    "tokenizer": "base checkpoint",
    "chat": "base tokenizer",
    "sampling": "base checkpoint tokenizer",
    "convert": "base config checkpoint tokenizer sampling",
}
FLOOR = "reference/family"
SHARED = [f"{FLOOR}/{folder}" for folder in FAMILY]  # by every implementation
TEXTBOOK = [f"reference/{f}" for f in ("core", "weights", "ops", "blocks", "model")]

# The suite knows no implementation: of reference/ only what every one shares.
SUITE = [f"conformance/{f}" for f in ("interface", "catalogue", "records", "compare", "report")]
DOOR = "conformance/doors/reference"
CPU_DOOR = "conformance/doors/cpu"
CUDA_DOOR = "conformance/doors/cuda"
ENGINE_DOOR = "conformance/doors/engine"  # what both share
CUDA_ENGINE = "optimized/engine/cuda"
CUDA_DEVICE = "optimized/device/cuda"  # stands alone
ENGINE = ["optimized/device", CUDA_DEVICE, *(f"optimized/{f}" for f in ("packing", "kernels", "engine"))]
DRIVERS = [f"conformance/{f}" for f in ("generation", "properties", "mutants", "doors")]
ALLOWED = {
    **{f"{FLOOR}/{a}": [f"{FLOOR}/{b}" for b in used.split()] for a, used in FAMILY.items()},
    # A floor of the textbook may use those below it, and all of the family.
    **{folder: [*SHARED, *TEXTBOOK[:k]] for k, folder in enumerate(TEXTBOOK)},
    **{folder: [*SHARED, *ENGINE[:k]] for k, folder in enumerate(ENGINE)},
    CUDA_DEVICE: [],
    CUDA_ENGINE: [*SHARED, *ENGINE],
    "conformance/interface": [f"{FLOOR}/config"],
    **{folder: [*SHARED, *SUITE[:k]] for k, folder in enumerate(SUITE) if k},
    "conformance/generation": [*SHARED, "conformance/interface", "conformance/compare"],
    "conformance/doors": [*SHARED, *SUITE],
    DOOR: [*SHARED, *SUITE, *TEXTBOOK, "conformance/doors"],
    ENGINE_DOOR: [*SHARED, *SUITE, *ENGINE, "conformance/doors"],
    CPU_DOOR: [*SHARED, *SUITE, *ENGINE, "conformance/doors", ENGINE_DOOR],
    CUDA_DOOR: [*SHARED, *SUITE, *ENGINE, CUDA_ENGINE, "conformance/doors", ENGINE_DOOR],
    "conformance/fuzz": [*SHARED, *SUITE],
    "conformance/properties": [*SHARED, *SUITE],
    "conformance/mutants": [*SHARED, *SUITE],
    "conformance/program": [*SHARED, *SUITE, *DRIVERS],
    "benchmarks/optimized": [*SHARED, *ENGINE],
    "benchmarks/reference": [*SHARED, "reference/core", "reference/ops"],
}
# A test, and what only tests use, may use what the code around it was made for.
TESTS_ALSO = {
    "reference/family": ["reference/family/"],
    "reference": ["reference/"],
    "optimized": ["optimized/", *SHARED, "reference/family/testing", "reference/testing"],
    "conformance": ["conformance/", *SHARED, "reference/family/testing", "reference/testing"],
}
# Third-party libraries enter through few doors; a header door is named in full.
MEDIA = ("reference/family/media/*.cc",)
FFMPEG = ("avcodec", "avformat", "avutil", "swresample", "swscale")
DOORS = {
    "xtensor": ("reference/core/tensor.h", "reference/ops/*.cc"),
    "xtensor-blas": ("reference/ops/*.cc",),
    "nlohmann": ("reference/family/base/json_library.cc",),
    **dict.fromkeys(("png.h", "jpeglib.h", "jerror.h", "tiffio.h", "gif_lib.h", "zlib.h"), MEDIA),
    **dict.fromkeys(("webp", "sndfile.h", "samplerate.h"), MEDIA),
    **dict.fromkeys((f"lib{x}" for x in FFMPEG), ("*/media_stream.cc", "*/video_ffmpeg.cc")),
    "hwy": ("optimized/*",),
    "lzma.h": ("reference/family/tokenizer/*.cc",),
    "hdf5.h": ("conformance/records/hdf5_handle.h", "conformance/records/*.cc"),
    "CLI": ("conformance/program/command_line.cc",),
}
# Others reach the tensor of xtensor neither directly nor through a header.
TENSOR = "reference/core/tensor.h"
TENSOR_USERS = {*TEXTBOOK, "reference/testing", DOOR, "benchmarks/reference"}


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def is_test(name: str) -> bool:
    return "/testing/" in name or name.endswith(("_test.cc", "_cases.cc", "_bench.cc", "_fuzz.cc"))


def arrow_problem(name: str, included: str) -> str:
    """Why `name` may not include `included`; empty when it may."""
    here, there = folder_of(name), folder_of(included)
    also = next((also for top, also in TESTS_ALSO.items() if name.startswith(top)), ())
    if here == there or (is_test(name) and there.startswith(tuple(also))):
        return ""
    if "/testing/" in included and not is_test(name):
        return f"{included} is for tests only"
    if here not in ALLOWED:
        return f"{here} has no arrows yet: say in {__name__}.py what it may include"
    if there in ALLOWED[here]:
        return ""
    return f"{here} may not include {there} (allowed: {', '.join(ALLOWED[here]) or 'nothing'})"


def door_problem(name: str, included: str) -> str:
    doors = DOORS.get(included.split("/")[0])
    if doors is None or any(fnmatch(name, door) for door in doors):
        return ""
    return f"<{included}> enters through {', '.join(doors)} only"


def users(includes: dict[str, list[str]], target: str) -> set[str]:
    """The files that include the target, directly or through others."""
    found, fresh = set(), {target}
    while fresh:
        found |= fresh
        fresh = {name for name, used in includes.items() if fresh.intersection(used)} - found
    return found


def check(repository: Repository) -> Answer:
    answer, known = Answer(), set(repository.files)
    includes: dict[str, list[str]] = {}
    for name in repository.cpp:
        found = INCLUDE.findall(repository.text(name))
        includes[name] = [included for kind, included in found if kind == '"']
        problems = [door_problem(name, included) for kind, included in found if kind == "<"]
        for included in includes[name]:
            missing = f'"{included}" is no file here (paths are rooted at the top)'
            problems.append(arrow_problem(name, included) if included in known else missing)
        answer.problems += [f"{name}: {problem}" for problem in problems if problem]
    for name in sorted(users(includes, TENSOR)):
        if folder_of(name) not in TENSOR_USERS:
            answer.problems.append(f"{name}: includes {TENSOR}, and so xtensor, through others")
    answer.note = f"{sum(map(len, includes.values()))} includes of {len(ALLOWED)} folders"
    return answer


def self_test() -> None:
    assert arrow_problem("reference/ops/rope.h", "reference/blocks/mlp.h")
    assert arrow_problem("conformance/compare/judge.cc", "reference/ops/rope.h")
    assert arrow_problem("conformance/compare/judge.cc", "reference/core/tensor.h")
    assert arrow_problem("reference/family/base/json.cc", "conformance/compare/verdict.h")
    assert arrow_problem("reference/family/chat/a_test.cc", "reference/testing/test_pair.h")
    assert arrow_problem("conformance/new/a.cc", "reference/family/base/error.h")
    assert not arrow_problem("reference/blocks/mlp.cc", "reference/ops/gelu.h")
    assert arrow_problem("reference/ops/rope.cc", "reference/testing/test_pair.h")
    assert not arrow_problem("reference/ops/rope_test.cc", "reference/testing/test_pair.h")
    assert not arrow_problem("reference/testing/test_taps.h", "reference/ops/rope.h")
    assert not any(b.startswith(tuple(TEXTBOOK)) for a in SHARED for b in ALLOWED[a])
    assert arrow_problem("optimized/kernels/matmul.cc", "reference/ops/linear.h")
    assert arrow_problem("optimized/packing/row_panels.h", "optimized/kernels/matmul.h")
    assert not arrow_problem("optimized/engine/engine.cc", "optimized/kernels/matmul.h")
    assert door_problem("reference/core/taps.h", "xtensor/xtensor.hpp")
    assert not door_problem("reference/ops/linear.cc", "xtensor-blas/xlinalg.hpp")
    TopologicalSorter(ALLOWED).prepare()  # an error where arrows make a circle
    assert users({"a": ["b"], "b": ["t"], "c": []}, "t") == {"a", "b", "t"}
