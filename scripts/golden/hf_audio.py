# SPDX-License-Identifier: Apache-2.0
"""Taps of transformers' audio encoder and of the 12B's audio embedder, one audio clip at a time."""

import types
from contextlib import contextmanager

import numpy as np
import torch

from hf_listener import Listener, replaced, shadowed

FFN = {
    "pre_norm": ("pre_layer_norm", "out"),
    "up": ("ffw_layer_1", "out"),
    "act": ("ffw_layer_2", "in"),
    "down": ("ffw_layer_2", "out"),
    "post_norm": ("post_layer_norm", "out"),
    "out": ("", "out"),
}
LAYER = {  # tap -> module of the layer, side
    "attn.pre_norm": ("norm_pre_attn", "out"),
    "attn.q_proj": ("self_attn.q_proj", "out"),
    "attn.k_proj": ("self_attn.k_proj", "out"),
    "attn.v_proj": ("self_attn.v_proj", "out"),
    "attn.context": ("self_attn.post", "in"),
    "attn.post": ("self_attn.post", "out"),
    "attn.post_norm": ("norm_post_attn", "out"),
    "attn.residual": ("lconv1d", "in"),
    "lconv.pre_norm": ("lconv1d.pre_layer_norm", "out"),
    "lconv.linear_start": ("lconv1d.linear_start", "out"),
    "lconv.conv_norm": ("lconv1d.conv_norm", "out"),
    "lconv.act": ("lconv1d.linear_end", "in"),
    "lconv.linear_end": ("lconv1d.linear_end", "out"),
    "lconv.out": ("lconv1d", "out"),
    "out": ("", "out"),
} | {
    f"{tap}.{leaf}": (f"{module}.{place}".rstrip("."), side)
    for tap, module in (("ffn1", "feed_forward1"), ("ffn2", "feed_forward2"))
    for leaf, (place, side) in FFN.items()
}
REFERENCE_KEYS = 12


