#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Honest programs on checkpoints that nobody has seen: how many of them does the judge refuse?

    python scripts/innocence.py --runs 1000 --precision f32 --out results/innocence
        [--assay build/release/assay] [--seconds 240]
    python scripts/innocence.py --table results/innocence

Makes fifteen checkpoints of the five topologies (`assay synth`, shapes below), and on each, with a
prompt of 11 tokens, on ten of them also with one of 100 or more, runs its share of `assay mutate
--innocent`. What is done stands in one innocent.jsonl for each case; a second call goes on from
there, and stops after so many seconds when it is told to. BLAS takes another kernel on each
checkpoint (OPENBLAS_CORETYPE).

Prints what was refused; `--table` prints the table of docs/innocence.md. Exit code 1 where any honest
run was refused, 3 where runs are left.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Each: size, options of `assay synth`, the longer prompt (0: none).
SHAPES = {
    "e2b-a": ("e2b", "--layers 6 --width 64 --heads 4 --head-dim 16 --global-head-dim 32 --ffn 128"
                     " --window 16 --per-layer-width 16 --shared-layers 2 --layer-types SSFSSF", 103),
    "e2b-b": ("e2b", "--layers 5 --width 80 --heads 8 --head-dim 12 --global-head-dim 24 --ffn 96"
                     " --window 32 --per-layer-width 24 --shared-layers 2 --layer-types SFSSF --dtype f32", 0),
    "e2b-c": ("e2b", "--layers 4 --width 48 --heads 2 --head-dim 32 --global-head-dim 64 --ffn 200"
                     " --window 8 --per-layer-width 8 --shared-layers 0 --layer-types SFSF", 100),
    "e4b-a": ("e4b", "--layers 6 --width 72 --heads 4 --kv-heads 2 --head-dim 16"
                     " --global-head-dim 32 --ffn 144 --window 16 --per-layer-width 16"
                     " --shared-layers 2 --layer-types SSFSSF", 111),
    "e4b-b": ("e4b", "--layers 4 --width 96 --heads 6 --kv-heads 3 --head-dim 20"
                     " --global-head-dim 40 --ffn 100 --window 64 --per-layer-width 12"
                     " --shared-layers 0 --layer-types SSSF --dtype f16", 104),
    "e4b-c": ("e4b", "--layers 5 --width 128 --heads 4 --kv-heads 1 --head-dim 24"
                     " --global-head-dim 48 --ffn 256 --window 10 --per-layer-width 32"
                     " --shared-layers 2 --layer-types SFSSF --dtype f32", 0),
    "12b-a": ("12b", "--layers 6 --width 64 --heads 4 --kv-heads 2 --global-kv-heads 1"
                     " --head-dim 16 --global-head-dim 32 --ffn 128 --window 16", 105),
    "12b-b": ("12b", "--layers 4 --width 120 --heads 6 --kv-heads 3 --global-kv-heads 1"
                     " --head-dim 20 --global-head-dim 64 --ffn 240 --window 24"
                     " --layer-types SSSF --dtype f32", 0),
    "12b-c": ("12b", "--layers 3 --width 40 --heads 8 --kv-heads 4 --global-kv-heads 2"
                     " --head-dim 8 --global-head-dim 16 --ffn 60 --window 40"
                     " --layer-types FSF", 112),
    "26b-a": ("26b", "--layers 4 --width 48 --heads 4 --kv-heads 2 --global-kv-heads 1"
                     " --head-dim 16 --global-head-dim 32 --ffn 96 --window 16 --experts 128"
                     " --top-k 8 --expert-width 16 --layer-types SSSF", 0),
    "26b-b": ("26b", "--layers 5 --width 64 --heads 4 --kv-heads 2 --global-kv-heads 2"
                     " --head-dim 16 --global-head-dim 24 --ffn 64 --window 32 --experts 16"
                     " --top-k 4 --expert-width 24 --layer-types SSFSF --dtype f32", 107),
    "26b-c": ("26b", "--layers 4 --width 80 --heads 8 --kv-heads 4 --global-kv-heads 1"
                     " --head-dim 12 --global-head-dim 24 --ffn 120 --window 12 --experts 32"
                     " --top-k 2 --expert-width 40 --layer-types SFSF --dtype f16", 100),
    "31b-a": ("31b", "--layers 6 --width 64 --heads 8 --kv-heads 4 --global-kv-heads 2"
                     " --head-dim 16 --global-head-dim 32 --ffn 128 --window 16", 109),
    "31b-b": ("31b", "--layers 4 --width 144 --heads 6 --kv-heads 2 --global-kv-heads 1"
                     " --head-dim 24 --global-head-dim 48 --ffn 300 --window 48"
                     " --layer-types SSSF --dtype f16", 0),
    "31b-c": ("31b", "--layers 3 --width 36 --heads 4 --kv-heads 4 --global-kv-heads 4"
                     " --head-dim 12 --global-head-dim 20 --ffn 52 --window 4"
                     " --layer-types SFF --dtype f32", 120),
}
SHORT = 11
KERNELS = ["", "Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX"]
ROOT = Path(__file__).resolve().parent.parent


