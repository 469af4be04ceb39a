# SPDX-License-Identifier: Apache-2.0
"""The encoders of the tiny multimodal checkpoints: widths, config.json parts, tensors and values.

Every value is adversarial (spec multimodal 10): bounds are asymmetric and clip on both sides, norm
weights vary and change sign, standardisation moves what it scales, and the queries of the second
audio layer drive some logits above 20 so that the cap shows.
"""

import math
from dataclasses import dataclass

import numpy as np

import weights


@dataclass
class Vision:
    width: int
    heads: int
    head_dim: int  # a multiple of 4
    ffn: int
    layers: int
    rows: int  # of the position table, per axis
    clips: bool = False
    fused: bool = False  # k and v, gate and up have the same bounds, as released checkpoints do
    standardize: bool = False
    patch: int = 16
    pooling: int = 3


@dataclass
class Audio:
    width: int
    heads: int
    layers: int
    out: int
    channels: tuple[int, int] = (128, 32)  # transformers needs the first to be the 128 mel bins
    clips: bool = True


@dataclass
class Unified:
    """12B: no encoders."""

    rows: int
    width: int = 0  # 0: the text model's
    samples: int = 640
    patch: int = 16
    pooling: int = 3

    @property
    def pixels(self) -> int:
        return 3 * (self.patch * self.pooling) ** 2


# input minimum and maximum, output minimum and maximum; each module moves them by up to a tenth
BOUNDS = {
    "q_proj": (-1.6, 1.4, -1.5, 1.3),
    "k_proj": (-1.5, 1.6, -1.4, 1.6),
    "v_proj": (-1.7, 1.5, -1.2, 1.5),
    "o_proj": (-0.8, 0.9, -0.9, 0.8),
    "gate_proj": (-1.5, 1.7, -1.3, 1.4),
    "up_proj": (-1.6, 1.3, -1.5, 1.2),
    "down_proj": (-0.35, 0.5, -0.5, 0.4),
    "ffw_layer_1": (-1.6, 1.5, -1.4, 1.6),
    "ffw_layer_2": (-0.22, 0.8, -0.6, 0.7),
    "post": (-0.9, 0.8, -0.8, 0.9),
    "linear_start": (-1.5, 1.6, -1.4, 1.2),
    "linear_end": (-0.22, 0.9, -0.7, 0.6),
}
SIDES = ("input_min", "input_max", "output_min", "output_max")
FUSED = {"v_proj": "k_proj", "up_proj": "gate_proj"}


def vision_config(v: Vision, dtype: str) -> dict:
    return {
        "model_type": "gemma4_vision",
        "hidden_size": v.width,
        "intermediate_size": v.ffn,
        "num_hidden_layers": v.layers,
        "num_attention_heads": v.heads,
        "num_key_value_heads": v.heads,
        "head_dim": v.head_dim,
        "hidden_activation": "gelu_pytorch_tanh",
        "rms_norm_eps": 1e-06,
        "max_position_embeddings": 131072,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "rope_parameters": {"rope_type": "default", "rope_theta": 100.0},
        "pooling_kernel_size": v.pooling,
        "patch_size": v.patch,
        "position_embedding_size": v.rows,
        "default_output_length": 280,
        "use_clipped_linears": v.clips,
        "standardize": v.standardize,
        "initializer_range": 0.02,
        "dtype": dtype,
    }


def audio_config(a: Audio, dtype: str) -> dict:
    return {
        "model_type": "gemma4_audio",
        "hidden_size": a.width,
        "num_hidden_layers": a.layers,
        "num_attention_heads": a.heads,
        "hidden_act": "silu",
        "subsampling_conv_channels": list(a.channels),
        "conv_kernel_size": 5,
        "residual_weight": 0.5,
        "attention_chunk_size": 12,
        "attention_context_left": 13,
        "attention_context_right": 0,
        "attention_logit_cap": 50.0,
        "attention_invalid_logits_value": -1000000000.0,
        "use_clipped_linears": a.clips,
        "rms_norm_eps": 1e-06,
        "gradient_clipping": 10000000000.0,
        "output_proj_dims": a.out,
        "initializer_range": 0.02,
        "dtype": dtype,
    }


def unified_configs(u: Unified, text_width: int, dtype: str) -> tuple[dict, dict]:
    width = u.width or text_width
    vision = {
        "model_type": "gemma4_unified_vision",
        "patch_size": u.patch,
        "pooling_kernel_size": u.pooling,
        "model_patch_size": u.patch * u.pooling,
        "mm_embed_dim": width,
        "mm_posemb_size": u.rows,
        "num_soft_tokens": 280,
        "output_proj_dims": width,
        "rms_norm_eps": 1e-06,
        "initializer_range": 0.02,
        "dtype": dtype,
    }
    audio = {
        "model_type": "gemma4_unified_audio",
        "audio_embed_dim": u.samples,
        "audio_samples_per_token": u.samples,
        "rms_norm_eps": 1e-06,
        "initializer_range": 0.02,
        "dtype": dtype,
    }
    return vision, audio


