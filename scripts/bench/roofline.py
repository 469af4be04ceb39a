#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A roofline of one target from a result of kernel_bench: an SVG.

    scripts/bench/roofline.py RESULT.json --target avx512-vnni --out ROOFLINE.svg

A kernel's place is (operations per byte of memory, operations per second), both on logarithmic
scales. The roofs are medians of what was measured beside the samples: the rate of reading memory
(sloped), and of each instruction from registers (level). A multiply-add counts two operations; an
operand is read once, a result written once.
"""

import argparse
import json
import math
from pathlib import Path
from statistics import median

BYTES = {
    "f32": 4,
    "bf16": 2,
    "q8_0": 34 / 32,
    "q4_0": 18 / 32,
    "q4_k": 148 / 256,
    "q5_k": 180 / 256,
    "q6_k": 210 / 256,
}
HEADS = 8  # on one head of keys, as kernel_bench has them
WIDTH, HEIGHT, LEFT, BOTTOM = 860, 460, 60, 44
COLOURS = {
    "f32": "#3b6ea8",
    "bf16": "#c77d26",
    "q8_0": "#4d8f5b",
    "q4_0": "#a34a6b",
    "q4_k": "#6f5aa8",
    "q5_k": "#2f8f9d",
    "q6_k": "#8a7a2f",
}
MARKS = {"matmul": "product of rows", "matvec": "product of one row", "attention": "attention"}
STYLE = """<style>text{font:11px system-ui,sans-serif;fill:#555}.grid{stroke:#e4e6ea}
.roof{stroke:#555;fill:none;stroke-width:1.4}.head{font-size:13px;fill:#222}</style>"""


def intensity(kind: str, shape: list[str]) -> tuple[str, float]:
    """The storage type, and operations per byte of memory."""
    stored = shape[0].removesuffix("_exact")
    size = BYTES[stored]
    if kind == "matvec":
        return stored, 2 / size
    if kind == "matmul":
        columns, rows = map(int, shape[1].split("x"))
        count = int(shape[2])
        moved = columns * rows * size + 4 * count * (columns + rows)
        return stored, 2 * columns * rows * count / moved
    head_dim = int(shape[1])
    queries, keys = map(int, shape[2].split("of"))
    pairs = queries * keys - queries * (queries - 1) / 2
    moved = 2 * keys * head_dim * size + 2 * 4 * HEADS * queries * head_dim
    return stored, 4 * HEADS * head_dim * pairs / moved


def points(result: dict, target: str) -> list[dict]:
    found = []
    for entry in result["benchmarks"]:
        kind, *shape, of = entry["name"].removesuffix("/manual_time").split("/")
        if of != target or kind not in MARKS:
            continue
        stored, per_byte = intensity(kind, shape)
        rate = entry.get("Gop/s") or entry["GB/s"] * per_byte
        roof = entry.get("Gop/s", entry.get("GB/s")) / entry["share"]
        found.append(
            {
                "kind": kind,
                "stored": stored,
                "exact": shape[0].endswith("_exact"),
                "x": per_byte,
                "y": rate,
                "roof": roof,
                "share": entry["share"],
                "name": "/".join([kind, *shape]),
            }
        )
    return found


def roofs(found: list[dict]) -> tuple[float, dict[str, float]]:
    """GB/s of memory, and Gop/s of each instruction that products were measured against."""
    memory = median(p["roof"] for p in found if p["kind"] == "matvec")

    def of_products(*types: str) -> list[float]:
        rounded = [p for p in found if p["kind"] == "matmul" and not p["exact"]]
        return [p["roof"] for p in rounded if p["stored"] in types]

    kinds = {
        "f32 multiply-add": [p["roof"] for p in found if p["kind"] == "attention"],
        "bf16 dot product": of_products("bf16"),
        "int8 dot product": of_products("q8_0", "q4_0"),  # K types are multiplied in f32
    }
    fma = median(kinds["f32 multiply-add"])
    if kinds["bf16 dot product"] and median(kinds["bf16 dot product"]) < 1.2 * fma:
        del kinds["bf16 dot product"]  # multiplied in f32, as the same roof shows
    return memory, {name: median(rates) for name, rates in kinds.items() if rates}


class Axes:
    def __init__(self, found: list[dict], most: float):
        self.x0 = math.floor(math.log2(min(p["x"] for p in found)))
        self.x1 = math.ceil(math.log2(max(p["x"] for p in found)))
        self.y0 = math.floor(math.log2(min(p["y"] for p in found)))
        self.y1 = math.ceil(math.log2(most))

    def x(self, value: float) -> float:
        share = (math.log2(value) - self.x0) / (self.x1 - self.x0)
        return LEFT + share * (WIDTH - LEFT - 20)

    def y(self, value: float) -> float:
        share = (math.log2(value) - self.y0) / (self.y1 - self.y0)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - 40)


def grid(axes: Axes) -> list[str]:
    lines = []
    for power in range(axes.x0, axes.x1 + 1):
        x = axes.x(2**power)
        lines.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="40" y2="{HEIGHT - BOTTOM}"/>')
        lines.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{2.0**power:g}</text>'
        )
    for power in range(axes.y0, axes.y1 + 1):
        y = axes.y(2**power)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{2.0**power:g}</text>')
    return lines


