# SPDX-License-Identifier: Apache-2.0
"""Nodes of a ggml graph as they are computed, through llama.cpp's cb_eval, by ctypes.

A node is known by several names: its own, `OP(name of a source)` and those followed by `.src0`,
`.src1` for what it was computed from. Values are copied in the callback: buffers are reused.
"""

import ctypes

import numpy as np

AXES, SOURCES = 4, 10
TYPES = {0: np.float32, 1: np.float16, 26: np.int32}  # of a computed node


class Tensor(ctypes.Structure):
    pass


Tensor._fields_ = [  # ggml.h of ggml 0.25
    ("type", ctypes.c_int),
    ("buffer", ctypes.c_void_p),
    ("ne", ctypes.c_int64 * AXES),
    ("nb", ctypes.c_size_t * AXES),
    ("op", ctypes.c_int),
    ("op_params", ctypes.c_int32 * 16),
    ("flags", ctypes.c_int32),
    ("src", ctypes.POINTER(Tensor) * SOURCES),
    ("view_src", ctypes.c_void_p),
    ("view_offs", ctypes.c_size_t),
    ("data", ctypes.c_void_p),
    ("name", ctypes.c_char * 64),
]
Callback = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.POINTER(Tensor), ctypes.c_bool, ctypes.c_void_p)


def values(tensor):
    """A copy, the slowest axis first, leading axes of 1 dropped; None for what is no number."""
    if tensor.type not in TYPES or not tensor.data:
        return None
    dtype = np.dtype(TYPES[tensor.type])
    shape, strides = tuple(tensor.ne)[::-1], tuple(tensor.nb)[::-1]
    extent = sum((n - 1) * s for n, s in zip(shape, strides)) + dtype.itemsize
    raw = (ctypes.c_byte * extent).from_address(tensor.data)
    view = np.ndarray(shape, dtype, raw, 0, strides)
    while view.ndim > 2 and view.shape[0] == 1:
        view = view[0]
    return view.copy()


def base_name(tensor):
    """Without what ggml appends to views and reshapes: "Qcur-0 (reshaped)"."""
    return tensor.name.decode(errors="replace").split(" (")[0]


class Listener:
    """on_node(name, function that gives a value) for each name of each node."""

    def __init__(self, op_name, on_node):
        self.op_name, self.on_node = op_name, on_node
        self.error = None
        self.callback = Callback(self._called)

    def _called(self, pointer, ask, _):
        if not ask and self.error is None:
            try:
                self._tell(pointer.contents)
            except Exception as error:  # nothing may be thrown through C
                self.error = error
        return True

    def _tell(self, node):
        names = [node.name.decode(errors="replace")]
        sources = [s.contents for s in node.src if s]
        names += [f"{self.op_name(node.op)}({base_name(source)})" for source in sources[:2]]
        for name in names:
            self.on_node(name, lambda: values(node))
            for k, source in enumerate(sources[:2]):
                self.on_node(f"{name}.src{k}", lambda source=source: values(source))