def processor_config(unified: bool, budget: int = 70, frames: int = 4) -> dict:
    """What the processor of the released checkpoints is told, with a smaller budget."""
    family = "Gemma4Unified" if unified else "Gemma4"
    image_processor = {
        "do_convert_rgb": True,
        "do_normalize": False,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.0, 0.0, 0.0],
        "image_processor_type": family + "ImageProcessor",
        "image_seq_length": 280,
        "image_std": [1.0, 1.0, 1.0],
        "max_soft_tokens": budget,
        "patch_size": 16,
        "pooling_kernel_size": 3,
        "resample": 3,
        "rescale_factor": 1 / 255,
    }
    video_processor = {k: v for k, v in image_processor.items() if k != "image_processor_type"}
    video_processor |= {"do_normalize": True, "do_sample_frames": True, "max_soft_tokens": 70}
    video_processor |= {"num_frames": frames, "video_processor_type": family + "VideoProcessor"}
    feature_extractor = {
        "feature_extractor_type": family + "AudioFeatureExtractor",
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": True,
        "sampling_rate": 16000,
    }
    if unified:
        feature_extractor["audio_samples_per_token"] = 640
    else:
        feature_extractor |= {
            "dither": 0.0,
            "feature_size": 128,
            "fft_length": 512,
            "fft_overdrive": False,
            "frame_length": 320,
            "hop_length": 160,
            "input_scale_factor": 1.0,
            "max_frequency": 8000.0,
            "mel_floor": 0.001,
            "min_frequency": 0.0,
            "per_bin_mean": None,
            "per_bin_stddev": None,
            "preemphasis": 0.0,
            "preemphasis_htk_flavor": True,
        }
    return {
        "audio_ms_per_token": 40,
        "audio_seq_length": 750,
        "feature_extractor": feature_extractor,
        "image_processor": image_processor,
        "image_seq_length": 280,
        "processor_class": family + "Processor",
        "video_processor": video_processor,
    }


# -- tensors -----------------------------------------------------------------------------------


def clippable(name: str, shape: tuple[int, int], clips: bool) -> dict[str, tuple[int, ...]]:
    sides = {f"{name}.{side}": () for side in SIDES} if clips else {}
    return {f"{name}.linear.weight": shape, **sides}


def vision_layer_shapes(v: Vision) -> dict[str, tuple[int, ...]]:
    inner = v.heads * v.head_dim
    shapes: dict[str, tuple[int, ...]] = {}
    for norm in ("input", "post_attention", "pre_feedforward", "post_feedforward"):
        shapes[f"{norm}_layernorm.weight"] = (v.width,)
    for part in ("q_proj", "k_proj", "v_proj"):
        shapes |= clippable(f"self_attn.{part}", (inner, v.width), v.clips)
    shapes |= clippable("self_attn.o_proj", (v.width, inner), v.clips)
    shapes |= {f"self_attn.{part}_norm.weight": (v.head_dim,) for part in "qk"}
    for part in ("gate_proj", "up_proj"):
        shapes |= clippable(f"mlp.{part}", (v.ffn, v.width), v.clips)
    return shapes | clippable("mlp.down_proj", (v.width, v.ffn), v.clips)


def vision_shapes(v: Vision, text_width: int) -> dict[str, tuple[int, ...]]:
    encoder: dict[str, tuple[int, ...]] = {
        "patch_embedder.input_proj.weight": (v.width, 3 * v.patch**2),
        "patch_embedder.position_embedding_table": (2, v.rows, v.width),
    }
    for layer in range(v.layers):
        for name, shape in vision_layer_shapes(v).items():
            encoder[f"encoder.layers.{layer}.{name}"] = shape
    if v.standardize:
        encoder |= {"std_bias": (v.width,), "std_scale": (v.width,)}
    shapes = {"model.vision_tower." + name: shape for name, shape in encoder.items()}
    return shapes | {"model.embed_vision.embedding_projection.weight": (text_width, v.width)}


