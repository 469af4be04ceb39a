# SPDX-License-Identifier: Apache-2.0
"""Taps of DeepMind's JAX audio encoder, one clip at a time, and what a profile changes in it."""

from dataclasses import dataclass

import numpy as np

from jax_item_taps import ItemRecorder
from jax_package import Forward

LAYER_RESULTS = {  # (module above, module) of a conformer layer -> tap of its result
    ("trans_atten", "pre_norm"): "attn.pre_norm",
    ("self_atten", "query"): "attn.q_proj",
    ("self_atten", "key"): "attn.k_proj",
    ("self_atten", "value"): "attn.v_proj",
    ("trans_atten", "self_atten"): "attn.context",
    ("trans_atten", "post"): "attn.post",
    ("trans_atten", "post_norm"): "attn.post_norm",
    ("layer", "trans_atten"): "attn.residual",
    ("relative_position_embedding", "pos_proj"): "attn.rel_k",
    ("lconv", "ln"): "lconv.pre_norm",
    ("lconv", "linear_start"): "lconv.linear_start",
    ("lconv", "depthwise_conv1d"): "lconv.depthwise",
    ("lconv", "conv_norm"): "lconv.conv_norm",
    ("lconv", "linear_end"): "lconv.linear_end",
    ("layer", "lconv"): "lconv.out",
    ("layer", "fflayer_start"): "ffn1.out",
    ("layer", "fflayer_end"): "ffn2.out",
}
LAYER_ARGUMENTS = {
    ("lconv", "depthwise_conv1d"): "lconv.glu",
    ("lconv", "linear_end"): "lconv.act",
}
for _part, _tap in (("fflayer_start", "ffn1"), ("fflayer_end", "ffn2")):
    LAYER_RESULTS |= {
        (_part, "pre_layer_norm"): _tap + ".pre_norm",
        (_part, "ffn_layer1"): _tap + ".up",
        (_part, "ffn_layer2"): _tap + ".down",
        (_part, "post_layer_norm"): _tap + ".post_norm",
    }
    LAYER_ARGUMENTS[_part, "ffn_layer2"] = _tap + ".act"
CHUNK = 12  # queries of a block; the keys of the block before it come first


@dataclass
class Choices:
    """What a profile says where JAX has a choice of its own (spec multimodal 9)."""

    keys: int = 12  # JAX: 13 (DIV-M04)
    norm_first: bool = True  # JAX: projection, then norm (DIV-M01)
    periodic: bool = True  # JAX: the window is half a sample late (DIV-M05)
    left_pad: int = 160  # JAX: 0 (DIV-M06)


