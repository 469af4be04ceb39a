# SPDX-License-Identifier: Apache-2.0
"""Planted mistakes (see planting.py): norms, scalars, embeddings, output."""

import torch

from planting import PLE, EQUAL, before, bug, chosen, replace, skip, watch

# ---- norms and scalars --------------------------------------------------------------------------


@bug("attn.norm_in", "all")
def rms_eps(m):
    """M-03: epsilon 1e-5 in the norm before the attention"""
    for layer in chosen(m):
        layer.input_layernorm.eps = 1e-5


@bug("text.final_norm")
def rms_eps_final(m):
    """M-03: epsilon 1e-5 in the final norm"""
    m.text.norm.eps = 1e-5


@bug("attn.norm_in", "all")
def one_plus_weight(m):
    """M-01: 1 + w instead of w in the norm before the attention"""
    for layer in chosen(m):
        layer.input_layernorm.weight.data += 1.0


@bug("attn.post_norm", "all")
def no_post_attention_norm(m):
    """M-04: no norm after the attention"""
    for layer in chosen(m):
        skip(layer.post_attention_layernorm)


@bug("attn.residual", "all", omit=("attn.post_norm",))
def post_norm_after_residual(m):
    """M-05: the norm after the attention takes the sum with the residual"""
    for layer in chosen(m):
        stream = watch(layer, lambda args, _: args[0])

        def make(norm, stream=stream):
            return lambda x: norm(stream["now"] + x) - stream["now"]

        replace(layer.post_attention_layernorm, make)


@bug("ffn.post_norm", "all")
def no_post_ffn_norm(m):
    """M-06: no norm after the feed-forward part"""
    for layer in chosen(m):
        skip(layer.post_feedforward_layernorm)


@bug("out", "all")
def layer_scalar_missing(m):
    """M-08: no layer scalar"""
    for layer in chosen(m):
        layer.layer_scalar.fill_(1.0)


@bug("out", "middle")
def layer_scalar_one_layer(m):
    """M-08 in a single layer: its scalar is left out"""
    for layer in chosen(m, "middle"):
        layer.layer_scalar.fill_(1.0)


@bug("out", "all")
def layer_scalar_next(m):
    """M-17: each layer takes the scalar of the next"""
    values = [layer.layer_scalar.clone() for layer in m.text.layers]
    for i, layer in enumerate(m.text.layers):
        layer.layer_scalar.copy_(values[(i + 1) % len(values)])


@bug("out", "all")
def layer_scalar_branches_only(m):
    """M-09: the layer scalar leaves the residual stream alone"""
    for layer in chosen(m):
        scale = layer.layer_scalar.clone()
        layer.layer_scalar.fill_(1.0)

        def make(forward, scale=scale):
            return lambda x, *args, **kw: x + scale * (forward(x, *args, **kw) - x)

        replace(layer, make)


@bug("text.final_norm")
def final_norm_skipped(m):
    """M-11: no final norm"""
    skip(m.text.norm)


@bug("attn.v_norm", "own_kv")
def no_v_norm(m):
    """M-12: values are not normalised"""
    for layer in chosen(m, "own_kv"):
        skip(layer.self_attn.v_norm)


@bug("attn.v_norm", "own_kv")
def v_norm_weighted(m):
    """M-13: the value norm multiplies by the key norm's weight"""
    for layer in chosen(m, "own_kv"):
        weight = layer.self_attn.k_norm.weight
        replace(layer.self_attn.v_norm, lambda norm, w=weight: lambda x: norm(x) * w)


@bug("attn.v_norm", "k_eq_v", EQUAL)
def v_after_k_norm(m):
    """M-79: the value of k = v layers is taken after the key norm"""
    for layer in chosen(m, "k_eq_v"):
        keys = layer.self_attn.k_norm.forward
        replace(layer.self_attn.v_norm, lambda norm, keys=keys: lambda x: norm(keys(x)))


@bug("attn.q_norm", "all")
def no_q_norm(m):
    """M-14: queries are not normalised"""
    for layer in chosen(m):
        skip(layer.self_attn.q_norm)


@bug("attn.q_norm", "all")
def q_norm_over_heads(m):
    """M-15: one query norm over all heads together"""

    def joint(norm):
        def forward(x):
            mean = x.float().pow(2).mean((-2, -1), keepdim=True) + norm.eps
            return (x.float() * mean.rsqrt() * norm.weight.float()).to(x.dtype)

        return forward

    for layer in chosen(m):
        layer.self_attn.q_norm.forward = joint(layer.self_attn.q_norm)


