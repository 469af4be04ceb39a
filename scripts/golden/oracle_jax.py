# SPDX-License-Identifier: Apache-2.0
"""Runs a checkpoint through DeepMind's JAX code and writes every tap it can see.

    python oracle_jax.py --checkpoint DIR --case CASE.npz --precision f64|f32|bf16 --out TAPS.npz
        [--unrepaired-router]
    python oracle_jax.py --precision P --jobs JOBS.json     (a list of such argument lists)

What is run: `Transformer` of the published package gemma 4.0.1, on the CPU, without jit, built
from config.json and safetensors alone. A case has ids, perhaps token_types and soft-token
embeddings with kinds or items of media with a profile (jax_media.py), perhaps decode_from: ids
before it are prefilled, the others decoded one by one through the package's own cache. Exit code 77: this code
cannot run such a checkpoint or case (one line why); among several jobs such a job writes a file
with the reason alone, and the others are run.

How fp64 is reached: parameters and soft-token embeddings are float64, jax_enable_x64 is on, and the
name `jnp` in the modules that cast to float32 by name (angles, router, vision encoder) is replaced by an
object that means float64 by it; jax_package.py rewrites the audio encoder. With f32 and bf16
nothing is widened; the package rounds where it rounds.

What is repaired, and why:
* router (unless --unrepaired-router): 4.0.1 hands the MoE router the normalised input of the
  experts, normalised again; later versions and every other program hand it the residual (DIV-14).
  `router_norm` receives the argument of `pre_ffw_norm` instead of its result.
* soft-token embeddings: `_encode_vision` and `_encode_audio` return those of the case; no encoder
  runs. Items of media go through them one by one (jax_media.py says what else is repaired for them).
* `remove_mm_logits` is the identity; the original shifts rows of calls with images (DIV-M45).
* padding: no row of a case is padding, so the padding id is -1 and id 0 is an ordinary token.
* placeholder rows look up the padding row, as elsewhere, not row -2; they are replaced anyway.
* keys and values of KV-shared layers are NaN: the package computes and drops them.
"""

import argparse
import contextlib
import json
import os
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Every primitive is compiled by itself: hundreds of small programs, kept from run to run.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import numpy as np

import jax_encoders
import safetensors_file
from jax_checkpoint import Config, Unsupported, require, transformer_arguments
from jax_media import Encoders, Items
from jax_model import build_model, encoder_arguments, nested, text_weights, encoder_weights
from jax_package import load_package, quiet
from jax_taps import NOT_PROVIDED, Recorder, join, to_numpy

CANNOT_RUN = 77
IMAGE, AUDIO = -2, -4  # the package's placeholders; it has no other for video frames
TYPE_OF_KIND = {"image": 1, "frame": 2, "audio": 3}
PACKAGES = ("gemma", "jax", "jaxlib", "flax", "kauldron", "numpy")


class Case:
    """ids as the package wants them, embeddings or items by modality, where decoding begins."""

    def __init__(self, path: Path, config: Config):
        data = np.load(path)
        self.ids = data["ids"].astype(np.int32)
        self.length = len(self.ids)
        self.decode_from = int(data["decode_from"]) if "decode_from" in data else self.length
        kinds = [str(kind) for kind in data["kinds"]] if "kinds" in data else []
        soft = [data[f"soft_{k}"] for k in range(len(kinds))]
        types = self._types(data, config, kinds)
        self.items = Items(data) if "items" in data else None
        if self.items is None:
            self._check_soft(types, kinds, soft)
        self._check(config, types)
        is_audio = [kind == "audio" for kind in kinds]
        self.vision = [s for s, audio in zip(soft, is_audio) if not audio]
        self.audio = [s for s, audio in zip(soft, is_audio) if audio]
        self.has_vision, self.has_audio = bool({1, 2} & set(types)), 3 in types
        self.tokens = np.where(types == 3, AUDIO, np.where(types > 0, IMAGE, self.ids))

    @property
    def encoded(self) -> list[str]:
        """Which encoders of the package run."""
        kinds = ["vision"] * self.has_vision + ["audio"] * self.has_audio
        return kinds if self.items else []

    def _types(self, data, config: Config, kinds: list[str]) -> np.ndarray:
        if "token_types" in data:
            return data["token_types"].astype(np.int32)
        names = [config.placeholder_ids.get(int(i)) if kinds else None for i in self.ids]
        return np.array([TYPE_OF_KIND.get(name, 0) for name in names], np.int32)

    def _check_soft(self, types, kinds, soft) -> None:
        expected = [TYPE_OF_KIND[kind] for kind, s in zip(kinds, soft) for _ in range(len(s))]
        require(
            list(types[types > 0]) == expected,
            "soft-token embeddings do not match the placeholders",
        )

    def _check(self, config: Config, types) -> None:
        require(self.length > 0 and len(types) == self.length, "no ids, or types of other length")
        require(0 <= self.decode_from <= self.length, "decode_from outside the prompt")
        vocab, words = config.text["vocab_size"], self.ids[types == 0]
        require(words.min() >= 0 and words.max() < vocab, "ids outside the vocabulary")
        require(
            types[0] == 0,
            "a soft-token embedding at position 0: the JAX merge always keeps that row",
        )
        require(not types[self.decode_from :].any(), "placeholders among the decoded tokens")
        pad = config.pad_id
        require(
            not types.any() or pad == 0, f"pad_token_id {pad}: JAX gives placeholders PLE row 0"
        )


