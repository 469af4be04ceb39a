# SPDX-License-Identifier: Apache-2.0
"""Taps of transformers between its modules: functions and methods that are wrapped for a while.

Each of these returns its undo. `keep` says which taps are wanted.
"""

from assay_dump import to_numpy

PATCHES = {"items": "images", "real": "patches"}  # as the words of a map say it
SOFT = {"items": "images", "real": "soft"}
ROWS = {"items": "audio", "real": "soft"}


def record_attention(loaded, dump, keep):
    """Rotated queries, the context and scores of the text model, and in the vision encoder."""
    space, state = loaded.namespace, {}
    rotate, attend = space.apply_rotary_pos_emb, space.eager_attention_forward
    of_text = {layer.self_attn for layer in loaded.text.layers}

    def enter(module, *_):
        state.update(layer=module.layer_idx, names=["q_rope", "k_rope"])

    def put(name, array, first, column=None):
        tap = f"text.layer.{state['layer']}.attn.{name}"
        if keep(tap):
            dump.rows(tap, array, first, column)

    def recorded_rotate(x, cos, sin, unsqueeze_dim=1):
        y = rotate(x, cos, sin, unsqueeze_dim=unsqueeze_dim)
        if state.get("names"):
            put(state["names"].pop(0), to_numpy(y)[0], dump.position)
        return y

    def recorded_attend(module, query, key, value, mask, **kwargs):
        keys = space.repeat_kv(key, module.num_key_value_groups)
        scores = query @ keys.transpose(2, 3) * kwargs["scaling"]
        if module in of_text:
            end = dump.position + query.shape[2]
            first = end - key.shape[2]
            put("k_ctx", to_numpy(key)[0].swapaxes(0, 1), first)
            put("v_ctx", to_numpy(value)[0].swapaxes(0, 1), first)
            put("scores", to_numpy(scores)[0].swapaxes(0, 1), dump.position, first)
        else:
            tap = f"vision.layer.{module.layer_idx}.attn.logits"
            add_items(dump, keep, tap, PATCHES | {"square": ""}, scores)
        return attend(module, query, key, value, mask, **kwargs)

    for layer in loaded.text.layers:
        layer.self_attn.register_forward_pre_hook(enter)
    return replaced(
        space, apply_rotary_pos_emb=recorded_rotate, eager_attention_forward=recorded_attend
    )


def record_encoders(loaded, dump, keep):
    """What the encoders do between their modules."""
    model, undos = loaded.model.model, []
    if getattr(model, "vision_tower", None) is not None:
        undos.append(_record_vision(loaded.namespace, model.vision_tower, dump, keep))
    if getattr(model, "audio_tower", None) is not None:
        undos.append(_record_audio(loaded.namespace, model.audio_tower, dump, keep))

    def undo():
        for one in undos:
            one()

    return undo


def _record_vision(space, encoder, dump, keep):
    rotate, state = space.apply_multidimensional_rope, {}
    embed, pool = encoder.patch_embedder._position_embeddings, encoder.pooler._avg_pool_by_positions

    def enter(module, *_):
        state.update(layer=module.layer_idx, names=["q_rope", "k_rope"])

    def recorded_rotate(x, *args, **kwargs):
        y = rotate(x, *args, **kwargs)
        tap = f"vision.layer.{state['layer']}.attn.{state['names'].pop(0)}"
        add_items(dump, keep, tap, PATCHES, y)
        return y

    def recorded_embed(*args):
        y = embed(*args)
        add_items(dump, keep, "vision.pos_embed", PATCHES, y)
        return y

    def recorded_pool(*args, **kwargs):
        rows, mask = pool(*args, **kwargs)
        add_items(dump, keep, "vision.pool", SOFT, rows)
        return rows, mask

    for layer in encoder.encoder.layers:
        layer.self_attn.register_forward_pre_hook(enter, with_kwargs=False)
    undos = [
        replaced(space, apply_multidimensional_rope=recorded_rotate),
        replaced(encoder.patch_embedder, _position_embeddings=recorded_embed),
        replaced(encoder.pooler, _avg_pool_by_positions=recorded_pool),
    ]
    return lambda: [undo() for undo in undos]


class _Forwarding:
    """Stands for a Python module, but for the names that it has itself."""

    def __init__(self, module, **own):
        self._module = module
        self.__dict__.update(own)

    def __getattr__(self, name):
        return getattr(self._module, name)


def _record_audio(space, encoder, dump, keep):
    torch, state = space.torch, {}

    def enter(module, *_):
        state.update(layer=module.layer_idx, keys=["k_scaled"], cap=module.softcap)

    def put(name, value, **how):
        add_items(dump, keep, f"audio.layer.{state['layer']}.attn.{name}", ROWS | how, value)

    def watch(attention):
        blocks, context = attention._convert_to_block, attention._extract_block_context

        def recorded_blocks(x):
            put("q_scaled", x)
            return blocks(x)

        def recorded_context(x):  # keys first, then values
            if state["keys"]:
                put(state["keys"].pop(), x)
            return context(x)

        return replaced(
            attention, _convert_to_block=recorded_blocks, _extract_block_context=recorded_context
        )

    def tanh(x):
        y = torch.tanh(x)
        if x.dim() == 5:  # blocks of scores, not the cap of the text model's logits
            window = encoder.config.attention_context_left - 1
            put("logits", x * state["cap"], blocks="", window=window)
            put("logits_capped", y * state["cap"], blocks="", window=window)
        return y

    undos = [watch(layer.self_attn) for layer in encoder.layers]
    for layer in encoder.layers:
        layer.self_attn.register_forward_pre_hook(enter)
    undos.append(replaced(space, torch=_Forwarding(torch, tanh=tanh)))
    return lambda: [undo() for undo in undos]


def add_items(dump, keep, tap, rules, value):
    """A tap of all items of an encoder's call."""
    if keep("media.{k}." + tap):
        for name, part in dump.media.parts("media.{k}." + tap, rules, to_numpy(value, tap)):
            dump.add(name, part)


def replaced(owner, **values):
    """Puts values in an object's or module's place; returns the undo."""
    old = {name: owner.__dict__.get(name) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)

    def undo():
        for name, value in old.items():
            delattr(owner, name) if value is None else setattr(owner, name, value)

    return undo
