# SPDX-License-Identifier: Apache-2.0
"""Taps of DeepMind's JAX model: a flax interceptor, and recording stand-ins for a few functions.

`Recorder.intercept` goes into `flax.linen.intercept_methods` and sees every module call with its
arguments and result. What is not a module boundary (scores, masks, rotated q and k, angle tables,
router interior) is seen by replacing names in the package's modules with objects that forward
everything else: see `Recorder._install`. Meant for `jax.disable_jit()`, where arrays are concrete.

One forward call fills one dictionary of taps without batch axis; `join` puts the calls of a
prefill and its decode steps together by position.
"""

import re

import numpy as np

from jax_package import Forward

# Inside a block: module name -> tap of its result; the block's prefix is added.
RESULTS = {
    "pre_attention_norm": "attn.norm_in",
    "q_einsum": "attn.q_proj",
    "query_norm": "attn.q_norm",
    "key_norm": "attn.k_norm",
    "value_norm": "attn.v_norm",
    "attention_weights": "attn.probs",
    "attn_vec_einsum": "attn.o_proj",
    "post_attention_norm": "attn.post_norm",
    "linear": "ffn.down",
    "post_ffw_norm": "ffn.post_norm",
    "pre_ffw2_norm": "ffn.norm_in",
    "post_ffw2_norm": "moe.dense_norm",
    "router_norm": "moe.router_norm",
    "router_logits": "moe.router_logits",
    "post_ffw1_norm": "moe.norm_out",
    "per_layer_input_gate": "ple.gate",
    "per_layer_projection": "ple.proj",
    "post_per_layer_input_norm": "ple.norm",
}
# Module name -> tap of its last positional argument.
ARGUMENTS = {
    "attn_vec_einsum": "attn.mix",
    "pre_ffw_norm": "attn.residual",
    "linear": "ffn.mul",
    "router_logits": "moe.router_in",
    "per_layer_projection": "ple.mul",
}
MODEL_RESULTS = {
    "final_norm": "text.final_norm",
    "per_layer_model_projection": "raw.ple.proj",
    "per_layer_projection_norm": "text.ple.ctx",
}
WATCHED_METHODS = ("__call__", "encode", "encode_per_layer_input", "decode", "_router")
SHARED_HAVE_NO = ("attn.k_proj", "attn.v_proj", "attn.k_norm", "attn.v_norm", "attn.k_rope")
NOT_PROVIDED = {
    "text.layer.{i}.cache.k": "the JAX cache keeps every position: equal to attn.k_ctx",
    "text.layer.{i}.cache.v": "the JAX cache keeps every position: equal to attn.v_ctx",
    "text.layer.{i}.cache.pos": "the JAX cache keeps every position: 0..T-1",
}