def dense(blocked: torch.Tensor, rows: int, keys: int) -> torch.Tensor:
    """[1, heads, blocks, 12, 24] to [heads, rows, rows], 0 but for the last `keys` keys."""
    heads, chunk = blocked.shape[1], blocked.shape[3]
    out = torch.zeros(heads, rows, rows, dtype=blocked.dtype)
    for t in range(rows):
        start = t // chunk * chunk - chunk  # the block's first key
        for key in range(max(0, t - keys + 1), t + 1):
            out[:, t, key] = blocked[0, :, t // chunk, t % chunk, key - start]
    return out


class AudioListener(Listener):
    @property
    def keys(self) -> int:
        return int(self.switches.get("audio.window_keys", REFERENCE_KEYS))

    def encode(self, mel: np.ndarray, valid: np.ndarray) -> torch.Tensor:
        """Soft-token embeddings [n, D]; mel [F, 128], valid [F] a prefix."""
        features = torch.from_numpy(mel)[None].to(self.dtype)
        mask = torch.from_numpy(valid.astype(bool))[None]
        frames = int(mask.sum())
        self.steps = (-(-frames // 2), -(-frames // 4))  # rows after each convolution
        self.rows = np.arange(self.steps[1])
        self.hook_encoder(self.model.audio_tower)
        window = self.namespace.sliding_window_mask_function

        def wider(sizes):  # DIV-M35: the configuration cannot say 13
            return window((sizes[0] + self.keys - REFERENCE_KEYS, sizes[1]))

        patched = {"torch": self.recording_torch(), "sliding_window_mask_function": wider}
        with replaced(self.namespace, **patched), self.listening_methods(), self.embed_order():
            output = self.model.get_audio_features(features, mask, return_dict=True)
        self.release()
        return output.pooler_output[output.attention_mask]

    def embed_frames(self, frames: np.ndarray) -> torch.Tensor:
        """12B: soft-token embeddings [n, D] of rows of 640 samples."""
        self.rows = np.arange(len(frames))
        embedder = self.model.embed_audio
        norm = embedder.embedding_pre_projection_norm
        self.hook(norm, "in", self.rows_keeper("unified.audio.frames"))
        self.hook_embedder(embedder, "audio.", self.rows_keeper)
        features = torch.from_numpy(frames)[None].to(self.dtype)
        valid = torch.ones(1, len(frames), dtype=torch.bool)
        output = self.model.get_audio_features(features, valid, return_dict=True)
        self.release()
        return output.pooler_output[valid]

    # -- hooks -------------------------------------------------------------------------------

    def hook_encoder(self, encoder) -> None:
        front, at = encoder.subsample_conv_projection, "audio."
        for stage, rows in enumerate(self.steps):
            layer, name = getattr(front, f"layer{stage}"), f"{at}subsample.{stage}."
            channels_first, channels_last = (0, slice(None), slice(rows)), (0, slice(rows))
            self.hook(layer.conv, "out", self.keeper(name + "conv", channels_first))
            self.hook(layer.norm, "out", self.keeper(name + "norm", channels_last))
            self.hook(layer, "out", self.keeper(name + "out", channels_first))
        self.hook(front.input_proj_linear, "in", self.rows_keeper(at + "subsample.flat"))
        self.hook(front.input_proj_linear, "out", self.rows_keeper(at + "input_proj"))
        self.hook(encoder.rel_pos_enc, "out", self.keeper(at + "rel_pos_table", (0,)))
        self.hook(encoder.output_proj, "out", self.rows_keeper(at + "output_proj"))
        for index, layer in enumerate(encoder.layers):
            self.hook_entry(index, layer)
            self.hook_table(layer, LAYER, f"{at}layer.{index}.")
            self.hook_insides(layer, f"{at}layer.{index}.")

        def tower_out(_, args, output) -> None:
            self.put(at + "tower_out", output.last_hidden_state[output.attention_mask])

        self.handles.append(encoder.register_forward_hook(tower_out))
        self.hook_embedder(self.model.embed_audio, at, self.rows_keeper)

    def hook_insides(self, layer, at: str) -> None:
        attention, convolution = layer.self_attn, layer.lconv1d.depthwise_conv1d

        def columns(name: str):  # channel first at the depthwise convolution
            return lambda value: self.put_rows(name, value.transpose(1, 2))

        def relative(value) -> None:
            self.put(at + "attn.rel_k", value.reshape(-1, attention.num_heads, attention.head_dim))

        def probs(_, args, output) -> None:
            self.put(at + "attn.probs", dense(output[1], len(self.rows), self.keys))

        self.hook(convolution, "in", columns(at + "lconv.glu"))
        self.hook(convolution, "out", columns(at + "lconv.depthwise"))
        self.hook(attention.relative_k_proj, "out", relative)
        self.handles.append(attention.register_forward_hook(probs))

    # -- no module boundary ------------------------------------------------------------------

    @contextmanager
    def listening_methods(self):
        """Scaled queries and keys, caught where they are cut into blocks."""
        pairs = []
        for index, layer in enumerate(self.model.audio_tower.layers):
            attention = layer.self_attn
            for name, leaf in (("_convert_to_block", "q"), ("_extract_block_context", "k")):
                method = self.caught(index, getattr(attention, name), leaf + "_scaled")
                pairs.append((attention, name, method))
        with shadowed(pairs):
            yield

    def caught(self, index: int, method, leaf: str):
        name = f"audio.layer.{index}.attn.{leaf}"

        def wrapped(tensor):
            if name not in self.taps:  # the second call with keys brings the values
                self.put_rows(name, tensor)
            return method(tensor)

        return wrapped

    def recording_torch(self):
        """The name `torch` of the model's file, with a tanh that shows the capped logits."""
        inner, cap = self.namespace.torch, self.config.audio_config.attention_logit_cap

        def tanh(x):
            out = inner.tanh(x)
            at = f"audio.layer.{self.layer}.attn."
            self.put(at + "logits", dense(x * cap, len(self.rows), self.keys))
            self.put(at + "logits_capped", dense(out * cap, len(self.rows), self.keys))
            return out

        class Recording(types.ModuleType):
            def __getattr__(_, name: str):
                return tanh if name == "tanh" else getattr(inner, name)

        return Recording("torch")

    @contextmanager
    def embed_order(self):
        """JAX projects first and normalises the text width (DIV-M01)."""
        embedder = self.model.embed_audio
        if self.switches.get("audio.embed_order") != "proj_norm":
            yield
            return
        norm, project = embedder.embedding_pre_projection_norm, embedder.embedding_projection

        def forward(inputs_embeds):
            return norm(project(inputs_embeds))

        with shadowed([(embedder, "forward", forward)]):
            yield
