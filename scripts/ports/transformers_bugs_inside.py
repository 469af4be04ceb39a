# SPDX-License-Identifier: Apache-2.0
"""Planted mistakes (see planting.py): rotation, masks, attention, feed-forward part."""

import torch
from torch.nn.functional import gelu, silu

from planting import EQUAL, MOE, PLE, before, bug, chosen, patch_namespace, replace, watch

GROUPED = ["e4b", "12b", "26b", "31b"]


# ---- rotation -----------------------------------------------------------------------------------


def frequencies(m, kind, theta, pairs=None, denominator=None):
    """theta^(-2i/denominator) for the first `pairs` channel pairs of a layer kind, then 0."""
    table = getattr(m.text.rotary_emb, f"{kind}_inv_freq")
    size = 2 * len(table)
    i = torch.arange(len(table), dtype=torch.float64)
    values = theta ** (-2.0 * i / (denominator or size))
    values[len(table) if pairs is None else pairs :] = 0.0
    table.copy_(values)


def rope_of(m, kind):
    """theta and the number of rotating pairs of a layer kind."""
    theta = m.config.rope_parameters[kind]["rope_theta"]
    return theta, int((getattr(m.text.rotary_emb, f"{kind}_inv_freq") != 0).sum())


@bug("attn.mix", "all")
def wrong_theta(m):
    """M-45: the thetas of sliding and full layers are swapped"""
    local, local_pairs = rope_of(m, "sliding_attention")
    wide, wide_pairs = rope_of(m, "full_attention")
    frequencies(m, "sliding_attention", wide, local_pairs)
    frequencies(m, "full_attention", local, wide_pairs)


@bug("attn.mix", "full")
def rope_full_all_channels(m):
    """M-46: full layers rotate every channel"""
    frequencies(m, "full_attention", rope_of(m, "full_attention")[0])


@bug("attn.mix", "full")
def rope_denominator(m):
    """M-47: the exponent's denominator counts only the rotating channels"""
    theta, pairs = rope_of(m, "full_attention")
    frequencies(m, "full_attention", theta, pairs, 2 * pairs)


@bug("attn.mix", "all")
def rope_interleaved(m):
    """M-49: channels 2i and 2i+1 are rotated together"""

    def interleaved(x, cos, sin, unsqueeze_dim=1):
        half = x.shape[-1] // 2
        c, s = (t[..., :half].unsqueeze(unsqueeze_dim) for t in (cos, sin))
        even, odd = x[..., 0::2], x[..., 1::2]
        return torch.stack((even * c - odd * s, odd * c + even * s), dim=-1).flatten(-2)

    return patch_namespace(m, "apply_rotary_pos_emb", lambda _: interleaved)


@bug("attn.mix", "shared", PLE)
def double_rope(m):
    """M-86: shared keys are rotated once more by their readers"""
    angles = {
        layer.self_attn: watch(layer.self_attn, lambda _, kw: kw["position_embeddings"])
        for layer in chosen(m, "shared")
    }

    def make(attend):
        def forward(module, query, key, *rest, **kwargs):
            if module in angles:
                turn = m.namespace.apply_rotary_pos_emb
                key = turn(key, *angles[module]["now"], unsqueeze_dim=1)
            return attend(module, query, key, *rest, **kwargs)

        return forward

    return patch_namespace(m, "eager_attention_forward", make)


@bug("attn.v_norm", "k_eq_v", EQUAL)
def v_after_rope(m):
    """M-80: the value of k = v layers is the rotated key"""
    for layer in chosen(m, "k_eq_v"):
        attention = layer.self_attn
        angles = watch(attention, lambda _, kw: kw["position_embeddings"])

        def make(norm, attention=attention, angles=angles):
            def forward(x):
                turn = m.namespace.apply_rotary_pos_emb
                return norm(turn(attention.k_norm.forward(x), *angles["now"], unsqueeze_dim=2))

            return forward

        replace(attention.v_norm, make)


# ---- masks, attention, sharing ------------------------------------------------------------------


def edit_masks(m, layers, visible):
    """visible(old, distance) -> new, for the masks of some layers; distance = query - key."""

    def change(args, kwargs):
        mask = kwargs["attention_mask"]
        rows, keys = mask.shape[-2:]
        distance = torch.arange(keys - rows, keys)[:, None] - torch.arange(keys)
        seen = visible(mask == 0, distance)
        hidden = torch.finfo(mask.dtype).min
        return args, kwargs | {"attention_mask": torch.zeros_like(mask).masked_fill(~seen, hidden)}

    for layer in chosen(m, layers):
        before(layer, change)


@bug("attn.mix", "sliding", needs="long")
def window_plus_one(m):
    """M-65: the window is one key too long"""
    edit_masks(m, "sliding", lambda seen, d: seen | (d == m.config.sliding_window))


@bug("attn.mix", "sliding", needs="long")
def window_minus_one(m):
    """M-66: the window is one key too short"""
    edit_masks(m, "sliding", lambda seen, d: seen & (d != m.config.sliding_window - 1))


@bug("attn.mix", "sliding", needs="long")
def no_window(m):
    """M-67: sliding layers see every earlier key"""
    edit_masks(m, "sliding", lambda seen, d: seen | (d >= 0))


@bug("attn.mix", "full", needs="long")
def window_on_full(m):
    """M-68: full layers have the window too"""
    edit_masks(m, "full", lambda seen, d: seen & (d < m.config.sliding_window))


@bug("attn.mix", "sliding", EQUAL, needs="vision")
def vision_block_ignored(m):
    """M-71: image tokens are causal among themselves"""
    edit_masks(m, "sliding", lambda seen, d: seen & (d >= 0))


