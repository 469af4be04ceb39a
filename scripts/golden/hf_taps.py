# SPDX-License-Identifier: Apache-2.0
"""Taps of a transformers Gemma 4 text stack: forward hooks, and wrapped functions where no module
boundary exists (RoPE, scores, expert interiors, the in-place layer scalar).

One Recorder listens to one text model (Gemma4TextModel or its unified counterpart). The model may
be called several times (prefill, chunks, decode): rows are joined by position in `finish`.
"""

import numpy as np
import torch

IMUL, IDIV = torch.Tensor.__imul__, torch.Tensor.__itruediv__


def rows(tensor: torch.Tensor, *tail: int) -> np.ndarray:
    """[1, T, ...] or [T, ...] to [T, *tail] as float64 or int32."""
    value = tensor.detach().clone()
    value = value.to(torch.float64) if value.is_floating_point() else value.to(torch.int32)
    return value.numpy().reshape(-1, *(tail or (value.shape[-1],)))


class Recorder:
    def __init__(self, text_model, namespace, dtype: torch.dtype, prefix: str = "text."):
        self.model, self.namespace, self.dtype = text_model, namespace, dtype
        self.prefix, self.layer, self.rope_calls = prefix, 0, 0
        self.calls: list[dict[str, np.ndarray]] = []
        self.current: dict[str, np.ndarray] = {}
        self.sources: dict[int, torch.Tensor] = {}  # layer -> the keys it made
        self.handles, self.saved = [], {}
        self.muted = False  # while an encoder that uses the same functions runs
        self._hook_model()
        for index, layer in enumerate(text_model.layers):
            self._hook_layer(index, layer)
        self._wrap_functions()

    # -- recording ---------------------------------------------------------------------------

    def put(self, name: str, tensor: torch.Tensor, *tail: int) -> None:
        if tensor.is_floating_point() and tensor.dtype != self.dtype:
            if self.dtype == torch.float64:
                raise TypeError(f"{name}: got {tensor.dtype}, expected float64")
        self.current[name] = rows(tensor, *tail)

    def put_layer(self, name: str, tensor: torch.Tensor, *tail: int) -> None:
        self.put(f"{self.prefix}layer.{self.layer}.{name}", tensor, *tail)

    def end_call(self) -> dict[str, np.ndarray]:
        done, self.current, self.sources = self.current, {}, {}
        self.calls.append(done)
        return done

    def mute_inside(self, module) -> None:
        def mute(*_) -> None:
            self.muted = True

        def unmute(*_) -> None:
            self.muted = False

        self.handles.append(module.register_forward_pre_hook(mute))
        self.handles.append(module.register_forward_hook(unmute))

    def close(self) -> None:
        for handle in self.handles:
            handle.remove()
        for (owner, name), value in self.saved.items():
            setattr(owner, name, value)

    # -- module boundaries -------------------------------------------------------------------

    def _out(self, module, name: str, *tail: int) -> None:
        def hook(_, __, output):
            self.put(name, output, *tail)

        self.handles.append(module.register_forward_hook(hook))

    def _in(self, module, name: str, *tail: int) -> None:
        def hook(_, args):
            self.put(name, args[0], *tail)

        self.handles.append(module.register_forward_pre_hook(hook))

    def _hook_model(self) -> None:
        if self.prefix != "text.":
            return
        model, config = self.model, self.model.config
        packed = (config.num_hidden_layers, getattr(config, "hidden_size_per_layer_input", 0))

        def embed(module, args, output):
            self.put("text.ids", args[0], *())
            self.current["text.ids"] = self.current["text.ids"].reshape(-1)
            self.put("text.embed_rows", module.weight[args[0]])
            self.put("text.embed_scaled", output)

        def rope(_, args, output):
            kind = {"sliding_attention": "local", "full_attention": "global"}[args[2]]
            for part, table in zip(("cos", "sin"), output):
                self.put(f"text.rope.{kind}.{part}", table[..., : table.shape[-1] // 2])
            self.current["text.positions"] = rows(args[1]).reshape(-1)

        self.handles.append(model.embed_tokens.register_forward_hook(embed))
        self.handles.append(model.rotary_emb.register_forward_hook(rope))
        self._in(model.layers[0], "text.embed")
        self._out(model.norm, "text.final_norm")
        if packed[1]:
            self._hook_ple(model, packed)

    def _hook_ple(self, model, packed: tuple[int, int]) -> None:
        def token(_, args, output):
            self.current["text.ple.ids"] = rows(args[0]).reshape(-1)
            self.put("text.ple.token", output, *packed)

        self.handles.append(model.embed_tokens_per_layer.register_forward_hook(token))
        self._out(model.per_layer_model_projection, "text.ple.proj", *packed)
        self._out(model.per_layer_projection_norm, "text.ple.ctx", *packed)

    def _hook_layer(self, index: int, layer) -> None:
        def enter(_, args, kwargs):
            self.layer, self.rope_calls = index, 0
            self.put_layer("in", args[0])
            if len(args) > 1 and args[1] is not None and self.prefix == "text.":
                self.current.setdefault("ple.slices", []).append(rows(args[1]))
            self._mask(index, kwargs.get("attention_mask"))

        self.handles.append(layer.register_forward_pre_hook(enter, with_kwargs=True))
        at = f"{self.prefix}layer.{index}."
        self._out(layer, at + "out")
        self._out(layer.input_layernorm, at + "attn.norm_in")
        self._hook_attention(layer.self_attn, at + "attn.")
        self._out(layer.post_attention_layernorm, at + "attn.post_norm")
        self._in(layer.pre_feedforward_layernorm, at + "attn.residual")
        self._out(layer.pre_feedforward_layernorm, at + "ffn.norm_in")
        for part in ("gate_proj", "up_proj"):
            self._out(getattr(layer.mlp, part), at + "ffn." + part.removesuffix("_proj"))
        self._out(layer.mlp.act_fn, at + "ffn.act")
        self._in(layer.mlp.down_proj, at + "ffn.mul")
        self._out(layer.mlp, at + "ffn.down")
        self._out(layer.post_feedforward_layernorm, at + "ffn.post_norm")
        if getattr(layer, "enable_moe_block", False):
            self._hook_moe(layer, at + "moe.")
        if getattr(layer, "hidden_size_per_layer_input", 0):
            self._in(layer.per_layer_input_gate, at + "ffn.residual")
            self._out(layer.per_layer_input_gate, at + "ple.gate")
            self._in(layer.per_layer_projection, at + "ple.mul")
            self._out(layer.per_layer_projection, at + "ple.proj")
            self._out(layer.post_per_layer_input_norm, at + "ple.norm")

    def _hook_attention(self, attention, at: str) -> None:
        heads, dim = self.model.config.num_attention_heads, attention.head_dim
        self._out(attention.q_proj, at + "q_proj", heads, dim)
        self._out(attention.q_norm, at + "q_norm", heads, dim)
        if not attention.is_kv_shared_layer:
            kv = heads // attention.num_key_value_groups
            self._out(attention.k_proj, at + "k_proj", kv, dim)
            self._in(attention.v_norm, at + "v_proj", kv, dim)
            self._out(attention.k_norm, at + "k_norm", kv, dim)
            self._out(attention.v_norm, at + "v_norm", kv, dim)
        self._in(attention.o_proj, at + "mix", heads, dim)
        self._out(attention.o_proj, at + "o_proj")

    def _hook_moe(self, layer, at: str) -> None:
        def router(_, __, output):
            for name, value in zip(("router_probs", "topk_weight", "topk_index"), output):
                self.put(at + name, value)

        self.handles.append(layer.router.register_forward_hook(router))
        self._out(layer.post_feedforward_layernorm_1, at + "dense_norm")
        self._out(layer.router.norm, at + "router_norm")
        self._in(layer.router.proj, at + "router_in")
        self._out(layer.router.proj, at + "router_logits")
        self._out(layer.pre_feedforward_layernorm_2, at + "norm_in")
        self._out(layer.experts, at + "sum")
        self._out(layer.post_feedforward_layernorm_2, at + "norm_out")
        self._in(layer.post_feedforward_layernorm, at + "combined")
        self._wrap_experts(layer.experts, at)

    def _mask(self, index: int, mask: torch.Tensor | None) -> None:
        if mask is None or self.model.config._attn_implementation != "eager":
            return
        kind = self.model.config.layer_types[index]
        name = {"sliding_attention": "local", "full_attention": "global"}[kind]
        visible = mask if mask.dtype == torch.bool else mask == 0
        at = "text.mask." if self.prefix == "text." else "mask."
        self.current[at + name] = rows(visible[:, 0].to(torch.int32), visible.shape[-1])

    # -- no module boundary ------------------------------------------------------------------

    def _replace(self, owner, name: str, value) -> None:
        self.saved.setdefault((owner, name), getattr(owner, name))
        setattr(owner, name, value)

    def _wrap_functions(self) -> None:
        rope = self.namespace.apply_rotary_pos_emb
        registry = self.namespace.ALL_ATTENTION_FUNCTIONS

        def apply_rope(x, *args, **kwargs):
            out = rope(x, *args, **kwargs)
            if self.muted:
                return out
            self.put_layer(("attn.q_rope", "attn.k_rope")[self.rope_calls], out, *out.shape[-2:])
            self.rope_calls += 1
            return out

        def attend(inner):
            def wrapped(module, query, key, value, mask, **kwargs):
                if self.muted:
                    return inner(module, query, key, value, mask, **kwargs)
                self._attention_inputs(key, value)
                out, probs = inner(module, query, key, value, mask, **kwargs)
                if probs is not None:
                    self._scores(module, query, key, kwargs["scaling"], probs, mask)
                return out, probs

            return wrapped

        class Registry:
            def get_interface(_, implementation, default):
                return attend(registry.get_interface(implementation, default))

        self._replace(self.namespace, "apply_rotary_pos_emb", apply_rope)
        self._replace(self.namespace, "ALL_ATTENTION_FUNCTIONS", Registry())

        def imul(tensor, other):  # `hidden_states *= self.layer_scalar`, the layer's last operation
            if other is self.model.layers[self.layer].layer_scalar:
                ple = getattr(self.model.layers[self.layer], "hidden_size_per_layer_input", 0)
                self.put_layer("ple.residual" if ple else "ffn.residual", tensor)
            return IMUL(tensor, other)

        def idiv(tensor, other):  # `top_k_weights /= sum`, before the per-expert scale
            out = IDIV(tensor, other)
            self.put_layer("moe.topk_norm", out)
            return out

        torch.Tensor.__imul__, torch.Tensor.__itruediv__ = imul, idiv
        self.saved[(torch.Tensor, "__imul__")] = IMUL
        self.saved[(torch.Tensor, "__itruediv__")] = IDIV

    def _attention_inputs(self, key: torch.Tensor, value: torch.Tensor) -> None:
        """[1, Hkv, S, hd] to rows of keys; the source is the layer that made this very tensor."""
        source = next((i for i, k in self.sources.items() if k.data_ptr() == key.data_ptr()), None)
        if source is None:
            source = self.layer
            self.sources[source] = key
        at = f"{self.prefix}layer.{self.layer}.attn."
        self.current[at + "kv_source"] = np.array([source], np.int32)
        for name, tensor in (("k_ctx", key), ("v_ctx", value)):
            self.put(at + name, tensor.transpose(1, 2), tensor.shape[1], tensor.shape[3])

    def _scores(self, module, query, key, scaling: float, probs, mask) -> None:
        keys = self.namespace.repeat_kv(key, module.num_key_value_groups)
        scores = torch.matmul(query, keys.transpose(2, 3)) * scaling
        if mask is not None:
            scores = torch.where(mask == 0, scores, torch.zeros_like(scores))
        for name, tensor in (("scores", scores), ("probs", probs)):
            self.put_layer(f"attn.{name}", tensor.transpose(1, 2), *tensor.shape[1::2])

    def _wrap_experts(self, experts, at: str) -> None:
        inner = experts.forward

        def forward(hidden, index, weights):
            slots: dict[str, list] = {"gate_up": [], "expert_out": []}
            linear = torch.nn.functional.linear

            def recording(x, weight):
                out = linear(x, weight)
                name = (
                    "gate_up" if len(slots["gate_up"]) == len(slots["expert_out"]) else "expert_out"
                )
                slots[name].append(out)
                return out

            torch.nn.functional.linear = recording
            try:
                result = inner(hidden, index, weights)
            finally:
                torch.nn.functional.linear = linear
            self._expert_slots(slots, index, at)
            return result

        self._replace(experts, "forward", forward)

    def _expert_slots(self, slots: dict, index: torch.Tensor, at: str) -> None:
        """transformers visits the experts in ascending order, rows in the order of torch.where."""
        for name, parts in slots.items():
            table = torch.zeros(*index.shape, parts[0].shape[-1], dtype=parts[0].dtype)
            for expert, part in zip(torch.unique(index), parts):
                slot, token = torch.where((index == expert).T)
                table[token, slot] = part
            self.put(at + name, table, *table.shape[1:])


def join_calls(calls: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Rows of several calls by position; key axes are padded to the whole sequence."""
    total = sum(len(call["text.ids"]) for call in calls)
    out: dict[str, np.ndarray] = {}
    names = [name for name in calls[0] if name != "ple.slices"]
    for name in names:
        parts = [call[name] for call in calls]
        leaf = name.rsplit(".", 1)[-1]
        if leaf == "kv_source":
            out[name] = parts[0]
        elif leaf in ("k_ctx", "v_ctx"):
            out[name] = join_keys(parts, calls, total)
        elif leaf in ("scores", "probs") or name.startswith("text.mask."):
            out[name] = join_by_key(parts, calls, total)
        else:
            out[name] = np.concatenate(parts)
    if "ple.slices" in calls[0]:
        slices = [np.stack(call["ple.slices"], axis=1) for call in calls]
        out["text.ple.in"] = np.concatenate(slices)
    return out


def join_keys(parts: list, calls: list, total: int) -> np.ndarray:
    """Each call shows the last S positions up to its own end; a cached row must not change."""
    out, end = np.full((total, *parts[0].shape[1:]), np.nan), 0
    for part, call in zip(parts, calls):
        end += len(call["text.ids"])
        old = out[end - len(part) : end]
        known = ~np.isnan(old)
        assert np.array_equal(old[known], part[known]), "a cached key or value changed"
        out[end - len(part) : end] = part
    return out


def join_by_key(parts: list, calls: list, total: int) -> np.ndarray:
    out, end = [], 0
    for part, call in zip(parts, calls):
        end += len(call["text.ids"])
        before = end - part.shape[-1]
        pad = [(0, 0)] * (part.ndim - 1) + [(before, total - end)]
        out.append(np.pad(part, pad))
    return np.concatenate(out)
