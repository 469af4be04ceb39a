# SPDX-License-Identifier: Apache-2.0
"""A Hugging Face checkpoint folder as configuration and parameters of DeepMind's JAX model.

Reads config.json (multimodal or text-only form) and the safetensors files beside it, and answers
with the keyword arguments of `TransformerConfig` and the flax parameter tree. Whatever the JAX
model has no word for raises `Unsupported`, with the reason.

Nothing here imports JAX: arrays are numpy, in the stored values exactly (bf16 and f16 widened).
"""

import json
from pathlib import Path

import numpy as np


class Unsupported(Exception):
    """The JAX code cannot run this checkpoint or this case."""


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise Unsupported(reason)


# ---- config.json -----------------------------------------------------------------------------


class Config:
    """config.json: the text part as a dictionary, special ids, and what is uniform per kind."""

    def __init__(self, folder: Path):
        top = json.loads((folder / "config.json").read_text())
        model_type = top.get("model_type", "")
        require(
            model_type in ("gemma4", "gemma4_text"),
            f"model_type {model_type!r} does not exist in the JAX code",
        )
        self.top, self.text = top, top.get("text_config", top)
        self.prefix = "model.language_model." if "text_config" in top else "model."
        self.pad_id = self._id(top, "pad_token_id", 0)
        self.placeholder_ids = {
            self._id(top, "image_token_id", 258880): "image",
            self._id(top, "video_token_id", 258884): "frame",
            self._id(top, "audio_token_id", 258881): "audio",
        }
        self.kinds = self.text.get("layer_types") or []
        self.num_layers = self.text["num_hidden_layers"]
        self.num_shared = self.text.get("num_kv_shared_layers") or 0
        self.first_shared = self.num_layers - self.num_shared
        self.ple_dim = self.text.get("hidden_size_per_layer_input") or 0
        self.k_eq_v = bool(self.text.get("attention_k_eq_v"))
        self.moe = bool(self.text.get("enable_moe_block"))
        self.double_wide = bool(self.text.get("use_double_wide_mlp")) and self.num_shared > 0
        self.vision_blocks = self.text.get("use_bidirectional_attention") == "vision"
        self._refuse_what_jax_lacks()
        self.head_dim, self.kv_heads = self._per_kind()

    def _id(self, top: dict, key: str, default: int) -> int:
        for place in (top, self.text):
            if place.get(key) is not None:
                return place[key]
        return default

    def is_full(self, layer: int) -> bool:
        return self.kinds[layer] == "full_attention"

    def is_shared(self, layer: int) -> bool:
        return layer >= self.first_shared

    def _refuse_what_jax_lacks(self) -> None:
        text = self.text
        require(len(self.kinds) == self.num_layers, "layer_types does not name every layer")
        require(self.is_full(-1), "the last layer is not full_attention")
        eps = text.get("rms_norm_eps", 1e-6)
        require(eps == 1e-6, f"rms_norm_eps {eps}: the JAX code has 1e-6 built in")
        act = text.get("hidden_activation", "gelu_pytorch_tanh")
        require(act == "gelu_pytorch_tanh", f"hidden_activation {act!r}: JAX has tanh GELU only")
        require(text.get("tie_word_embeddings", True), "untied output embedding")
        require(not text.get("attention_bias"), "attention_bias")
        mode = text.get("use_bidirectional_attention")
        require(mode in (None, "vision"), f"use_bidirectional_attention {mode!r}")
        require(not (self.moe and self.double_wide), "use_double_wide_mlp together with MoE")
        if self.num_shared:
            self._check_sharing_map()

    def _check_sharing_map(self) -> None:
        """JAX reads layer first_shared-1 (F) or first_shared-2 (S): DIV-05."""
        for kind, back in (("full_attention", 1), ("sliding_attention", 2)):
            if kind not in self.kinds[self.first_shared :]:
                continue
            own = [i for i in range(self.first_shared) if self.kinds[i] == kind]
            require(bool(own), f"no unshared layer of kind {kind}")
            require(
                own[-1] == self.first_shared - back,
                f"sharing map: {kind} layers read layer {own[-1]}, "
                f"JAX can only express {self.first_shared - back}",
            )

    def _per_kind(self) -> tuple[dict, dict]:
        """(head_dim, kv_heads), each {kind: value}, from the legacy fields or per_layer_config."""
        text = self.text
        full_dim = text.get("global_head_dim", 512) or text["head_dim"]
        full_kv = text.get("num_global_key_value_heads") if self.k_eq_v else None
        base = {
            "sliding_attention": (text["head_dim"], text["num_key_value_heads"]),
            "full_attention": (full_dim, full_kv or text["num_key_value_heads"]),
        }
        overrides = text.get("per_layer_config") or {}
        found: dict = {}
        for i, kind in enumerate(self.kinds):
            own = overrides.get(str(i)) or {}
            dim = own.get("head_dim") or base[kind][0]
            kv = own.get("num_key_value_heads") or base[kind][1]
            require(
                found.setdefault(kind, (dim, kv)) == (dim, kv),
                f"layer {i}: {kind} layers differ in head_dim or num_key_value_heads",
            )
        found.setdefault("sliding_attention", base["sliding_attention"])
        return {k: v[0] for k, v in found.items()}, {k: v[1] for k, v in found.items()}

    def rope(self, kind: str) -> tuple[float, float]:
        """(theta, share of rotating pairs) of a kind of layer."""
        full = kind == "full_attention"
        entry = self.text["rope_parameters"][kind]
        factor = entry.get("partial_rotary_factor", 1.0)
        require(entry.get("factor", 1.0) == 1.0, f"{kind}: rope scaling factor")
        if not full or entry.get("rope_type") == "default":
            require(entry.get("rope_type", "default") == "default", f"{kind}: rope_type")
            require(factor == 1.0, f"{kind}: default rope with a partial factor")
        else:
            require(entry.get("rope_type") == "proportional", f"{kind}: rope_type")
            require("partial_rotary_factor" in entry, f"{kind}: no partial_rotary_factor")
        return entry["rope_theta"], factor