def audio_layer_shapes(a: Audio) -> dict[str, tuple[int, ...]]:
    square, shapes = (a.width, a.width), {}
    for ffn in ("feed_forward1", "feed_forward2"):
        shapes |= {f"{ffn}.{at}_layer_norm.weight": (a.width,) for at in ("pre", "post")}
        shapes |= clippable(f"{ffn}.ffw_layer_1", (4 * a.width, a.width), a.clips)
        shapes |= clippable(f"{ffn}.ffw_layer_2", (a.width, 4 * a.width), a.clips)
    for part in ("q_proj", "k_proj", "v_proj", "post"):
        shapes |= clippable(f"self_attn.{part}", square, a.clips)
    shapes["self_attn.relative_k_proj.weight"] = square
    shapes["self_attn.per_dim_scale"] = (a.width // a.heads,)
    shapes |= {f"lconv1d.{norm}.weight": (a.width,) for norm in ("pre_layer_norm", "conv_norm")}
    shapes |= clippable("lconv1d.linear_start", (2 * a.width, a.width), a.clips)
    shapes |= clippable("lconv1d.linear_end", square, a.clips)
    shapes["lconv1d.depthwise_conv1d.weight"] = (a.width, 1, 5)
    return shapes | {f"norm_{at}.weight": (a.width,) for at in ("pre_attn", "post_attn", "out")}


def audio_shapes(a: Audio, text_width: int) -> dict[str, tuple[int, ...]]:
    first, second = a.channels
    encoder: dict[str, tuple[int, ...]] = {
        "subsample_conv_projection.layer0.conv.weight": (first, 1, 3, 3),
        "subsample_conv_projection.layer0.norm.weight": (first,),
        "subsample_conv_projection.layer1.conv.weight": (second, first, 3, 3),
        "subsample_conv_projection.layer1.norm.weight": (second,),
        "subsample_conv_projection.input_proj_linear.weight": (a.width, first // 4 * second),
    }
    for layer in range(a.layers):
        for name, shape in audio_layer_shapes(a).items():
            encoder[f"layers.{layer}.{name}"] = shape
    encoder |= {"output_proj.weight": (a.out, a.width), "output_proj.bias": (a.out,)}
    shapes = {"model.audio_tower." + name: shape for name, shape in encoder.items()}
    return shapes | {"model.embed_audio.embedding_projection.weight": (text_width, a.out)}


def unified_shapes(u: Unified, text_width: int) -> dict[str, tuple[int, ...]]:
    width = u.width or text_width
    embedder: dict[str, tuple[int, ...]] = {
        "patch_ln1.weight": (u.pixels,),
        "patch_ln1.bias": (u.pixels,),
        "patch_dense.weight": (width, u.pixels),
        "patch_dense.bias": (width,),
        "patch_ln2.weight": (width,),
        "patch_ln2.bias": (width,),
        "pos_embedding": (u.rows, 2, width),
        "pos_norm.weight": (width,),
        "pos_norm.bias": (width,),
    }
    return {
        **{"model.vision_embedder." + name: shape for name, shape in embedder.items()},
        "model.embed_vision.embedding_projection.weight": (text_width, width),
        "model.embed_audio.embedding_projection.weight": (text_width, u.samples),
    }


# -- values ------------------------------------------------------------------------------------


def clip_bound(checkpoint: str, name: str, fused: bool) -> np.ndarray:
    """A bound of BOUNDS, moved by up to a tenth of itself by the module's own stream."""
    module, side = name.rsplit(".", 1)
    prefix, leaf = module.rsplit(".", 1)
    leaf = FUSED.get(leaf, leaf) if fused else leaf
    middle = BOUNDS[leaf][SIDES.index(side)]
    move = weights.uniform(f"{checkpoint}/{prefix}.{leaf}.{side}", 1)[0]
    return np.array(middle * (0.9 + 0.2 * move), np.float32)


def bounds(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """lo, hi of an encoder tensor that is no clip bound."""
    leaf = name.rsplit(".", 1)[-1]
    if name.endswith("per_dim_scale"):
        return (3.0, 6.5) if ".layers.1." in name else (-2.0, 1.5)
    if name.endswith("std_bias"):
        return -3.0, 5.0
    if name.endswith("std_scale"):
        return 0.2, 1.4
    if leaf == "bias":
        return (-2.0, 2.0) if "output_proj" in name else (-0.4, 0.4)
    if len(shape) == 1:
        return 0.5, 1.5
    half = math.sqrt(3.0 / math.prod(shape[1:]))
    if name.endswith(("position_embedding_table", "pos_embedding")):
        half = 0.7
    return -half, half


def tensor(checkpoint: str, name: str, shape: tuple[int, ...], fused: bool) -> np.ndarray:
    if name.endswith(SIDES):
        return clip_bound(checkpoint, name, fused)
    values = weights.generate(f"{checkpoint}/{name}", shape, *bounds(name, shape))
    if len(shape) == 1 and name.endswith(".weight"):  # norms
        sign = weights.uniform(f"{checkpoint}/{name}/sign", math.prod(shape)).reshape(shape)
        values = np.where(sign < 0.2, -values, values)
    return values.astype(np.float32)