@bug("attn.mix", "all")
def attention_scale(m):
    """M-60: scores are divided by the root of the head size"""
    for layer in chosen(m):
        layer.self_attn.scaling = layer.self_attn.head_dim**-0.5


@bug("attn.mix", "grouped", GROUPED)
def kv_head_mod(m):
    """M-63: query head h reads key head h mod Hkv"""
    return patch_namespace(m, "repeat_kv", lambda _: lambda x, n: x.repeat(1, n, 1, 1))


@bug("attn.mix", "shared_far", PLE)
def kv_source_first(m):
    """M-84: shared layers read the first layer of their kind"""
    store = {}

    def make(attend):
        def forward(module, query, key, value, *rest, **kwargs):
            if not module.is_kv_shared_layer:
                kept = store.get(module.layer_type)
                if kept is None or kept[0] == module.layer_idx:
                    store[module.layer_type] = (module.layer_idx, key, value)
            else:
                _, key, value = store[module.layer_type]
            return attend(module, query, key, value, *rest, **kwargs)

        return forward

    return patch_namespace(m, "eager_attention_forward", make)


@bug("attn.o_proj", "all")
def o_proj_transposed(m):
    """M-64: heads are joined channel by channel before the output projection"""
    for layer in chosen(m):
        size = layer.self_attn.head_dim

        def make(project, size=size):
            return lambda x: project(x.unflatten(-1, (-1, size)).transpose(-1, -2).flatten(-2))

        replace(layer.self_attn.o_proj, make)


# ---- feed-forward part and experts --------------------------------------------------------------


@bug("ffn.mul", "all")
def gate_up_swapped(m):
    """M-100: GELU on the up branch instead of the gate"""
    for layer in chosen(m):
        mlp = layer.mlp
        mlp.forward = lambda x, f=mlp: f.down_proj(f.gate_proj(x) * f.act_fn(f.up_proj(x)))


@bug("ffn.mul", "all")
def gelu_erf(m):
    """M-101: the erf form of GELU"""
    for layer in chosen(m):
        layer.mlp.act_fn.forward = gelu


@bug("ffn.mul", "all")
def silu_activation(m):
    """M-102: SiLU instead of GELU"""
    for layer in chosen(m):
        layer.mlp.act_fn.forward = silu


@bug("moe.router_in", "all", MOE)
def router_prenormed(m):
    """M-110: the router reads the output of the norm before the dense branch"""
    for layer in chosen(m):
        norm = layer.pre_feedforward_layernorm.forward
        before(layer.router, lambda args, kw, norm=norm: ((norm(args[0]),), kw))


@bug("moe.router_in", "all", MOE)
def router_no_sqrt_d(m):
    """M-112: the router's input without D^-1/2"""
    for layer in chosen(m):
        layer.router.scalar_root_size = 1.0


@bug("moe.router_in", "all", MOE)
def router_scale_missing(m):
    """M-113: the router's input scale is left out"""
    for layer in chosen(m):
        layer.router.scale.data.fill_(1.0)


def rewrite_weights(m, weigh):
    """weigh(selected probabilities, their expert scales) -> the weights of the experts."""

    def make(route, router):
        def forward(x):
            probabilities, _, index = route(x)
            selected = probabilities.gather(-1, index)
            return probabilities, weigh(selected, router.per_expert_scale[index]), index

        return forward

    for layer in chosen(m):
        replace(layer.router, lambda route, router=layer.router: make(route, router))


@bug("moe.topk_weight", "all", MOE)
def no_renormalise(m):
    """M-114: the selected probabilities are not renormalised"""
    rewrite_weights(m, lambda p, s: p * s)


@bug("moe.topk_weight", "all", MOE)
def per_expert_scale_before_renorm(m):
    """M-115: expert scales are applied before the renormalisation"""
    rewrite_weights(m, lambda p, s: p * s / (p * s).sum(-1, keepdim=True))


@bug("moe.topk_weight", "all", MOE)
def per_expert_scale_missing(m):
    """M-116: expert scales are left out"""
    rewrite_weights(m, lambda p, s: p / p.sum(-1, keepdim=True))


@bug("moe.norm_in", "all", MOE)
def experts_wrong_norm(m):
    """M-118: the experts are fed by the dense branch's norm"""
    for layer in chosen(m):
        layer.pre_feedforward_layernorm_2.forward = layer.pre_feedforward_layernorm.forward


@bug("moe.sum", "all", MOE)
def experts_interleaved(m):
    """M-119: gate and up rows of the experts are read as interleaved"""
    for layer in chosen(m):
        rows = layer.experts.gate_up_proj.data
        rows.copy_(torch.cat((rows[:, 0::2], rows[:, 1::2]), dim=1))


@bug("moe.sum", "all", MOE)
def experts_halves_swapped(m):
    """M-120: gate and up halves of the experts are swapped"""
    for layer in chosen(m):
        rows = layer.experts.gate_up_proj.data
        rows.copy_(torch.cat(rows.chunk(2, dim=1)[::-1], dim=1))


@bug("moe.sum", "all", MOE)
def experts_gelu_erf(m):
    """M-125: the erf form of GELU in the experts only"""
    for layer in chosen(m):
        layer.experts.act_fn.forward = gelu


@bug("moe.combined", "all", MOE)
def dense_branch_dropped(m):
    """M-122: the dense branch does not reach the sum"""
    for layer in chosen(m):
        replace(layer.post_feedforward_layernorm_1, lambda norm: lambda x: torch.zeros_like(x))


@bug("moe.combined", "all", MOE)
def expert_norms_swapped(m):
    """M-121: the norms after the two branches are swapped"""
    for layer in chosen(m):
        one, two = layer.post_feedforward_layernorm_1, layer.post_feedforward_layernorm_2
        one.forward, two.forward = two.forward, one.forward
