# SPDX-License-Identifier: Apache-2.0
"""What the listeners to transformers' encoders share: hooks that clone, names replaced for a while.

A listener takes one item of media through an encoder and keeps its taps, padding rows left out.
"""

from contextlib import contextmanager

import numpy as np
import torch


def first(value):
    return value[0] if isinstance(value, tuple) else value


@contextmanager
def replaced(owner, **values):
    old = {name: getattr(owner, name) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in old.items():
            setattr(owner, name, value)


@contextmanager
def shadowed(pairs: list):
    """[(object, method name, replacement)]: covers methods by attributes of the object."""
    for owner, name, value in pairs:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, _ in pairs:
            delattr(owner, name)


class Listener:
    def __init__(self, model, namespace, dtype: torch.dtype, switches: dict[str, str]):
        self.model, self.namespace, self.dtype = model.model, namespace, dtype
        self.config, self.switches = model.config, switches
        self.taps: dict[str, np.ndarray] = {}
        self.rows = np.zeros(0, int)  # those that are no padding
        self.layer, self.handles = 0, []

    def put(self, name: str, tensor: torch.Tensor) -> None:
        value = tensor.detach().clone()
        if value.is_floating_point():
            if value.dtype != self.dtype and self.dtype == torch.float64:
                raise TypeError(f"{name}: got {value.dtype}, expected float64")
            value = value.to(torch.float64)
        self.taps[name] = value.numpy()

    def put_rows(self, name: str, tensor: torch.Tensor) -> None:
        """[1, S, ...]: the rows that are no padding."""
        self.put(name, tensor[0][self.rows])

    def keeper(self, name: str, index: tuple):
        return lambda value: self.put(name, value[index])

    def rows_keeper(self, name: str):
        return lambda value: self.put_rows(name, value)

    def hook(self, module, side: str, action) -> None:
        if side == "in":
            handle = module.register_forward_pre_hook(lambda _, args: action(args[0]))
        else:  # a hook that returns something would replace the output

            def after(_, args, output) -> None:
                action(first(output))

            handle = module.register_forward_hook(after)
        self.handles.append(handle)

    def hook_table(self, root, table: dict, prefix: str) -> None:
        for tap, (place, side) in table.items():
            self.hook(root.get_submodule(place), side, self.rows_keeper(prefix + tap))

    def hook_entry(self, index: int, layer) -> None:
        def enter(_, args) -> None:
            self.enter(index)

        self.handles.append(layer.register_forward_pre_hook(enter))

    def enter(self, index: int) -> None:
        self.layer = index

    def hook_embedder(self, embedder, at: str, keeper) -> None:
        self.hook(embedder.embedding_pre_projection_norm, "out", keeper(at + "embed.pre_norm"))
        self.hook(embedder, "out", keeper(at + "embed.out"))

    def release(self) -> None:
        for handle in self.handles:
            handle.remove()
        self.handles.clear()
