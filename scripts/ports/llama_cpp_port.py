#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run llama.cpp as a port: one golden case of text in, one dump out.

    python llama_cpp_port.py --checkpoint X.gguf --case GOLDEN.h5 --out DUMP.h5|.safetensors
        [--cache f32|f16] [--typical]

Needs llama-cpp-python 0.3.36 (LLAMA_CPP_LIB_PATH may name another build of its libraries), numpy,
h5py. One call for the whole prompt, fp32 cache, no flash attention, one thread. Exit codes: 0
written, 2 bad input, 77 case not supported.
"""

import argparse
import csv
import ctypes
import sys
from pathlib import Path

import numpy as np

from assay_dump import Dump, DumpError
from ggml_nodes import Listener

MAP = Path(__file__).resolve().parent / "llama_cpp_nodes.csv"
UNUSUAL = ("attn.scores", "attn.probs", "mask.", "_rope", "_ctx", "attn.mix", "ple.in")


class NotSupported(Exception):
    pass


class PortError(Exception):
    pass


class Model:
    """What the map's words need to know of the file."""

    def __init__(self, llama, handle):
        self.layers = llama.llama_model_n_layer(handle)
        self.read = lambda key: self._read(llama, handle, key)
        self.width = int(self.read("gemma4.embedding_length"))
        self.ple = int(self.read("gemma4.embedding_length_per_layer_input") or 0)
        self.head_dim = [int(self.read("gemma4.attention.key_length" + end)) for end in ("", "_swa")]

    @staticmethod
    def _read(llama, handle, key):
        text = ctypes.create_string_buffer(4096)
        got = llama.llama_model_meta_val_str(handle, key.encode(), text, len(text))
        return text.value.decode() if got >= 0 else None


class Taps:
    """Nodes into taps, by the rows of the map."""

    def __init__(self, dump, model, sliding, tokens, typical):
        self.dump, self.model, self.sliding, self.tokens = dump, model, sliding, tokens
        self.wanted = {}
        self.seen = set()
        with MAP.open() as file:
            for row in csv.DictReader(file):
                if typical and any(word in row["tap"] for word in UNUSUAL):
                    continue
                for layer in range(model.layers) if "{i}" in row["node"] else [0]:
                    tap, node = (row[key].replace("{i}", str(layer)) for key in ("tap", "node"))
                    how = row["how"].split()
                    self.wanted.setdefault(node, []).append((tap, layer, how))

    def on_node(self, name, value):
        for tap, layer, how in self.wanted.get(name, ()):
            if tap not in self.seen and self.is_of_kind(layer, how):
                array = value()
                if array is not None:
                    self.seen.add(tap)
                    self.dump.add(tap, self.shaped(array, layer, how))

    def is_of_kind(self, layer, how):
        kind = "sliding" if self.sliding[layer] else "full"
        return kind in how or not {"sliding", "full"} & set(how)

    def shaped(self, array, layer, how):
        """ggml's axes, slowest first, into the tap's."""
        if "heads" in how:
            return array.reshape(self.tokens, -1, self.model.head_dim[self.sliding[layer]])
        if "layers=P" in how:
            return array.reshape(self.tokens, -1, self.model.ple)
        if "row_of_ple" in how:  # before its scale
            scale = np.float32(np.sqrt(np.float32(self.model.ple)))
            return array.reshape(self.tokens, -1, self.model.ple) * scale
        if "mask" in how:
            return (array.reshape(-1, array.shape[-1])[: self.tokens, : self.tokens] == 0).astype(
                np.int32
            )
        if "scores" in how:  # [H, T, S]
            return array.reshape(-1, *array.shape[-2:]).transpose(1, 0, 2)[..., : self.tokens]
        if "keys" in how:  # [K, S, H], values [K, H, S]
            array = array.reshape(-1, *array.shape[-2:])
            array = array.swapaxes(1, 2) if "swap" in how else array
            return array.transpose(1, 0, 2)[: self.tokens]
        if "flat" in how:
            return array.reshape(self.tokens, -1)
        return array