def transformer_arguments(config: Config) -> dict:
    """Keyword arguments of TransformerConfig, except attention types, sharing and encoders."""
    text = config.text
    local_theta, local_share = config.rope("sliding_attention")
    global_theta, global_share = config.rope("full_attention")
    return dict(
        num_embed=text["vocab_size"],
        embed_dim=text["hidden_size"],
        hidden_dim=text["intermediate_size"],
        num_heads=text["num_attention_heads"],
        head_dim=config.head_dim["sliding_attention"],
        num_kv_heads=config.kv_heads["sliding_attention"],
        num_global_kv_heads=config.kv_heads["full_attention"],
        global_key_size=config.head_dim["full_attention"],
        k_eq_v_global=config.k_eq_v,
        final_logit_softcap=text.get("final_logit_softcapping"),
        use_post_attn_norm=True,
        use_post_ffw_norm=True,
        sliding_window_size=text["sliding_window"],
        local_rope_proportion=local_share,
        global_rope_proportion=global_share,
        local_base_frequency=local_theta,
        global_base_frequency=global_theta,
        per_layer_input_dim=config.ple_dim,
        override_kv_shared_ffw_hidden=2 * text["intermediate_size"] if config.double_wide else None,
        enable_moe=config.moe,
        num_experts=(text.get("num_experts") or 0) if config.moe else 0,
        expert_dim=(text.get("moe_intermediate_size") or 0) if config.moe else 0,
        top_k_experts=(text.get("top_k_experts") or 0) if config.moe else 0,
        moe_dense_hidden_dim=text["intermediate_size"] if config.moe else 0,
        use_bidirectional_attention="vision" if config.vision_blocks else None,
    )


# ---- weights to the flax tree ----------------------------------------------------------------


def heads_first(w: np.ndarray, heads: int) -> np.ndarray:
    """[heads*hd, D] -> [heads, D, hd]"""
    return w.reshape(heads, -1, w.shape[1]).swapaxes(1, 2)


def _model_level(config: Config, w: dict) -> dict:
    vocab, layers, width = config.text["vocab_size"], config.num_layers, config.ple_dim
    hidden = config.text["hidden_size"]
    out = {
        "embedder/input_embedding": w["embed_tokens.weight"],
        "final_norm/scale": w["norm.weight"],
    }
    if width:
        table = w["embed_tokens_per_layer.weight"].reshape(-1, layers, width)
        rows = np.full((vocab, layers, width), np.nan, table.dtype)  # NaN: ids nobody may use
        rows[: len(table)] = table[:vocab]
        out["embedder/per_layer_embeddings"] = rows
        projection = w["per_layer_model_projection.weight"].T.reshape(hidden, layers, width)
        out["embedder/per_layer_model_projection/w"] = projection
        out["embedder/per_layer_projection_norm/scale"] = w["per_layer_projection_norm.weight"]
    return out