class Recorder:
    """Collects the taps of one forward call after another."""

    def __init__(self, jax, package, float32):
        """`float32` is what `jnp.float32` shall mean in the package."""
        self.config, self.repair_router = None, True  # of the job
        self.taps: dict = {}
        self.stack: list = []  # modules being called, outermost first
        self.layer = None  # index of the block being called; stand-ins are silent outside
        self.router_argument = None
        self.muted = False  # while encoders run
        self._install(jax, package, float32)

    def start(self) -> None:
        self.taps, self.stack, self.layer = {}, [], None

    def put(self, name: str, value) -> None:
        self.taps[name] = value[0]  # the batch has one row

    def put_layer(self, name: str, value) -> None:
        if self.layer is None or (name in SHARED_HAVE_NO and self.config.is_shared(self.layer)):
            return
        self.put(f"text.layer.{self.layer}.{name}", value)

    def _raw(self, name: str, value) -> None:
        self.taps[f"raw.layer.{self.layer}.{name}"] = value

    # ---- the interceptor ---------------------------------------------------------------------

    def intercept(self, next_function, args, kwargs, context):
        module, method = context.module, context.method_name
        if self.muted or method not in WATCHED_METHODS:
            return next_function(*args, **kwargs)
        name = getattr(module, "weight_name", "w")
        name = module.name if name == "w" else name  # Einsums in a shared scope
        kind = type(module).__name__
        if kind == "Block" and method == "__call__":
            self._enter_block(module, args)
        args = self._changed_arguments(name, method, args)
        self.stack.append(module)
        result = next_function(*args, **kwargs)
        self.stack.pop()
        if method == "__call__":
            self._see_call(kind, name, args, result)
        else:
            self._see_method(kind, method, args, result)
        if kind == "Block":
            self.layer = None
        return result

    def _enter_block(self, module, args) -> None:
        self.layer = int(re.fullmatch(r"layer_(\d+)", module.name).group(1))
        if self.layer == 0:
            self.put("text.embed", args[0])
            self.put("text.positions", args[1])
        self.put_layer("in", args[0])

    def _changed_arguments(self, name, method, args):
        if method == "encode":  # placeholders read the padding row, replaced before anyone looks
            ids = args[0]
            ids = (ids >= 0) * ids + (ids < 0) * self.config.pad_id
            self.put("text.ids", ids)
            return (ids, *args[1:])
        if name == "router_norm" and self.repair_router:
            return (self.router_argument,)
        return args

    def _see_call(self, kind, name, args, result) -> None:
        if self.layer is None:
            if name in MODEL_RESULTS:
                self.put(MODEL_RESULTS[name], result)
            return
        if kind == "Block":
            self.put_layer("out", result[1])
        elif kind == "Attention":
            self.put_layer("attn.k_ctx", result[0]["k"])
            self.put_layer("attn.v_ctx", result[0]["v"])
        elif kind == "MoERagged":
            self.put_layer("moe.sum", result)
        elif kind != "_Weight":  # the experts' matrices have modules, too
            self._see_part(name, args, result)

    def _see_part(self, name, args, result) -> None:
        if name in RESULTS:
            self.put_layer(RESULTS[name], result)
        if name in ARGUMENTS:
            self.put_layer(ARGUMENTS[name], args[-1])
        if name == "kv_einsum":
            self.put_layer("attn.k_proj", result[0])
            self.put_layer("attn.v_proj", result[1])
        elif name == "k_einsum":
            self.put_layer("attn.k_proj", result)
            self.put_layer("attn.v_proj", result)
        elif name == "gating_einsum":
            self.put_layer("ffn.gate", result[..., 0, :])
            self.put_layer("ffn.up", result[..., 1, :])
        elif name == "pre_ffw_norm":
            self.put_layer("moe.norm_in" if self.config.moe else "ffn.norm_in", result)
            self.router_argument = args[0]
        elif name == "post_ffw_norm" and self.config.moe:
            self.put_layer("moe.combined", args[0])

    def _see_method(self, kind, method, args, result) -> None:
        if method == "encode":
            self.put("text.embed_scaled", result)
        elif method == "encode_per_layer_input":
            self.put("text.ple.in", result)
        elif method == "decode":
            self.put("text.logits_raw", result)
        elif method == "_router":
            self._raw("weights", result[0][0])
            self._raw("choices", result[1][0])

    # ---- stand-ins ---------------------------------------------------------------------------

    def _install(self, jax, package, float32) -> None:
        """Replaces names in the package's modules, once in a process."""
        jnp, modules, rope, moe = jax.numpy, package.modules, package.rope, package.moe
        modules.jnp = Forward(jnp, float32=float32, einsum=self._einsum, where=self._where)
        modules.nn = Forward(modules.nn, gelu=self._gelu)
        self._apply_rope, rope.apply_rope = rope.apply_rope, self._seen_apply_rope
        rope.jnp = Forward(jnp, float32=float32, sin=self._table("sin"), cos=self._table("cos"))
        moe.jnp = Forward(jnp, float32=float32)
        lax = Forward(jax.lax, ragged_dot=self._ragged_dot)
        moe.jax = Forward(jax, lax=lax, nn=Forward(jax.nn, softmax=self._router_softmax))
        self._dispatch, moe._expert_dispatch = moe._expert_dispatch, self._expert_dispatch
        self._jax, self._plain_nn = jax, modules.nn._target

    def _einsum(self, equation, *operands):
        result = self._jax.numpy.einsum(equation, *operands)
        if equation in ("BTKGH,BSKH->BTKGS", "BTNH,BSNH->BTNS"):
            rows = result.shape[:2]
            self.put_layer("attn.scores", result.reshape(*rows, -1, result.shape[-1]))
        return result

    def _where(self, condition, x, y):
        if self.layer is not None:  # masked scores: [B, T, 1, S] after the window
            self._first_of_kind("text.mask.{}", condition[:, :, 0])
        else:
            self.put("text.ple.ids", self._jax.numpy.where(condition, x, y))
        return self._jax.numpy.where(condition, x, y)

    def _first_of_kind(self, name: str, value) -> None:
        if self.layer is None:
            return
        name = name.format("global" if self.config.is_full(self.layer) else "local")
        if name not in self.taps:
            self.put(name, value)

    def _gelu(self, x):
        result = self._plain_nn.gelu(x)
        if self.stack and type(self.stack[-1]).__name__ == "FeedForward":
            self.put_layer("ffn.act", result)
        return result

    def _table(self, function: str):
        def seen(angles):
            result = getattr(self._jax.numpy, function)(angles)
            self._first_of_kind("text.rope.{}." + function, result[:, :, 0])
            return result

        return seen

    def _seen_apply_rope(self, x, *args, **kwargs):
        result = self._apply_rope(x, *args, **kwargs)
        queries = f"text.layer.{self.layer}.attn.q_rope" not in self.taps
        self.put_layer("attn.q_rope" if queries else "attn.k_rope", result)
        return result

    def _router_softmax(self, logits, axis):
        result = self._jax.nn.softmax(logits, axis=axis)
        self.put_layer("moe.router_probs", result)
        return result

    def _expert_dispatch(self, x, choices, weights):
        result = self._dispatch(x, choices, weights)
        self._raw("slots", result[2])  # sorted by expert -> (token, choice)
        return result

    def _ragged_dot(self, rows, weights, group_sizes):
        result = self._jax.lax.ragged_dot(rows, weights, group_sizes=group_sizes)
        second = f"raw.layer.{self.layer}.gate_up" in self.taps
        self._raw("expert_out" if second else "gate_up", result)
        return result

    # ---- after a call ------------------------------------------------------------------------

    def finish(self, params, logits) -> dict:
        """The call's taps as jax arrays, the ones between module boundaries filled in."""
        jnp, embedder = self._jax.numpy, params["embedder"]
        self.put("text.logits", logits)
        self.taps["text.embed_rows"] = embedder["input_embedding"][self.taps["text.ids"]]
        if self.config.ple_dim:
            rows = embedder["per_layer_embeddings"][self.taps["text.ple.ids"]]
            scale = jnp.sqrt(self.config.ple_dim).astype(rows.dtype)
            self.taps["text.ple.token"] = rows * scale
            scaled = self.taps.pop("raw.ple.proj")
            root = self.config.text["hidden_size"] ** 0.5
            wide = jnp.promote_types(scaled.dtype, jnp.float32)
            self.taps["text.ple.proj"] = scaled.astype(wide) * root
        for i in range(self.config.num_layers):
            self._finish_layer(i, params)
        return {k: v for k, v in self.taps.items() if not k.startswith("raw.")}

    def _finish_layer(self, i, params) -> None:
        own = f"text.layer.{i}."
        taps = self.taps
        # The package's own additions, once more on the same operands.
        taps[own + "ffn.residual"] = taps[own + "ffn.post_norm"] + taps[own + "attn.residual"]
        if self.config.ple_dim:
            taps[own + "ple.residual"] = taps[own + "ffn.residual"] + taps[own + "ple.norm"]
        if self.config.moe:
            self._finish_router(i, params[f"layer_{i}"]["mlp"]["per_expert_scale"])

    def _finish_router(self, i, expert_scale) -> None:
        """Slots in order of falling probability, ties to the lower expert (R-53)."""
        own, taps = f"text.layer.{i}.moe.", self.taps
        raw = {
            key: np.asarray(taps[f"raw.layer.{i}.{key}"])
            for key in ("choices", "weights", "slots", "gate_up", "expert_out")
        }
        index = raw["choices"]
        probs = np.take_along_axis(np.asarray(taps[own + "router_probs"]), index, axis=1)
        order = np.lexsort((index, -probs), axis=1)
        index = np.take_along_axis(index, order, axis=1)
        omega = np.take_along_axis(raw["weights"], index, axis=1)
        taps[own + "topk_index"] = index
        taps[own + "topk_norm"] = omega
        taps[own + "topk_weight"] = omega * np.asarray(expert_scale).astype(omega.dtype)[index]
        for key in ("gate_up", "expert_out"):
            by_choice = raw[key][raw["slots"]].reshape(*index.shape, -1)
            taps[own + key] = np.take_along_axis(by_choice, order[..., None], axis=1)


def to_numpy(value, dtype) -> np.ndarray:
    array = np.asarray(value)
    return array.astype(np.int32 if array.dtype.kind in "iub" else dtype)


def join(calls: list[dict], length: int) -> dict:
    """Rows of all calls by position; key axes widened to `length`; contexts from the last call."""
    joined = {}
    for name in calls[0]:
        parts = [call[name] for call in calls]
        if name.endswith(("k_ctx", "v_ctx")):
            joined[name] = parts[-1][:length]
            continue
        if name.endswith((".scores", ".probs")) or name.startswith("text.mask."):
            parts = [_widen_keys(part, length) for part in parts]
        joined[name] = np.concatenate(parts)
    return joined


def _widen_keys(part: np.ndarray, length: int) -> np.ndarray:
    gap = [(0, 0)] * (part.ndim - 1) + [(0, length - part.shape[-1])]
    return np.pad(part, gap)
