# SPDX-License-Identifier: Apache-2.0
"""The encoders of a checkpoint as arguments and flax parameters of DeepMind's JAX modules.

Paths are written "a/b/c"; a colon stands for the slash that the package has inside one name. What
the package has no word for raises `Unsupported` with the reason and, where the ledger knows it, the
entry. Nothing here imports JAX.
"""

import numpy as np

from jax_checkpoint import heads_first, require

SIDES = ("input_min", "input_max", "output_min", "output_max")
VISION, AUDIO = "model.vision_tower.", "model.audio_tower."
PROJECTORS = {
    "embedder/mm_input_projection/w": "model.embed_vision.embedding_projection.weight",
    "embedder/audio_input_projection/w": "model.embed_audio.embedding_projection.weight",
}


def fixed(config: dict, **expected) -> None:
    """Whatever the package has built in."""
    for key, value in expected.items():
        require(config.get(key) == value, f"{key} {config.get(key)}: JAX has {value}")


# ---- vision ----------------------------------------------------------------------------------


def vision_arguments(v: dict) -> dict:
    """Keyword arguments of VisionEncoder."""
    fixed(v, rms_norm_eps=1e-6, hidden_activation="gelu_pytorch_tanh", pooling_kernel_size=3)
    require(v["rope_parameters"].get("rope_theta") == 100.0, "rope_theta: JAX has 100")
    heads, width = v["num_attention_heads"], v["hidden_size"]
    require(v["num_key_value_heads"] == heads, "fewer key heads than query heads")
    require(v["head_dim"] * heads == width, "heads are not as wide as the encoder")
    return dict(
        d_model=width,
        num_layers=v["num_hidden_layers"],
        num_heads=heads,
        ffw_hidden=v["intermediate_size"],
        patch_size=v["patch_size"],
        pos_emb_shape_yx=(v["position_embedding_size"], 2),
        use_clipped_linears=bool(v.get("use_clipped_linears")),
        standardize_embeddings=bool(v.get("standardize")),
    )


VISION_NORMS = {
    "pre_attention_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "pre_ffw_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
    "attn/query_norm": "self_attn.q_norm",
    "attn/key_norm": "self_attn.k_norm",
}
VISION_EINSUMS = {  # and the linears that share its bounds
    "attn/q_einsum": ("self_attn.q_proj",),
    "attn/kv_einsum": ("self_attn.k_proj", "self_attn.v_proj"),
    "attn/attn_vec_einsum": ("self_attn.o_proj",),
    "mlp/gating_einsum": ("mlp.gate_proj", "mlp.up_proj"),
    "mlp/linear": ("mlp.down_proj",),
}


def bounds(w: dict, linear: str) -> dict:
    return {f"clip_{side}": w[f"{linear}.{side}"] for side in SIDES}


def own_bounds(v: dict, stored: dict) -> dict:
    """{name of a fused einsum: one list a layer, one set of bounds a linear}, if any two that are
    fused differ: the package has one set for both (DIV-M44)."""
    layers = [under(stored, f"{VISION}encoder.layers.{i}.") for i in range(v["num_hidden_layers"])]
    out = {}
    for einsum, linears in VISION_EINSUMS.items() if v.get("use_clipped_linears") else ():
        sets = [[bounds(w, linear) for linear in linears] for w in layers]
        if any(own != one[0] for one in sets for own in one):
            out[einsum.split("/")[1]] = sets
    return out


def vision_layer(w: dict, heads: int, clips: bool) -> dict:
    def matrix(linear: str) -> np.ndarray:
        return w[linear + ".linear.weight"]

    keys_values = [heads_first(matrix(f"self_attn.{x}_proj"), heads) for x in "kv"]
    inner, width = matrix("self_attn.o_proj").T.shape
    out = {f"{jax}/scale": w[hf + ".weight"] for jax, hf in VISION_NORMS.items()} | {
        "attn/q_einsum/w": heads_first(matrix("self_attn.q_proj"), heads),
        "attn/kv_einsum/w": np.stack(keys_values),
        "attn/attn_vec_einsum/w": matrix("self_attn.o_proj").T.reshape(
            heads, inner // heads, width
        ),
        "mlp/gating_einsum/w": np.stack([matrix("mlp.gate_proj"), matrix("mlp.up_proj")]),
        "mlp/linear/w": matrix("mlp.down_proj").T,
    }
    for einsum, linears in VISION_EINSUMS.items() if clips else ():
        out |= {f"{einsum}/{side}": value for side, value in bounds(w, linears[0]).items()}
    return out


def vision_weights(v: dict, stored: dict) -> dict:
    w, layers = under(stored, VISION), []
    for i in range(v["num_hidden_layers"]):
        own = under(w, f"encoder.layers.{i}.")
        layers.append(vision_layer(own, v["num_attention_heads"], bool(v["use_clipped_linears"])))
    out = {
        "entry/input_projection/w": w["patch_embedder.input_proj.weight"].T,
        "entry/pos_emb": w["patch_embedder.position_embedding_table"].swapaxes(0, 1),
    }
    for path in layers[0]:
        stacked = np.stack([layer[path] for layer in layers])
        out["transformer/stacked_layers/block/" + path] = stacked
    if v.get("standardize"):
        out |= {f"standardize/{part}": w["std_" + part] for part in ("scale", "bias")}
    return {"vision_encoder/" + path: array for path, array in out.items()}


