# SPDX-License-Identifier: Apache-2.0
"""torch with sums in plain ascending order: what an honest fp32 program with simple loops computes.

torch's own sums are pairwise or vectorised and lose less where rows are long (6912 numbers in a
patch of the 12B). Replaced are linear, layer_norm and the mean inside RMS norms; tiny models only.
"""

from contextlib import contextmanager

import numpy as np
import torch

from hf_listener import replaced

LARGEST = 2**23  # products at a time


def total(values: np.ndarray) -> np.ndarray:
    """Over the last axis, which stays, in the type of the values."""
    return np.add.accumulate(values, axis=-1)[..., -1:]


def linear(x: torch.Tensor, weight: torch.Tensor, bias=None) -> torch.Tensor:
    flat, w = x.detach().reshape(-1, x.shape[-1]).numpy(), weight.detach().numpy()
    out, step = np.empty((len(flat), len(w)), flat.dtype), max(1, LARGEST // w.size)
    for begin in range(0, len(flat), step):
        out[begin : begin + step] = total(flat[begin : begin + step, None, :] * w)[..., 0]
    result = torch.from_numpy(out).reshape(*x.shape[:-1], len(w))
    return result if bias is None else result + bias


def mean(x: torch.Tensor, *axis, keepdim: bool = False) -> torch.Tensor:
    if axis != (-1,) or not keepdim:
        raise ValueError(f"mean over {axis}, keepdim {keepdim}: only over the last, which stays")
    return torch.from_numpy(total(x.detach().numpy()) / np.float32(x.shape[-1]))


def layer_norm(x: torch.Tensor, shape, weight=None, bias=None, eps: float = 1e-5) -> torch.Tensor:
    """The mean is taken twice: in a nearly flat patch the rounding of one long sum is as large as
    the deviations, and no floor should excuse that."""
    first = mean(x, -1, keepdim=True)
    deviation = x - (first + mean(x - first, -1, keepdim=True))
    result = deviation / torch.sqrt(mean(deviation * deviation, -1, keepdim=True) + eps)
    result = result if weight is None else result * weight
    return result if bias is None else result + bias


@contextmanager
def plain_sums():
    functions = replaced(torch.nn.functional, linear=linear, layer_norm=layer_norm)
    with functions, replaced(torch.Tensor, mean=mean):
        yield