# ---- running ---------------------------------------------------------------------------------


class Runner:
    """One model, the process's recorder, and the calls of a case."""

    def __init__(self, oracle: "Oracle", config: Config, case: Case):
        self.package, self.recorder, self.encoders = (
            oracle.package,
            oracle.recorder,
            oracle.encoders,
        )
        self.case, self.params = case, oracle.parameters(config, case)
        self.jnp = self.package.jax.numpy
        soft = case.has_vision and not case.items
        encoders = encoder_arguments(self.package, config, case.encoded, soft)
        self.model = build_model(self.package, config, encoders)
        cls = self.package.transformer.Transformer
        cls._encode_vision = lambda model, images: self._soft(model, "vision")
        cls._encode_audio = lambda model, audio, lengths, counts: self._soft(model, "audio")
        if case.items:
            self.encoders.begin(case.items)

    def _soft(self, model, kind: str):
        if not self.case.items:
            rows = np.concatenate(getattr(self.case, kind))
            return self.jnp.asarray(rows[None], dtype=self.package.dtype)
        self.recorder.muted = True
        rows = getattr(self.encoders, f"encode_{kind}")(model)
        self.recorder.muted = False
        return rows

    def call(self, tokens: np.ndarray, **arguments):
        """One forward call: its taps in numpy, and the new cache."""
        self.recorder.start()
        tokens = self.jnp.asarray(tokens[None])
        with self.package.jax.disable_jit(), contextlib.ExitStack() as stack:
            for recorder in (self.recorder, self.encoders.vision, self.encoders.audio):
                stack.enter_context(self.package.linen.intercept_methods(recorder.intercept))
            output = self.model.apply({"params": self.params}, tokens, **arguments)
        taps = self.recorder.finish(self.params, output.logits)
        dtype = np.float64 if self.package.dtype == self.jnp.float64 else np.float32
        return {name: to_numpy(value, dtype) for name, value in taps.items()}, output.cache

    def media(self) -> dict:
        """Arguments that send a call down the package's path for soft-token embeddings."""
        given = {}
        if self.case.has_vision:
            empty = self.package.transformer.PreprocessedVisionInput
            given["images"] = empty(patches=None, positions_xy=None, soft_token_counts=())
        if self.case.has_audio:
            given["audio"] = np.zeros((1, 1, 1))
        return given

    def run(self) -> dict:
        case = self.case
        if case.decode_from == case.length:
            taps = join([self.call(case.tokens, **self.media())[0]], case.length)
            return taps | (self.encoders.taps() if case.items else {})
        calls = []
        cache = self._empty_cache()
        if case.decode_from:
            short = {layer: self._cut(entry) for layer, entry in cache.items()}
            prompt = case.tokens[: case.decode_from]
            taps, filled = self.call(prompt, cache=short, **self.media())
            calls.append(taps)
            cache = {layer: self._put_back(cache[layer], filled[layer]) for layer in cache}
        for position in range(case.decode_from, case.length):
            taps, cache = self.call(
                case.tokens[position : position + 1],
                cache=cache,
                positions=self.jnp.asarray([[position]]),
                attention_mask=(self.jnp.arange(case.length) <= position)[None, None],
            )
            calls.append(taps)
        return join(calls, case.length)

    def _empty_cache(self) -> dict:
        cache = self.model.config.init_cache(1, self.package.dtype, cache_length=self.case.length)
        for entry in cache.values():  # the integer type that positions have
            entry["positions"] = entry["positions"].astype(int)
        return cache

    def _cut(self, entry: dict) -> dict:
        """The cache at the prompt's length: a call with embeddings makes its mask that wide."""
        size = self.case.decode_from
        return {k: v if k == "end_index" else v[:, :size] for k, v in entry.items()}

    def _put_back(self, entry: dict, filled: dict) -> dict:
        size = self.case.decode_from
        back = {k: v.at[:, :size].set(filled[k]) for k, v in entry.items() if k != "end_index"}
        return back | {"end_index": filled["end_index"]}

    def kv_sources(self) -> dict:
        """attn.kv_source of every layer, as the package maps them."""
        config = self.model.config
        sources = self.package.config.create_kv_cache_sharing_patterns(
            config.kv_cache_sharing_config, config.num_layers, config.attention_types
        )
        names = [f"text.layer.{i}.attn.kv_source" for i in range(config.num_layers)]
        return {name: np.array([s], np.int32) for name, s in zip(names, sources)}