# ---- audio -----------------------------------------------------------------------------------


def audio_arguments(a: dict) -> dict:
    """Keyword arguments of ConformerConfig."""
    fixed(a, rms_norm_eps=1e-6, hidden_act="silu", residual_weight=0.5, attention_chunk_size=12)
    fixed(a, attention_logit_cap=50.0, attention_invalid_logits_value=-1e9)
    fixed(a, subsampling_conv_channels=[128, 32])
    return dict(
        num_layers=a["num_hidden_layers"],
        model_dims=a["hidden_size"],
        lm_model_dims=a["output_proj_dims"],
        atten_num_heads=a["num_attention_heads"],
        atten_left_context=a["attention_context_left"],
        atten_right_context=a["attention_context_right"],
        conv_kernel_size=a["conv_kernel_size"],
        gradient_clipping=a["gradient_clipping"],
    )


AUDIO_NORMS = {
    "trans_atten/pre_norm": "norm_pre_attn",
    "trans_atten/post_norm": "norm_post_attn",
    "lconv/ln": "lconv1d.pre_layer_norm",
    "lconv/conv_norm": "lconv1d.conv_norm",
    "final_ln": "norm_out",
}
AUDIO_LINEARS = {
    "trans_atten/self_atten/query": "self_attn.q_proj",
    "trans_atten/self_atten/key": "self_attn.k_proj",
    "trans_atten/self_atten/value": "self_attn.v_proj",
    "trans_atten/post": "self_attn.post",
    "lconv/linear_start": "lconv1d.linear_start",
    "lconv/linear_end": "lconv1d.linear_end",
}
for _jax, _hf in (("fflayer_start", "feed_forward1"), ("fflayer_end", "feed_forward2")):
    AUDIO_NORMS |= {f"{_jax}/{at}_layer_norm": f"{_hf}.{at}_layer_norm" for at in ("pre", "post")}
    AUDIO_LINEARS |= {f"{_jax}/ffn_layer{n}": f"{_hf}.ffw_layer_{n}" for n in (1, 2)}


def audio_layer(w: dict, heads: int, clips: bool) -> dict:
    out = {f"{jax}/scale": w[hf + ".weight"] for jax, hf in AUDIO_NORMS.items()}
    out["trans_atten/self_atten/per_dim_scale"] = w["self_attn.per_dim_scale"]
    for path, linear in AUDIO_LINEARS.items():
        out[path + "/kernel"] = w[linear + ".linear.weight"].T
        endless = dict(zip(SIDES, (-np.inf, np.inf) * 2))
        for side in SIDES:
            stored = w[f"{linear}.{side}"] if clips else np.array(endless[side])
            out[f"{path}/clip_{side}"] = stored
    width = out["trans_atten/post/kernel"].shape[0]
    out["trans_atten/post/kernel"] = out["trans_atten/post/kernel"].reshape(heads, -1, width)
    relative = w["self_attn.relative_k_proj.weight"].T.reshape(width, heads, -1)
    out["trans_atten/self_atten/relative_position_embedding/pos_proj/kernel"] = relative
    depthwise = w["lconv1d.depthwise_conv1d.weight"]
    out["lconv/depthwise_conv1d/kernel"] = depthwise.transpose(2, 1, 0)
    return out


def audio_weights(a: dict, stored: dict) -> dict:
    w, front = under(stored, AUDIO), "subsample_conv_projection."
    out = {}
    for stage in (0, 1):
        kernel = w[f"{front}layer{stage}.conv.weight"]
        out[f"feature/subsampling_{stage}/kernel"] = kernel.transpose(2, 3, 1, 0)
        out[f"feature/norm_{stage}/scale"] = w[f"{front}layer{stage}.norm.weight"]
    flat, channels = w[front + "input_proj_linear.weight"].T, a["subsampling_conv_channels"][1]
    out["feature/input_proj/kernel"] = flat.reshape(-1, channels, flat.shape[1])
    for i in range(a["num_hidden_layers"]):
        own = under(w, f"layers.{i}.")
        layer = audio_layer(own, a["num_attention_heads"], bool(a["use_clipped_linears"]))
        out |= {f"conformer:stacked_layers_{i}/{path}": array for path, array in layer.items()}
    out["output_projection/kernel"] = w["output_proj.weight"].T
    out["output_projection/bias"] = w["output_proj.bias"]
    return {"audio_encoder/" + path: array for path, array in out.items()}


def under(stored: dict, prefix: str) -> dict:
    return {name[len(prefix) :]: w for name, w in stored.items() if name.startswith(prefix)}


def projector(path: str, stored: dict) -> dict:
    return {path: stored[PROJECTORS[path]].T}
