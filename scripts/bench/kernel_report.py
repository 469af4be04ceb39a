#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A page of tables from a result of kernel_bench.

    build/release/benchmarks/kernel_bench --benchmark_out=RESULT.json --benchmark_out_format=json
    scripts/bench/kernel_report.py RESULT.json [--out PAGE.md]

A row for each kernel and shape, a column for each target: its rate, its share of the ceiling beside
it, and its error.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

UNITS = {"matmul": "Gop/s", "matvec": "GB/s", "attention": "GFLOP/s", "rows": "GB/s"}
CEILINGS = {
    "matmul": "the instruction that it is made of, from registers",
    "matvec": "reading memory in order",
    "attention": "f32 FMA, from registers; masked pairs do not count as work",
    "rows": "copying as many bytes, in 512 rows that lie in the caches",
}
SHAPES = {
    "matmul": "weights / columns x rows / rows of x",
    "matvec": "weights / columns",
    "attention": "cache / head dim / queries of keys, 8 heads on one",
    "rows": "kernel / floats of a row",
}


def rows_of(result):
    """{kind: {row: {target: entry}}} and the targets in order."""
    table, targets = defaultdict(lambda: defaultdict(dict)), []
    for entry in result["benchmarks"]:
        kind, *shape, target = entry["name"].removesuffix("/manual_time").split("/")
        if target not in targets:
            targets.append(target)
        table[kind]["/".join(shape)][target] = entry
    return table, targets


def cell(entry):
    if entry is None:
        return ""
    rate = entry.get("Gop/s", entry.get("GB/s"))
    text = f"{rate:.0f} · {100 * entry['share']:.0f} %"
    if "error" in entry:
        text += f" · {entry['error']:.0e}"
    if "openblas" in entry:
        text += f" · {rate / entry['openblas']:.2f} ×"
    return text


def page(result, name):
    context = result["context"]
    lines = [
        "# Kernels of the CPU engine, measured",
        "",
        f"From [{name}]({name}): {context['date'][:10]}, {context['threads']} thread(s),",
        f"{context['features']}. Written by `scripts/bench/kernel_report.py`.",
        "",
        "Each cell: rate · share of the ceiling, measured beside each sample · error against doubles ·",
        "of f32 the ratio to OpenBLAS's sgemm for the same product, in the same run.",
    ]
    table, targets = rows_of(result)
    for kind, rows in table.items():
        lines += ["", f"## {kind}", ""]
        lines += [f"{UNITS[kind]}; the ceiling is {CEILINGS[kind]}.", ""]
        lines += [f"| {SHAPES[kind]} | " + " | ".join(targets) + " |"]
        lines += ["| --- |" + " --: |" * len(targets)]
        for row, entries in rows.items():
            cells = " | ".join(cell(entries.get(target)) for target in targets)
            lines += [f"| {row} | {cells} |"]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    text = page(json.loads(options.result.read_text()), options.result.name)
    if options.out:
        options.out.write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