# ---- output ----------------------------------------------------------------------------------


def describe(config: Config, case: Case, precision: str, repair_router: bool) -> dict:
    repairs = ["padding id -1"]
    if case.items:
        repairs += case.items.repairs() + ["placeholder rows read the padding row"]
    elif case.vision or case.audio:
        repairs += ["soft vectors instead of towers", "placeholder rows read the padding row"]
    if case.vision:
        repairs.append("remove_mm_logits is the identity (DIV-M45)")
    if config.moe and repair_router:
        repairs.append("router sees the residual (DIV-14)")
    if precision == "f64":
        repairs.append("float32 means float64 in the package's source")
    return {
        "oracle": "google-deepmind/gemma",
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "precision": precision,
        "repairs": repairs,
        "recomputed": {
            "text.embed_rows": "table rows of text.ids",
            "text.ple.token": "the package's expression on table rows of text.ple.ids",
            "text.ple.proj": "projection (scaled in its weight) times sqrt(D)",
            "text.layer.{i}.ffn.residual": "the package's addition of its two recorded operands",
            "text.layer.{i}.ple.residual": "the package's addition of its two recorded operands",
            "text.layer.{i}.moe.topk_weight": "recorded weight times per_expert_scale",
        },
        "not_provided": NOT_PROVIDED,
    }


class Oracle:
    """What a process keeps from job to job: the package, the recorders, one checkpoint."""

    def __init__(self, precision: str):
        self.precision, self.package = precision, None
        self.folder, self.stored, self.flat = None, {}, {}

    def load(self, folder: Path) -> None:
        if self.package is None:
            with quiet():
                self.package = load_package(self.precision)
            self.recorder = Recorder(self.package.jax, self.package, self.package.float32)
            self.encoders = Encoders(self.package)
        if folder != self.folder:
            self.folder, self.stored = folder, safetensors_file.read_directory(folder)
            self.flat = {}

    def parameters(self, config: Config, case: Case) -> dict:
        """The flax tree of the parts that the case needs."""
        if "text" not in self.flat:
            self.flat["text"] = text_weights(self.package, config, self.stored)
        needed = ["text", *case.encoded]
        for kind in case.encoded:
            if kind not in self.flat:
                self.flat[kind] = encoder_weights(self.package, config, self.stored, kind)
        if "vision" in needed:
            bounds = jax_encoders.own_bounds(config.top["vision_config"], self.stored)
            self.encoders.vision.bounds = bounds
        asarray, dtype = self.package.jax.numpy.asarray, self.package.dtype
        flat = {path: array for kind in needed for path, array in self.flat[kind].items()}
        return nested({path: asarray(array, dtype=dtype) for path, array in flat.items()})

    def run(self, job: argparse.Namespace) -> None:
        config = Config(job.checkpoint)
        case = Case(job.case, config)
        transformer_arguments(config)  # refuses before anything slow is imported
        self.load(job.checkpoint)
        self.recorder.config, self.recorder.repair_router = config, not job.unrepaired_router
        runner = Runner(self, config, case)
        taps = runner.run() | runner.kv_sources()
        meta = describe(config, case, self.precision, not job.unrepaired_router)
        if "vision" in case.encoded and self.encoders.vision.bounds:
            meta["repairs"].append("fused linears with bounds of their own run twice (DIV-M44)")
        save(job.out, meta, taps)


def save(path: Path, meta: dict, taps: dict) -> None:
    with open(path, "wb") as file:
        np.savez(file, __meta__=json.dumps(meta), **taps)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--case", type=Path)
    parser.add_argument("--precision", choices=("f64", "f32", "bf16"), default="f64")
    parser.add_argument("--unrepaired-router", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--jobs", type=Path, help="JSON list of argument lists, one precision")
    return parser


def main() -> int:
    parser = make_parser()
    arguments = parser.parse_args()
    jobs = [arguments]
    if arguments.jobs:
        jobs = [parser.parse_args(job) for job in json.loads(arguments.jobs.read_text())]
    if not all(job.checkpoint and job.case and job.out for job in jobs):
        parser.error("a job needs --checkpoint, --case and --out")
    oracle, refused = Oracle(arguments.precision), 0
    for job in jobs:
        try:
            oracle.run(job)
        except Unsupported as reason:
            refused += 1
            name = f"{job.checkpoint.name}, {job.case.parent.name}"
            print(f"oracle_jax: {name}: cannot run: {reason}", file=sys.stderr)
            save(job.out, {"cannot_run": str(reason)}, {})
    return CANNOT_RUN if refused == len(jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
