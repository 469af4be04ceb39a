# SPDX-License-Identifier: Apache-2.0
"""Include lines against the arrows between folders (docs/README.md draws them)."""

import re

from repository import Answer, Repository

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)

REFERENCE = {
    "reference/core": [],
    "reference/params": ["reference/core"],
    "reference/io": ["reference/core", "reference/params"],
    "reference/preprocess": ["reference/core", "reference/params"],
    "reference/files": ["reference/core", "reference/params", "reference/preprocess"],
    "reference/tokenizer": ["reference/core", "reference/io"],
    "reference/prompt": ["reference/core", "reference/io"],
    "reference/answer": [
        "reference/core",
        "reference/io",
        "reference/tokenizer",
        "reference/prompt",
    ],
    "reference/sampling": ["reference/core", "reference/io", "reference/tokenizer"],
    "reference/ops": ["reference/core", "reference/params"],
    "reference/blocks": ["reference/core", "reference/params", "reference/io", "reference/ops"],
}
REFERENCE["reference/model"] = [
    *REFERENCE["reference/blocks"],
    "reference/blocks",
    "reference/preprocess",
]

# The suite knows no implementation: of the reference only errors, configs and file formats.
FORMATS = ["reference/core", "reference/params", "reference/io"]
SUITE = [
    "conformance/interface",
    "conformance/catalogue",
    "conformance/records",
    "conformance/compare",
    "conformance/report",
]
ALLOWED = {
    **REFERENCE,
    "conformance/interface": [],
    **{folder: [*FORMATS, *SUITE] for folder in SUITE[1:]},
    "conformance/adapters": [
        *FORMATS,
        *SUITE,
        "reference/ops",
        "reference/blocks",
        "reference/model",
        "reference/preprocess",
        "reference/files",
        "reference/tokenizer",
        "reference/prompt",
        "reference/answer",
        "reference/sampling",
    ],
    "conformance/cases": [*FORMATS, *SUITE, "conformance/adapters"],
    "conformance/program": [
        *FORMATS,
        *SUITE,
        "conformance/adapters",
        "reference/preprocess",
        "reference/files",
        "reference/tokenizer",
        "reference/prompt",
        "reference/answer",
        "reference/sampling",
    ],
    "benchmarks/reference": [*FORMATS, "reference/ops"],
}
# A test may use what the code around it was made for.
TESTS_ALSO = {
    "reference": ["reference/"],
    "conformance": ["conformance/", *FORMATS],
}
# Headers whose contents depend on the precision they are compiled for: not for the suite.
PRECISION_BOUND = {
    "reference/core/tensor.h",
    "reference/core/taps.h",
    "reference/params/clipped_linear.h",
    "reference/params/vision_weights.h",
    "reference/params/weights.h",
    "reference/io/load_weights.h",
}
# Third-party libraries enter through few doors; a header door is named in full.
DOORS = {
    "xtensor": ("reference/core/tensor.h", "reference/ops/*.cc"),
    "xtensor-blas": ("reference/ops/*.cc",),
    "nlohmann": ("reference/io/json.h", "reference/io/*.cc", "conformance/*.cc"),
    "png.h": ("reference/files/*.cc",),
    "jpeglib.h": ("reference/files/*.cc",),
    "jerror.h": ("reference/files/*.cc",),
    "sndfile.h": ("reference/files/*.cc",),
    "samplerate.h": ("reference/files/*.cc",),
    "libavcodec": ("reference/files/media_stream.cc",),
    "libavformat": ("reference/files/media_stream.cc",),
    "libavutil": ("reference/files/media_stream.cc", "reference/files/video_ffmpeg.cc"),
    "libswresample": ("reference/files/video_ffmpeg.cc",),
    "libswscale": ("reference/files/video_ffmpeg.cc",),
    "lzma.h": ("reference/tokenizer/*.cc",),
    "hdf5.h": ("conformance/records/hdf5_handle.h", "conformance/records/*.cc"),
    "CLI": ("conformance/program/*.cc", "conformance/program/command_line.h"),
}


def folder_of(name: str) -> str:
    return name.rsplit("/", 1)[0] if "/" in name else ""


def is_test(name: str) -> bool:
    return name.endswith(("_test.cc", "_cases.cc", "_bench.cc", "_test.h"))


def arrow_problem(name: str, included: str, allowed: dict) -> str:
    """Why `name` may not include `included`; empty when it may."""
    here, there = folder_of(name), folder_of(included)
    if here == there:
        return ""
    if here not in allowed:
        return f"{here} has no arrows yet: say in {__name__}.py what it may include"
    if here in SUITE and not is_test(name) and included in PRECISION_BOUND:
        return f"{included} belongs to one precision; the suite knows no implementation"
    if there in allowed[here]:
        return ""
    also = TESTS_ALSO[name.split("/", 1)[0]] if is_test(name) else []
    if any(there.startswith(prefix) for prefix in also):
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
    assert arrow_problem("reference/io/json.cc", "conformance/report/result.h", ALLOWED)
    assert arrow_problem("conformance/new/a.cc", "reference/core/error.h", ALLOWED)
    assert not arrow_problem("reference/blocks/mlp.cc", "reference/ops/gelu.h", ALLOWED)
    assert door_problem("reference/core/taps.h", "xtensor/xtensor.hpp")
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert not cycle({"a": {"b", "c"}, "b": {"c"}})
