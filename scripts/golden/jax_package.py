# SPDX-License-Identifier: Apache-2.0
"""Imports DeepMind's package and removes what stands in the way of fp64.

The package casts to float32 in three ways: by the name `jnp.float32` inside functions (the modules'
name `jnp` is replaced, here and by the recorders), by the string 'float32' and in the defaults of
dataclass fields. The last two are all in the audio encoder, whose source is changed before it is
imported. Its rounded 1.442695041 for 1/ln 2 is replaced there too, or fp64 would stop at 1e-10
(DIV-M43).
"""

import contextlib
import importlib
import importlib.util
import os
import sys
from importlib import metadata
from types import ModuleType, SimpleNamespace

from jax_checkpoint import require

GEMMA4 = "gemma.gm.nn.gemma4."
WIDER = {
    "astype('float32')": "astype('float64')",
    "np.float32": "np.float64",  # jnp.float32, too
    "1.442695041": "1.4426950408889634",
}


class Forward:
    """An object that answers like another one, except for the names given."""

    def __init__(self, target, **replaced):
        self.__dict__.update(replaced)
        self._target = target

    def __getattr__(self, name):
        return getattr(self._target, name)


@contextlib.contextmanager
def quiet():
    """Without what native code says on stderr: the package imports tensorflow, never used."""
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


def import_wider(name: str) -> ModuleType:
    """The module, from source text in which float32 is float64."""
    spec = importlib.util.find_spec(name)
    source = spec.loader.get_source(name)
    for old, new in WIDER.items():
        source = source.replace(old, new)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(source, spec.origin, "exec"), module.__dict__)
    parent, leaf = name.rsplit(".", 1)
    setattr(importlib.import_module(parent), leaf, module)
    return module


def load_package(precision: str) -> SimpleNamespace:
    """jax and the package's modules, 64-bit types on for f64 before anything is computed."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", precision == "f64")
    found = metadata.version("gemma")
    require(found == "4.0.1", f"package gemma {found}: this script repairs version 4.0.1")
    if precision == "f64":
        for leaf in ("_modules", "_model"):
            import_wider(GEMMA4 + "audio." + leaf)
    parts = {
        "transformer": GEMMA4 + "_transformer",
        "config": GEMMA4 + "_config",
        "modules": GEMMA4 + "_modules",
        "moe": GEMMA4 + "_moe",
        "rope": "gemma.gm.math._positional_embeddings",
        "types": "gemma.gm.utils._types",
        "linen": "flax.linen",
        "vision_encoder": GEMMA4 + "vision._encoder",
        "vision_layers": GEMMA4 + "vision._layers",
        "vision_modules": GEMMA4 + "vision._modules",
        "vision_images": GEMMA4 + "vision._images",
        "vision_pixels": GEMMA4 + "vision._preprocessing",
        "audio_model": GEMMA4 + "audio._model",
        "audio_modules": GEMMA4 + "audio._modules",
    }
    package = SimpleNamespace(jax=jax, **{k: importlib.import_module(v) for k, v in parts.items()})
    jnp = jax.numpy
    package.dtype = {"f64": jnp.float64, "f32": jnp.float32, "bf16": jnp.bfloat16}[precision]
    package.float32 = jnp.float64 if precision == "f64" else jnp.float32
    package.transformer._PADDING_ID = package.types._PADDING_ID = -1
    package.transformer._token_utils.remove_mm_logits = lambda *, logits, **_: logits
    return package
