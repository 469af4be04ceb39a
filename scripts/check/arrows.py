# SPDX-License-Identifier: Apache-2.0
"""Include lines against the arrows between folders (docs/README.md draws them)."""

import re

from repository import Answer, Repository

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)

FAMILY = {
    "base": "",
    "config": "base",
    "checkpoint": "base config",
    "synth": "base config checkpoint",
    "preprocess": "base config",
    "media": "base config preprocess",
    "tokenizer": "base",
    "chat": "base tokenizer",
    "sampling": "base tokenizer",
}
SHARED = [f"reference/family/{folder}" for folder in FAMILY]  # by every implementation
TEXTBOOK = ["reference/core", "reference/weights", "reference/ops", "reference/blocks"]
TEXTBOOK.append("reference/model")

# The suite knows no implementation: of reference/ only what every one shares.
SUITE = [f"conformance/{f}" for f in ("interface", "catalogue", "records", "compare", "report")]
ALLOWED = {
    **{f"reference/family/{a}": [f"reference/family/{b}" for b in v.split()] for a, v in FAMILY.items()},
    # A floor of the textbook may use those below it, and all of the family.
    **{folder: [*SHARED, *TEXTBOOK[:k]] for k, folder in enumerate(TEXTBOOK)},
    "conformance/interface": [],
    **{folder: [*SHARED, *SUITE] for folder in SUITE[1:]},
    "conformance/doors": [*SHARED, *SUITE, "conformance/doors/reference"],
    "conformance/doors/reference": [*SHARED, *SUITE, *TEXTBOOK, "conformance/doors"],
    "conformance/properties": [*SHARED, *SUITE, "conformance/doors", "conformance/doors/reference"],
    "conformance/program": [*SHARED, *SUITE, "conformance/doors", "conformance/doors/reference"],
    "benchmarks/reference": [*SHARED, "reference/core", "reference/ops"],
}
# A test, and what only tests use, may use what the code around it was made for.
TESTS_ALSO = {
    "reference/family": ["reference/family/"],
    "reference": ["reference/"],
    "conformance": ["conformance/", *SHARED, "reference/family/testing", "reference/testing"],
}
# Third-party libraries enter through few doors; a header door is named in full.
DOORS = {
    "xtensor": ("reference/core/tensor.h", "reference/ops/*.cc"),
    "xtensor-blas": ("reference/ops/*.cc",),
    "nlohmann": ("reference/family/base/json.h", "reference/family/*.cc", "conformance/*.cc"),
    "png.h": ("reference/family/media/*.cc",),
    "jpeglib.h": ("reference/family/media/*.cc",),
    "jerror.h": ("reference/family/media/*.cc",),
    "sndfile.h": ("reference/family/media/*.cc",),
    "samplerate.h": ("reference/family/media/*.cc",),
    "libavcodec": ("reference/family/media/media_stream.cc",),
    "libavformat": ("reference/family/media/media_stream.cc",),
    "libavutil": ("reference/family/media/media_stream.cc", "reference/family/media/video_ffmpeg.cc"),
    "libswresample": ("reference/family/media/video_ffmpeg.cc",),
    "libswscale": ("reference/family/media/video_ffmpeg.cc",),
    "lzma.h": ("reference/family/tokenizer/*.cc",),
    "hdf5.h": ("conformance/records/hdf5_handle.h", "conformance/records/*.cc"),
    "CLI": ("conformance/program/*.cc", "conformance/program/command_line.h"),
}


def folder_of(name: str) -> str:
    return name.rsplit("/", 1)[0] if "/" in name else ""


def is_test(name: str) -> bool:
    return "/testing/" in name or name.endswith(("_test.cc", "_cases.cc", "_bench.cc", "_fuzz.cc"))


def tests_also(name: str) -> list[str]:
    return next((also for top, also in TESTS_ALSO.items() if name.startswith(top + "/")), [])


def arrow_problem(name: str, included: str, allowed: dict) -> str:
    """Why `name` may not include `included`; empty when it may."""
    here, there = folder_of(name), folder_of(included)
    if here == there:
        return ""
    if is_test(name) and any(there.startswith(prefix) for prefix in tests_also(name)):
        return ""
    if here not in allowed:
        return f"{here} has no arrows yet: say in {__name__}.py what it may include"
    if there in allowed[here]:
        return ""
    return f"{here} may not include {there} (allowed: {', '.join(allowed[here]) or 'nothing'})"


def door_problem(name: str, included: str) -> str:
    library = included.split("/", 1)[0]
    for door in DOORS.get(library, ()):
        start, star, suffix = door.partition("*")
        if name == door or (star and name.startswith(start) and name.endswith(suffix)):
            return ""
    return (
        f"<{included}> enters through {', '.join(DOORS[library])} only" if library in DOORS else ""
    )


def cycle(edges: dict[str, set[str]]) -> list[str]:
    """A path from a folder back to itself, or nothing."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for target in sorted(edges.get(node, ())):
            found = visit(target, [*path, node])
            if found:
                return found
        done.add(node)
        return []

    return next((found for node in sorted(edges) if (found := visit(node, []))), [])


def check(repository: Repository) -> Answer:
    answer, count = Answer(), 0
    edges: dict[str, set[str]] = {}
    known = set(repository.files)
    for name in repository.cpp:
        for kind, included in INCLUDE.findall(repository.text(name)):
            count += 1
            problem = door_problem(name, included) if kind == "<" else ""
            if kind == '"' and included not in known:
                problem = f'"{included}" is no file of the repository (paths are rooted there)'
            elif kind == '"':
                problem = arrow_problem(name, included, ALLOWED)
                if not is_test(name) and folder_of(name) != folder_of(included):
                    edges.setdefault(folder_of(name), set()).add(folder_of(included))
            if problem:
                answer.problems.append(f"{name}: {problem}")
    loop = cycle(edges)
    if loop:
        answer.problems.append("folders include each other in a circle: " + " -> ".join(loop))
    answer.note = f"{count} include lines, {sum(map(len, edges.values()))} arrows between folders"
    return answer


def self_test() -> None:
    assert arrow_problem("reference/ops/rope.h", "reference/blocks/mlp.h", ALLOWED)
    assert arrow_problem("conformance/compare/judge.cc", "reference/ops/rope.h", ALLOWED)
    assert arrow_problem("conformance/compare/judge.cc", "reference/core/tensor.h", ALLOWED)
    assert arrow_problem("reference/family/base/json.cc", "conformance/report/result.h", ALLOWED)
    assert arrow_problem("conformance/new/a.cc", "reference/family/base/error.h", ALLOWED)
    assert not arrow_problem("reference/blocks/mlp.cc", "reference/ops/gelu.h", ALLOWED)
    assert door_problem("reference/core/taps.h", "xtensor/xtensor.hpp")
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert not cycle({"a": {"b", "c"}, "b": {"c"}})
