# SPDX-License-Identifier: Apache-2.0
"""Taps of transformers' vision encoder and of the 12B's vision embedder, one image at a time."""

import types
from contextlib import contextmanager

import numpy as np
import torch

from hf_listener import Listener, first, replaced, shadowed

LAYER = {  # tap -> module of the layer, side
    "attn_norm": ("input_layernorm", "out"),
    "attn.q_proj": ("self_attn.q_proj", "out"),
    "attn.k_proj": ("self_attn.k_proj", "out"),
    "attn.v_proj": ("self_attn.v_proj", "out"),
    "attn.q_norm": ("self_attn.q_norm", "out"),
    "attn.k_norm": ("self_attn.k_norm", "out"),
    "attn.v_norm": ("self_attn.v_norm", "out"),
    "attn.context": ("self_attn.o_proj", "in"),
    "attn.o_proj": ("self_attn.o_proj", "out"),
    "attn_post_norm": ("post_attention_layernorm", "out"),
    "attn_residual": ("pre_feedforward_layernorm", "in"),
    "ffn_norm": ("pre_feedforward_layernorm", "out"),
    "mlp.gate": ("mlp.gate_proj", "out"),
    "mlp.up": ("mlp.up_proj", "out"),
    "mlp.act": ("mlp.down_proj", "in"),
    "mlp.down": ("mlp.down_proj", "out"),
    "ffn_post_norm": ("post_feedforward_layernorm", "out"),
    "out": ("", "out"),
}
UNIFIED = {
    "patches": ("patch_ln1", "in"),
    "ln1": ("patch_ln1", "out"),
    "dense": ("patch_dense", "out"),
    "ln2": ("patch_ln2", "out"),
    "pos_add": ("pos_norm", "in"),
    "ln3": ("pos_norm", "out"),
}


def additive_bool(config, inputs_embeds, attention_mask, **kwargs) -> torch.Tensor:
    """JAX adds 1 to the scores of pairs of real patches and nothing to the others (DIV-M02)."""
    pairs = attention_mask[:, None, :, None] & attention_mask[:, None, None, :]
    return pairs.to(inputs_embeds.dtype)


class VisionListener(Listener):
    def encode(self, patches: np.ndarray, positions: np.ndarray) -> torch.Tensor:
        """Soft-token embeddings [n, D]; patches [S, C], positions [S, 2], (-1, -1) for padding."""
        self.rows = np.nonzero((positions != -1).all(axis=1))[0]
        pixels = torch.from_numpy(patches)[None].to(self.dtype)
        position_ids = torch.from_numpy(positions)[None].long()
        run = self.run_embedder if "unified" in self.config.model_type else self.run_encoder
        output = run(pixels, position_ids)
        self.release()
        return first(output.pooler_output)

    def run_embedder(self, pixels, position_ids):
        embedder = self.model.embed_vision
        self.hook_table(embedder, UNIFIED, "unified.vision.")
        self.hook_embedder(embedder.multimodal_embedder, "vision.", self.rows_keeper)
        return self.model.get_image_features(pixels, position_ids, return_dict=True)

    def run_encoder(self, pixels, position_ids):
        self.hook_encoder(self.model.vision_tower)
        patched = {
            "apply_multidimensional_rope": self.wrapped_rope(),
            "ALL_ATTENTION_FUNCTIONS": self.wrapped_attention(),
        }
        if self.switches.get("vision.pad_mask") == "additive_bool":
            patched["create_bidirectional_mask"] = additive_bool
        with replaced(self.namespace, **patched), self.listening_methods():
            return self.model.get_image_features(pixels, position_ids, return_dict=True)

    # -- hooks -------------------------------------------------------------------------------

    def hook_encoder(self, encoder) -> None:
        embedder = encoder.patch_embedder
        self.hook(embedder.input_proj, "in", self.rows_keeper("vision.pixels_pm1"))
        self.hook(embedder.input_proj, "out", self.rows_keeper("vision.patch_proj"))
        self.hook(embedder, "out", self.rows_keeper("vision.patch_embed"))
        self.handles.append(encoder.encoder.rotary_emb.register_forward_hook(self.angles))
        for index, layer in enumerate(encoder.encoder.layers):
            self.hook_entry(index, layer)
            self.hook_table(layer, LAYER, f"vision.layer.{index}.")

        def pooled(_, args, output) -> None:  # float32 whatever the model's dtype is
            self.put("vision.pool_scaled", output[0][output[1]].to(self.dtype))

        def tower_out(_, args, output) -> None:
            self.put("vision.tower_out", output.last_hidden_state)
            if self.config.vision_config.standardize:
                self.put("vision.standardized", output.last_hidden_state)

        self.handles.append(encoder.pooler.register_forward_hook(pooled))
        self.handles.append(encoder.register_forward_hook(tower_out))
        whole = (slice(None),)  # the encoder gives rows without padding
        self.hook_embedder(self.model.embed_vision, "vision.", lambda n: self.keeper(n, whole))

    def enter(self, index: int) -> None:
        self.layer, self.rope_calls = index, 0

    def angles(self, rotary, args, output) -> None:
        """Position times frequency, as the module computes it before cosine and sine."""
        wide = self.namespace.torch.float
        angle = args[1][..., None].to(wide) * rotary.inv_freq.to(wide)
        self.put_rows("vision.rope.angles", rotary.recomposition_frequencies(angle).to(self.dtype))

    # -- no module boundary ------------------------------------------------------------------

    @contextmanager
    def listening_methods(self):
        encoder = self.model.vision_tower
        pool, embed = (
            encoder.pooler._avg_pool_by_positions,
            encoder.patch_embedder._position_embeddings,
        )

        def pool_cells(*args, **kwargs):
            cells, valid = pool(*args, **kwargs)
            self.put("vision.pool", cells[valid])
            return cells, valid

        def embed_positions(*args, **kwargs):
            out = embed(*args, **kwargs)
            self.put_rows("vision.pos_embed", out)
            return out

        with shadowed(
            [
                (encoder.pooler, "_avg_pool_by_positions", pool_cells),
                (encoder.patch_embedder, "_position_embeddings", embed_positions),
            ]
        ):
            yield

    def wrapped_rope(self):
        rope = self.namespace.apply_multidimensional_rope

        def wrapped(x, *args, **kwargs):
            out = rope(x, *args, **kwargs)
            name = ("attn.q_rope", "attn.k_rope")[self.rope_calls]
            self.put_rows(f"vision.layer.{self.layer}.{name}", out)
            self.rope_calls += 1
            return out

        return wrapped

    def wrapped_attention(self):
        registry = self.namespace.ALL_ATTENTION_FUNCTIONS

        def wrap(inner):
            def wrapped(module, query, key, value, mask, **kwargs):
                out, probs = inner(module, query, key, value, mask, **kwargs)
                if probs is not None:  # eager
                    logits = torch.matmul(query, key.transpose(2, 3)) * kwargs["scaling"]
                    for name, square in (("logits", logits), ("probs", probs)):
                        square = square[0][:, self.rows][:, :, self.rows]
                        self.put(f"vision.layer.{self.layer}.attn.{name}", square)
                return out, probs

            return wrapped

        def get_interface(implementation, default):
            return wrap(registry.get_interface(implementation, default))

        return types.SimpleNamespace(get_interface=get_interface)