def read_case(path):
    import h5py

    with h5py.File(path) as root:
        inputs = root["inputs"]
        if "media" in inputs or "draft" in inputs:
            raise NotSupported("soft-token embeddings, media and drafts")
        return inputs["ids"][()].astype(np.int32)


def load(llama, path):
    llama.llama_log_set(QUIET, None)
    llama.llama_backend_init()
    settings = llama.llama_model_default_params()
    settings.n_gpu_layers = 0
    handle = llama.llama_model_load_from_file(str(path).encode(), settings)
    if not handle:
        raise PortError(f"{path}: llama.cpp does not load it")
    return handle


def context(llama, handle, tokens, cache, callback):
    settings = llama.llama_context_default_params()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = max(256, tokens)
    settings.n_threads = settings.n_threads_batch = 1
    settings.type_k = settings.type_v = {"f32": 0, "f16": 1}[cache]
    settings.flash_attn_type = 0  # off: else there are no scores
    settings.swa_full = True  # key slots are positions
    settings.offload_kqv = False
    settings.cb_eval = ctypes.cast(callback, type(settings.cb_eval))
    if hasattr(settings, "n_outputs_max"):
        settings.n_outputs_max = tokens
    return llama.llama_init_from_model(handle, settings)


def decode(llama, ctx, ids):
    batch = llama.llama_batch_init(len(ids), 0, 1)
    batch.n_tokens = len(ids)
    for t, token in enumerate(ids):
        batch.token[t], batch.pos[t] = int(token), t
        batch.n_seq_id[t], batch.seq_id[t][0], batch.logits[t] = 1, 0, 1
    if status := llama.llama_decode(ctx, batch):
        raise PortError(f"llama_decode: got status {status}")


def op_names(llama_cpp):
    library = ctypes.CDLL(str(Path(library_folder(llama_cpp)) / "libggml-base.so"))
    library.ggml_op_name.restype = ctypes.c_char_p
    return lambda op: library.ggml_op_name(op).decode()


def library_folder(llama_cpp):
    import os

    return os.environ.get("LLAMA_CPP_LIB_PATH") or Path(llama_cpp.__file__).parent / "lib"


def run_port(options):
    import llama_cpp.llama_cpp as llama

    global QUIET
    QUIET = llama.llama_log_callback(lambda *_: None)
    ids = read_case(options.case)
    handle = load(llama, options.checkpoint)
    model = Model(llama, handle)
    sliding = sliding_layers(options.checkpoint)
    with Dump(options.out) as dump:
        taps = Taps(dump, model, sliding, len(ids), options.typical)
        listener = Listener(op_names(llama), taps.on_node)
        ctx = context(llama, handle, len(ids), options.cache, listener.callback)
        dump.add("text.ids", ids)
        decode(llama, ctx, ids)
        if listener.error:
            raise listener.error


def sliding_layers(path):
    """The pattern is an array, which llama.cpp's text of the metadata cuts short."""
    from gguf import GGUFReader

    field = GGUFReader(path).fields["gemma4.attention.sliding_window_pattern"]
    return [bool(field.parts[k][0]) for k in field.data]


def main(arguments=None):
    parser = argparse.ArgumentParser(description="run llama.cpp as a port of assay")
    parser.add_argument("--checkpoint", required=True, help="GGUF file")
    parser.add_argument("--case", required=True, help="golden file (HDF5) whose ids are run")
    parser.add_argument("--out", required=True, help="dump to write: .h5 or .safetensors")
    parser.add_argument("--cache", choices=("f32", "f16"), default="f32")
    parser.add_argument("--typical", action="store_true", help="no scores, masks, rotated tensors")
    options = parser.parse_args(arguments)
    try:
        run_port(options)
    except NotSupported as reason:
        print(f"not supported: {reason}", file=sys.stderr)
        return 77
    except (PortError, DumpError, OSError, KeyError, ImportError) as error:
        print(f"llama_cpp_port: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
