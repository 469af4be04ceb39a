#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times llama.cpp on a GGUF file, request by request, for compare_llama_cpp.py.

    python llama_cpp_bench.py FILE.gguf THREADS

Reads lines `pp N` (a prompt of N tokens) and `tg N D` (N tokens after D in the cache) and answers
each with its seconds. The cache is f16, batches have 512 tokens, flash attention is left to
llama.cpp. Needs llama-cpp-python; LLAMA_CPP_LIB_PATH may name a build of one's own.
"""

import ctypes
import sys
import time

import llama_cpp.llama_cpp as llama

QUIET = llama.llama_log_callback(lambda *_: None)
BATCH = 512
CONTEXT = 4096


def some_ids(count, vocabulary):
    """The ids of `assay bench`: without a meaning, far apart in the table."""
    ids, state = [], 17
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        ids.append((state >> 8) % min(vocabulary, 200000))
    return ids


class Model:
    def __init__(self, path, threads):
        llama.llama_log_set(QUIET, ctypes.c_void_p(0))
        llama.llama_backend_init()
        self.model = llama.llama_model_load_from_file(
            path.encode(), llama.llama_model_default_params()
        )
        if not self.model:
            raise SystemExit(f"llama_cpp_bench: {path}: llama.cpp cannot load it")
        params = llama.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = CONTEXT, BATCH, BATCH
        params.n_threads = params.n_threads_batch = threads
        self.context = llama.llama_init_from_model(self.model, params)
        vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self.model))
        self.ids = some_ids(CONTEXT, vocabulary)

    def decode(self, ids):
        array = (llama.llama_token * len(ids))(*ids)
        if llama.llama_decode(self.context, llama.llama_batch_get_one(array, len(ids))) != 0:
            raise SystemExit("llama_cpp_bench: llama_decode failed")

    def prompt(self, count):
        llama.llama_memory_clear(llama.llama_get_memory(self.context), True)
        start = time.perf_counter()
        for first in range(0, count, BATCH):
            self.decode(self.ids[first : min(count, first + BATCH)])
        llama.llama_synchronize(self.context)
        return time.perf_counter() - start

    def generate(self, count, depth):
        self.prompt(depth)
        start = time.perf_counter()
        for token in self.ids[:count]:
            self.decode([token])
        llama.llama_synchronize(self.context)
        return time.perf_counter() - start


def main():
    model = Model(sys.argv[1], int(sys.argv[2]))
    model.prompt(32)  # touches the weights
    print("ready", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "pp":
            seconds = model.prompt(int(words[1]))
        else:
            seconds = model.generate(int(words[1]), int(words[2]))
        print(seconds, flush=True)


if __name__ == "__main__":
    main()