def _attention(config: Config, i: int, w: dict) -> dict:
    kind, heads = config.kinds[i], config.text["num_attention_heads"]
    kv, dim, hidden = config.kv_heads[kind], config.head_dim[kind], config.text["hidden_size"]
    out = {
        "attn/q_einsum/w": heads_first(w["self_attn.q_proj.weight"], heads),
        "attn/attn_vec_einsum/w": w["self_attn.o_proj.weight"].T.reshape(heads, dim, hidden),
        "attn/query_norm/scale": w["self_attn.q_norm.weight"],
    }
    fused = not (config.k_eq_v and config.is_full(i))
    if config.is_shared(i):  # computed by JAX and thrown away: NaN shows that no value is used
        shape = (2, kv, hidden, dim) if fused else (kv, hidden, dim)
        keys, norm = np.full(shape, np.nan), np.full(dim, np.nan)
    else:
        keys, norm = heads_first(w["self_attn.k_proj.weight"], kv), w["self_attn.k_norm.weight"]
        if fused:
            keys = np.stack([keys, heads_first(w["self_attn.v_proj.weight"], kv)])
    out["attn/kv_einsum/w" if fused else "attn/k_einsum/w"] = keys
    out["attn/key_norm/scale"] = norm
    return out


def _feed_forward(config: Config, w: dict) -> dict:
    dense = "mlp2" if config.moe else "mlp"
    out = {
        f"{dense}/gating_einsum": np.stack([w["mlp.gate_proj.weight"], w["mlp.up_proj.weight"]]),
        f"{dense}/linear": w["mlp.down_proj.weight"].T,
        "post_ffw_norm/scale": w["post_feedforward_layernorm.weight"],
    }
    if not config.moe:
        out["pre_ffw_norm/scale"] = w["pre_feedforward_layernorm.weight"]
        return out
    gate_up = w["experts.gate_up_proj"]
    experts, double, hidden = gate_up.shape
    out |= {
        "pre_ffw2_norm/scale": w["pre_feedforward_layernorm.weight"],
        "post_ffw2_norm/scale": w["post_feedforward_layernorm_1.weight"],
        "pre_ffw_norm/scale": w["pre_feedforward_layernorm_2.weight"],
        "post_ffw1_norm/scale": w["post_feedforward_layernorm_2.weight"],
        "mlp/gating_einsum/w": gate_up.reshape(experts, 2, double // 2, hidden),
        "mlp/linear/w": w["experts.down_proj"].swapaxes(1, 2),
        "mlp/router_logits/w": w["router.proj.weight"].T,
        "mlp/router_scale": w["router.scale"],
        "mlp/per_expert_scale": w["router.per_expert_scale"],
    }
    return out


def _layer(config: Config, i: int, w: dict) -> dict:
    out = {
        "pre_attention_norm/scale": w["input_layernorm.weight"],
        "post_attention_norm/scale": w["post_attention_layernorm.weight"],
        "skip_scale": w["layer_scalar"].reshape(1),
    }
    out |= _attention(config, i, w) | _feed_forward(config, w)
    if config.ple_dim:
        out["per_layer_input_gate/w"] = w["per_layer_input_gate.weight"].T
        out["per_layer_projection/w"] = w["per_layer_projection.weight"].T
        out["post_per_layer_input_norm/scale"] = w["post_per_layer_input_norm.weight"]
    return out


def flax_weights(config: Config, stored: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """{path in the flax tree: array} of the text model"""
    cut = len(config.prefix)
    weights = {k[cut:]: v for k, v in stored.items() if k.startswith(config.prefix)}
    out = _model_level(config, weights)
    for i in range(config.num_layers):
        start = f"layers.{i}."
        own = {k[len(start) :]: v for k, v in weights.items() if k.startswith(start)}
        out |= {f"layer_{i}/{k}": v for k, v in _layer(config, i, own).items()}
    return out
