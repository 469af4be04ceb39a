#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How exact the kernels are, on this machine: benchmarks/results/DATE-tolerance-FEATURES.{json,md}.

    scripts/bench/tolerance_report.py [PROGRAM…]

Runs test programs of optimized/ (optimized_test and optimized_cuda_test, unless others are named),
which hold every result against fp64 within a bound computed from its operands, and writes the
largest error of each kernel, type and target as a share of its bound. 1 is the most that passes.
A program that fails writes nothing.
"""

import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks/results"
PROGRAMS = [ROOT / "build/release/optimized" / name for name in ("optimized_test", "optimized_cuda_test")]
KERNELS = "*Matmul.*:*Attention.*:*RowOps.*:*EncoderRows.*:*Cuda*"


def run(program: str) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes"
        environment = dict(os.environ, ASSAY_TOLERANCE=str(notes))
        command = [program, "--gtest_brief=1", f"--gtest_filter={KERNELS}"]
        if subprocess.run(command, env=environment, stdout=sys.stderr).returncode:
            sys.exit(f"{program}: failed, so nothing is written")
        return [row(line) for line in notes.read_text().splitlines()]


def row(line: str) -> dict:
    kernel, kind, target, error, values = line.split("\t")
    return {
        "kernel": kernel,
        "type": kind,
        "target": target,
        "error": float(error),
        "values": int(values),
    }


def features() -> str:
    """What /proc/cpuinfo says of the instruction sets that kernels are chosen by."""
    known = ["avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni"]
    try:
        flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[1].split("\n", 1)[0].split()
    except (OSError, IndexError):
        return "unknown"
    return " ".join(name for name in known if name in flags) or "none"


def cell(rows: list[dict], kernel: str, kind: str, target: str) -> str:
    for entry in rows:
        if (entry["kernel"], entry["type"], entry["target"]) == (kernel, kind, target):
            return "equal" if entry["error"] == 0 else f"{entry['error']:.2f}"
    return ""


def page(result: dict, name: str) -> str:
    rows = result["rows"]
    targets = sorted({entry["target"] for entry in rows}, key=lambda t: (t.startswith("cuda"), t))
    lines = [
        "# How exact the kernels are",
        "",
        f"From [{name}.json]({name}.json): {result['date']},",
        f"{result['features']}. Written by `scripts/bench/tolerance_report.py`.",
        "",
        "Each cell: the largest error against fp64 as a share of its bound, over every shape and set",
        "of numbers that the tests of the kernel use. The bound is computed from the operands, such as",
        "`u (sum |w x| + |y|) (4 + sqrt(n / L))` for a product of `n` terms kept in `L` sums; 1 is the",
        "most that passes. Products of formats that round their rows are held against the rounded rows:",
        "what rounding rows does to a model is the business of `assay verify`. Empty: the target has no",
        "such kernel, or the machine lacks the target.",
        "",
        "*cuda host twin*: the CUDA kernels, executed on the CPU by the host executor in three orders of",
        "threads, and on no device. Their bound is that of the sum for products and attention by tensor",
        "cores, elsewhere a millionth of the largest value.",
        "",
        "| kernel | type | values | " + " | ".join(targets) + " |",
        "| --- | --- | --: |" + " --: |" * len(targets),
    ]
    for kernel, kind in dict.fromkeys((entry["kernel"], entry["type"]) for entry in rows):
        same = [e["values"] for e in rows if (e["kernel"], e["type"]) == (kernel, kind)]
        cells = [cell(rows, kernel, kind, target) for target in targets]
        lines.append(f"| {kernel} | {kind} | {max(same):,} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    programs = sys.argv[1:] or [str(program) for program in PROGRAMS]
    rows = sorted(
        (entry for program in programs for entry in run(program)),
        key=lambda entry: (entry["kernel"], entry["type"], entry["target"]),
    )
    if not rows:
        sys.exit("no kernel was tested")
    today = datetime.date.today().isoformat()
    result = {"date": today, "features": features(), "rows": rows}
    kind = "avx512" if "avx512f" in result["features"] else "avx2"
    name = f"{today}-tolerance-{kind}"
    lines = ",\n".join("  " + json.dumps(entry) for entry in rows)
    head = json.dumps({"date": today, "features": result["features"]})[:-1]
    (RESULTS / f"{name}.json").write_text(f'{head}, "rows": [\n{lines}\n]}}\n')
    (RESULTS / f"{name}.md").write_text(page(result, name))
    print(RESULTS / f"{name}.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