def plan(runs: int) -> list[tuple[str, int, int, int]]:
    """Each case: shape, tokens, seed, its share of the runs. One run in five is long."""
    short = [(shape, SHORT) for shape in SHAPES]
    long = [(shape, tokens) for shape, (_, _, tokens) in SHAPES.items() if tokens]
    cases = []
    for some, count in ((short, runs - runs // 5), (long, runs // 5)):
        shares = [count // len(some) + (k < count % len(some)) for k in range(len(some))]
        cases += list(zip(some, shares))
    return [(*case, k + 1, share) for k, (case, share) in enumerate(cases) if share]


def log_of(out: Path, precision: str, shape: str, tokens: int) -> Path:
    return out / f"{precision}-{shape}-{tokens}" / "innocent.jsonl"


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def make(assay: Path, folder: Path, shape: str) -> Path:
    size, options, _ = SHAPES[shape]
    checkpoint = folder / shape
    if not checkpoint.exists():
        command = [assay, "synth", size, checkpoint, "--vocab", "160", *options.split()]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return checkpoint


def run(args: argparse.Namespace) -> int:
    cases = plan(args.runs)
    left = {case: case[3] - len(lines_of(log_of(args.out, args.precision, case[0], case[1])))
            for case in cases}
    remaining = sum(count for count in left.values() if count > 0)
    print(f"{args.runs} honest runs in {args.precision} on {len(cases)} cases, {remaining} to do", flush=True)
    start, refused, number = time.monotonic(), 0, {s: k for k, s in enumerate(SHAPES)}
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            shape, tokens, seed, share = case
            if left[case] <= 0:
                continue
            if args.seconds and time.monotonic() - start > args.seconds:
                print("stopped; the same command goes on")
                return 3
            environment = dict(os.environ)
            if kernel := KERNELS[number[shape] % len(KERNELS)]:
                environment["OPENBLAS_CORETYPE"] = kernel
            report = log_of(args.out, args.precision, shape, tokens).parent
            command = [args.assay, "mutate", "--innocent", share, "--precision", args.precision,
                       "--checkpoint", make(args.assay, Path(folder), shape), "--tokens", tokens,
                       "--seed", seed, "--report", report, "--resume"]
            print(f"{shape} {tokens}:", end=" ", flush=True)
            result = subprocess.run(list(map(str, command)), env=environment)
            if result.returncode not in (0, 1):
                return result.returncode
            refused += result.returncode
    return 1 if refused else 0


def table(out: Path) -> int:
    """Rows: kinds of variant; columns: topologies. A run counts in the row of each of its kinds."""
    for precision in ("f32", "bf16", "f16"):
        runs = [line for path in sorted(out.glob(f"{precision}-*/innocent.jsonl"))
                for line in lines_of(path)]
        if not runs:
            continue
        cell, kinds = collections.Counter(), set()
        for line in runs:
            size = line["case"].split("-")[0]
            length = "prompt of 11" if line["positions"] == SHORT else "prompt of 100 and more"
            for kind in [*line["kinds"], length, "all"]:
                kinds.add(kind)
                cell[kind, size] += 1
                cell[kind, "refused"] += line["refused_at"] != ""
        sizes = sorted({size for _, size in cell} - {"refused"})
        print(f"\n### {precision}\n\n| variant | " + " | ".join(sizes) + " | runs | refused |")
        print("| --- " * (len(sizes) + 3) + "|")
        for kind in sorted(kinds, key=lambda k: (k == "all", k.startswith("prompt"), k)):
            counts = [cell[kind, size] for size in sizes]
            row = [kind, *counts, sum(counts), cell[kind, "refused"]]
            print("| " + " | ".join(map(str, row)) + " |")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assay", type=Path, default=ROOT / "build/release/assay")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--out", type=Path, default=Path("innocence"))
    parser.add_argument("--seconds", type=float, default=0, help="stop after so many; 0: never")
    parser.add_argument("--table", type=Path, help="print the table of these results instead")
    args = parser.parse_args()
    return table(args.table) if args.table else run(args)


if __name__ == "__main__":
    sys.exit(main())
