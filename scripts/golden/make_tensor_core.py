#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden/tables/tensor_core.txt: what tensor cores make of 16 products and a sum, by MMA-Sim.

Needs mmasim 2.1.1 (PyPI, MIT; arXiv 2511.10909) and torch. One line a case, hexadecimal:
a (16 bf16), b (16 bf16), c (f32), the sum of mma.m16n8k16 on Ampere, that of wgmma k16 on Hopper.
"""

import random
from pathlib import Path

import torch
from mmasim.nv_ptx.sim import MMA, WGMMA

ROOT = Path(__file__).resolve().parents[2]
NAME = "tables/tensor_core.txt"


def bf16(values: list[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).to(torch.bfloat16)


def cases() -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Plain numbers; a wide range of exponents; sums that cancel; zeros and subnormal numbers."""
    rng, found = random.Random(16), []
    for i in range(40):
        spread = (0, 4, 12, 30)[i % 4]
        a = [rng.gauss(0, 1) * 2.0 ** rng.uniform(-spread, spread) for _ in range(16)]
        b = [rng.gauss(0, 1) * 2.0 ** rng.uniform(-spread, spread) for _ in range(16)]
        c = rng.gauss(0, 1) * 2.0 ** rng.uniform(-spread, spread)
        if i % 5 == 1:  # cancels but for the last bits
            c = -float((bf16(a).double() * bf16(b).double()).sum())
        if i % 5 == 2:
            a[:12] = [0.0] * 12
        if i % 5 == 3:
            c = 0.0
        found.append((bf16(a), bf16(b), torch.tensor([c], dtype=torch.float32)))
    tiny = bf16([2.0**-130] * 16)
    found.append((tiny, bf16([1.0] * 16), torch.tensor([0.0])))
    found.append((tiny, bf16([-(2.0**-3)] * 16), torch.tensor([2.0**-126])))
    found.append((bf16([0.0] * 16), bf16([1.0] * 16), torch.tensor([-0.0])))
    one = bf16([2.0**12] + [2.0**-12] * 15)
    found.append((one, one, torch.tensor([-(2.0**24)])))
    return found


def bits(x: torch.Tensor) -> list[str]:
    kind, mask, width = (
        (torch.int16, 0xFFFF, 4) if x.dtype == torch.bfloat16 else (torch.int32, 0xFFFFFFFF, 8)
    )
    return [f"{int(v) & mask:0{width}x}" for v in x.view(kind)]


def main() -> None:
    ampere = MMA("Ampere", "m16n8k16.f32.bf16.bf16.f32")
    hopper = WGMMA("Hopper", "m64n8k16.f32.bf16.bf16")
    lines = []
    for a, b, c in cases():
        sums = [core.dpa(a[None], b[None], c) for core in (ampere, hopper)]
        lines.append(" ".join(bits(a) + bits(b) + bits(c) + bits(sums[0]) + bits(sums[1])))
    path = ROOT / "golden" / NAME
    path.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