def roof_lines(axes: Axes, memory: float, levels: dict[str, float]) -> list[str]:
    lines = []
    top = max(levels.values())
    low = max(2**axes.x0, 2**axes.y0 / memory)
    lines.append(
        f'<path class="roof" d="M{axes.x(low):.1f} {axes.y(low * memory):.1f}'
        f'L{axes.x(top / memory):.1f} {axes.y(top):.1f}"/>'
    )
    lines.append(
        f'<text x="{axes.x(low * 2.6):.1f}" y="{axes.y(low * memory * 1.7):.1f}">'
        f"memory, {memory:.0f} GB/s</text>"
    )
    for name, rate in levels.items():
        y = axes.y(rate)
        lines.append(
            f'<path class="roof" d="M{axes.x(rate / memory):.1f} {y:.1f}H{WIDTH - 20}"/>'
            f'<text x="{WIDTH - 24}" y="{y - 5:.1f}" text-anchor="end">{name}, {rate:.0f} Gop/s</text>'
        )
    return lines


def mark(axes: Axes, point: dict) -> str:
    x, y, colour = axes.x(point["x"]), axes.y(point["y"]), COLOURS[point["stored"]]
    fill = "none" if point["exact"] else colour
    title = f"<title>{point['name']}: {point['y']:.0f} Gop/s, {100 * point['share']:.0f} %</title>"
    style = f'fill="{fill}" stroke="{colour}" stroke-width="1.5"'
    if point["kind"] == "matmul":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" {style}>{title}</circle>'
    if point["kind"] == "matvec":
        return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" {style}>{title}</rect>'
    return f'<path d="M{x:.1f} {y - 6:.1f}l6 11h-12z" {style}>{title}</path>'


def legend(found: list[dict]) -> list[str]:
    stored = [name for name in COLOURS if any(p["stored"] == name for p in found)]
    words = "".join(
        f'<tspan fill="{COLOURS[name]}" font-weight="600"> {name}</tspan>' for name in stored
    )
    shapes = "● product of rows  ■ product of one row  ▲ attention  ○ □ rows kept in f32"
    return [f'<text x="{LEFT}" y="{HEIGHT - 8}">operations per byte   {shapes} {words}</text>']


def svg(result: dict, target: str) -> str:
    found = points(result, target)
    if not found:
        raise SystemExit(f"{target}: no kernel of this target in the result")
    memory, levels = roofs(found)
    axes = Axes(found, max(levels.values()))
    context = result["context"]
    head = f"{target}, {context['threads']} thread, {context['date'][:10]}: Gop/s"
    body = [
        f'<text class="head" x="{LEFT}" y="24">{head}</text>',
        *grid(axes),
        *roof_lines(axes, memory, levels),
        *(mark(axes, point) for point in found),
        *legend(found),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">{STYLE}<rect width="100%" height="100%" fill="#fff"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.write_text(svg(json.loads(options.result.read_text()), options.target))


if __name__ == "__main__":
    main()