# ---- embeddings and per-layer inputs ------------------------------------------------------------


@bug("text.embed_scaled")
def embed_scale_missing(m):
    """M-20: token embeddings without sqrt(D)"""
    m.text.embed_tokens.embed_scale.fill_(1.0)


@bug("text.embed", needs="media")
def soft_scaled(m):
    """M-22: soft-token embeddings are multiplied by sqrt(D) too"""
    config = m.model.config
    codes = torch.tensor([config.image_token_id, config.video_token_id, config.audio_token_id])
    holes = watch(m.model, lambda _, kw: torch.isin(kw["input_ids"], codes)[..., None])

    def scale(args, kwargs):
        x = kwargs["inputs_embeds"]
        root = m.config.hidden_size**0.5
        return args, kwargs | {"inputs_embeds": torch.where(holes["now"], x * root, x)}

    before(m.text, scale)


@bug("text.logits_raw")
def output_scaled(m):
    """M-23: the output embedding is scaled by sqrt(D)"""
    replace(m.model.lm_head, lambda head: lambda x: head(x) * m.config.hidden_size**0.5)


@bug("text.ple.token", sizes=PLE)
def ple_scale_missing(m):
    """M-29: per-layer rows without sqrt(P)"""
    m.text.embed_tokens_per_layer.embed_scale.fill_(1.0)


@bug("text.ple.token", sizes=PLE)
def ple_packed(m):
    """M-30: per-layer rows read as [P, L] instead of [L, P]"""
    layers, width = len(m.text.layers), m.config.hidden_size_per_layer_input

    def make(rows):
        return lambda ids: rows(ids).unflatten(-1, (width, layers)).transpose(-1, -2).flatten(-2)

    replace(m.text.embed_tokens_per_layer, make)


@bug("text.ple.token", sizes=PLE, needs="media")
def ple_own_row(m):
    """M-24: soft positions take the placeholder's own per-layer row"""
    seen = watch(m.model, lambda _, kw: kw["input_ids"])
    replace(m.text.embed_tokens_per_layer, lambda rows: lambda _: rows(seen["now"]))


@bug("text.ple.ctx", sizes=PLE)
def ple_norm_over_layers(m):
    """M-34: the context part is normalised over all layers together"""
    norm = m.text.per_layer_projection_norm

    def forward(x):
        mean = x.float().pow(2).mean((-2, -1), keepdim=True) + norm.eps
        return (x.float() * mean.rsqrt() * norm.weight.float()).to(x.dtype)

    norm.forward = forward


@bug("ple.mul", "all", PLE)
def ple_no_sqrt2(m):
    """M-35: the two parts are added without 2^-1/2"""
    m.text.per_layer_input_scale = 1.0


@bug("ple.mul", "all", PLE)
def ple_next_slice(m):
    """M-37: each layer takes the next layer's slice"""
    combine = m.text.project_per_layer_inputs
    m.text.project_per_layer_inputs = lambda *args: combine(*args).roll(-1, dims=2)


@bug("ple.gate", "all", PLE)
def ple_gate_reads_residual(m):
    """M-36: the gate reads the stream before the feed-forward part"""
    for layer in chosen(m):
        stream = watch(layer.pre_feedforward_layernorm, lambda args, _: args[0])
        replace(layer.per_layer_input_gate, lambda gate, s=stream: lambda _: gate(s["now"]))


@bug("ple.mul", "all", PLE)
def ple_no_gelu(m):
    """M-38: no GELU on the gate"""
    for layer in chosen(m):
        layer.act_fn = torch.nn.Identity()


@bug("ple.norm", "all", PLE)
def ple_no_post_norm(m):
    """M-39: no norm after the per-layer projection"""
    for layer in chosen(m):
        skip(layer.post_per_layer_input_norm)


# ---- output -------------------------------------------------------------------------------------


@bug("text.logits")
def no_softcap(m):
    """M-130: no final cap"""
    m.model.config.get_text_config().final_logit_softcapping = None


@bug("text.logits")
def softcap_50(m):
    """M-131: the cap is 50"""
    m.model.config.get_text_config().final_logit_softcapping = 50.0