class AudioRecorder(ItemRecorder):
    def __init__(self, package):
        super().__init__(package)
        self.choices = Choices()
        self.mel, self.length = None, 0  # given frames; soft tokens
        self._install()

    def start(self, at: str, mel=None) -> None:
        """mel: frames to be encoded in place of what the samples give."""
        super().start(at)
        self.mel = mel

    def put_layer(self, name: str, value) -> None:
        self.put(f"audio.layer.{self.layer}.{name}", value)

    # ---- module calls ------------------------------------------------------------------------

    def changed_arguments(self, module, args, kwargs):
        if type(module).__name__ == "ConformerLayer":
            self.layer = module.layer_idx
        return args, kwargs

    def call_module(self, module, next_function, args, kwargs):
        if type(module).__name__ == "GemaxMelFilterbank":
            return self._log_mel(next_function, *args)
        return next_function(*args, **kwargs)

    def call_method(self, method: str, module, next_function, args, kwargs):
        if method == "hann_window":
            return self._window(next_function, args)
        if method == "encode_audio":
            return self._embed(module, next_function, args)
        return next_function(*args, **kwargs)

    def see(self, name: str, args, result) -> None:
        if name == "audio_encoder":
            self.put("audio.tower_out", result[0][0])
        elif name == "output_projection":
            self.put("audio.output_proj", result[0])
        elif name.startswith("conformer/"):
            self.put_layer("out", result[0])
        elif self.layer >= 0 and self.above:
            self._see_conformer(name, args, result)
        elif name.startswith("subsampling_"):
            self.put(f"audio.subsample.{name[-1]}.conv", result[0].transpose(2, 0, 1))
            if name[-1] == "1":
                self.put("audio.subsample.0.out", args[0][0].transpose(2, 0, 1))
        elif name in ("norm_0", "norm_1"):
            self.put(f"audio.subsample.{name[-1]}.norm", result[0])
        elif name == "input_proj":
            rows, self.length = args[0][0], result.shape[1]
            self.put("audio.subsample.1.out", rows.transpose(2, 0, 1))
            self.put("audio.subsample.flat", rows.reshape(self.length, -1))
            self.put("audio.input_proj", result[0])

    def _see_conformer(self, name: str, args, result) -> None:
        above = self.above[-1]
        place = ("layer" if above.startswith("conformer/") else above, name)
        if place in LAYER_RESULTS:
            self.put_layer(LAYER_RESULTS[place], result[0])
        if place in LAYER_ARGUMENTS:
            self.put_layer(LAYER_ARGUMENTS[place], args[-1][0])
        if name == "pos_proj":
            self.put("audio.rel_pos_table", args[-1][0])
        elif name == "relative_position_embedding":
            queries, keys = args  # in blocks; a block's own keys come last
            self.put_layer("attn.q_scaled", self._unblocked(queries))
            self.put_layer("attn.k_scaled", self._unblocked(keys[:, :, -CHUNK:]))
            self.put_layer("attn.logits", self._dense(result))

    def _unblocked(self, blocks) -> np.ndarray:
        """[1, blocks, 12, ...] to [n, ...]"""
        whole = np.asarray(blocks[0])
        return whole.reshape(-1, *whole.shape[2:])[: self.length]

    def _dense(self, blocked) -> np.ndarray:
        """[1, heads, blocks, 12, 24] to [heads, n, n], 0 but for the last `keys` keys."""
        blocks, n = np.asarray(blocked[0]), self.length
        out = np.zeros((len(blocks), n, n))
        for t in range(n):
            for key in range(max(0, t - self.choices.keys + 1), t + 1):
                column = key - (t // CHUNK - 1) * CHUNK
                out[:, t, key] = blocks[:, t // CHUNK, t % CHUNK, column]
        return out

    # ---- what a profile changes --------------------------------------------------------------

    def _log_mel(self, next_function, waveform):
        """Samples, window and their product are fp32 numbers, and so is the result."""
        wide = self.package.dtype
        if self.mel is not None:
            return self.jnp.asarray(self.mel[None], dtype=wide)
        left = [(0, 0), (self.choices.left_pad, 0)]
        waveform = self.jnp.pad(waveform.astype(np.float32), left)
        mel = next_function(waveform).astype(np.float32).astype(wide)
        self.put("audio.mel", mel[0])
        return mel

    def _window(self, next_function, args):
        length, periodic, shifted = args
        window = next_function(length, periodic, shifted and not self.choices.periodic)
        return window.astype(np.float32)

    def _embed(self, embedder, next_function, args):
        if self.choices.norm_first:
            normed = embedder.audio_soft_embedding_norm(*args)
            self.put("audio.embed.pre_norm", normed[0])
            result = embedder.audio_input_projection("...tm,md->...td", normed)
        else:
            result = next_function(*args)
        self.put("audio.embed.out", result[0])
        return result

    def _install(self) -> None:
        """Replaces names in the package's modules, once in a process."""
        modules, tokenizer, jax = (
            self.package.audio_modules,
            self.package.audio_model.AudioTokenizer,
            self.jax,
        )
        nn = Forward(jax.nn, tanh=self._tanh, softmax=self._softmax)
        fft = Forward(self.jnp.fft, rfft=self._rfft)
        modules.jax = Forward(jax, nn=nn)
        modules.jnp = Forward(self.jnp, fft=fft, abs=self._abs, log=self._log)
        own_mask = tokenizer._compute_causal_valid_mask

        def mask(config):
            allowed = own_mask(config)  # [query, key]: query <= key <= query + 12
            query, key = np.indices(allowed.shape)
            return allowed & (key > query + CHUNK - self.choices.keys)

        def all_valid(x, lengths, count):  # its own counts lose frames (DIV-M42)
            return self.jnp.ones(x.shape[:2], bool)

        tokenizer._compute_causal_valid_mask = staticmethod(mask)
        tokenizer.infer_mask = staticmethod(all_valid)

    # ---- no module boundary ------------------------------------------------------------------

    def _tanh(self, x):
        result = self.jax.nn.tanh(x)
        if self.sees(result):
            self.put_layer("attn.logits_capped", 50.0 * self._dense(result))
        return result

    def _softmax(self, x, axis):
        result = self.jax.nn.softmax(x, axis=axis)
        if self.sees(result):
            self.put_layer("attn.probs", self._dense(result))
        return result

    def _rfft(self, frames, n):
        self.put("audio.frames_windowed", frames[0])
        return self.jnp.fft.rfft(frames.astype(self.package.dtype), n=n)

    def _abs(self, x):
        result = self.jnp.abs(x)
        self.put("audio.magnitude", result[0])
        return result

    def _log(self, x):
        if self.sees(x) and np.ndim(x) == 3:  # the filters' sums, floor added
            self.put("audio.mel_linear", np.asarray(x[0]) - 0.001)
        return self.jnp.log(x)
