# SPDX-License-Identifier: Apache-2.0
"""Images and audio clips through transformers' own processors (the Pillow one), with their taps.

The values are fp32 numbers by definition: byte / 255 rounded once, and a log-mel whose FFT runs in
fp64. `loose` takes other roads that are as legitimate in fp32: a factor 1/255, an fp32 FFT. The
switches of a profile change what transformers does; its filters and its windowing stay its own.
"""

import ast
import importlib.util
import io
import math
import types
import warnings
from pathlib import Path

import numpy as np
import torch

PIL_MODULE = "transformers.models.gemma4.image_processing_pil_gemma4"
UNIFIED_MODULE = "transformers.models.gemma4_unified.image_processing_gemma4_unified"


def load_rgb(file: np.ndarray) -> np.ndarray:
    """[h, w, 3] of an image file, as transformers loads a path: upright, alpha dropped."""
    import PIL.Image
    from transformers.image_utils import load_image

    return np.asarray(load_image(PIL.Image.open(io.BytesIO(file.tobytes()))))


def frame_indices(total: int, item: dict) -> list[int]:
    """transformers' choice of num_frames out of `total` frames."""
    from transformers import video_processing_utils as module
    from transformers.video_utils import VideoMetadata

    facts = VideoMetadata(total_num_frames=total, fps=item["fps"], duration=total / item["fps"])
    nobody = types.SimpleNamespace(num_frames=None, fps=None)
    chosen = module.BaseVideoProcessor.sample_frames(nobody, facts, item["num_frames"])
    return [int(index) for index in chosen]


# -- images --------------------------------------------------------------------------------------


def image_taps(rgb: np.ndarray, budget: int, unified: bool, switches: dict, loose: bool) -> dict:
    """Taps of one image; `slots.patches` and `slots.positions` go on to the encoder."""
    import PIL.Image

    pil = importlib.import_module(PIL_MODULE)
    side, pooling = (48, 1) if unified else (16, 3)
    processor = pil.Gemma4ImageProcessorPil(
        max_soft_tokens=budget, patch_size=side, pooling_kernel_size=pooling
    )
    limit, size = budget * pooling**2, rgb.shape[:2]
    target = pil.get_aspect_ratio_preserving_size(*size, side, limit, pooling)
    taps = {"image.rgb": rgb.astype(np.int32), "image.target_size": np.array(target, np.int32)}
    batch = processor(PIL.Image.fromarray(rgb), return_tensors="np")
    slots, positions = batch["pixel_values"][0], batch["image_position_ids"][0]
    count = target[0] // side * (target[1] // side)
    if switches.get("image.resample") == "float" and target != size:
        pixels = (resize_float(rgb, target) / 255).astype(np.float32)
    else:
        planes = rgb.transpose(2, 0, 1)
        resized = processor.aspect_ratio_preserving_resize(planes, side, limit, pooling, 3)
        resized = resized.transpose(1, 2, 0)
        taps["image.resized"] = resized.astype(np.int32)
        pixels = (resized.astype(np.float64) / 255).astype(np.float32)
        assert np.array_equal(cut(pixels, side), slots[:count])
        if loose:
            pixels = resized.astype(np.float32) * np.float32(1 / 255)
    slots = np.zeros_like(slots)
    slots[:count] = cut(pixels, side)
    if unified:
        check_merged(pixels, slots[:count], positions[:count])
    taps |= {
        "image.patches": slots[:count],
        "image.positions": positions[:count].astype(np.int32),
        "image.num_soft_tokens": np.array(batch["num_soft_tokens_per_image"], np.int32),
        "slots.patches": slots,
        "slots.positions": positions,
    }
    return taps


def cut(pixels: np.ndarray, side: int) -> np.ndarray:
    """[h, w, 3] to [N, side * side * 3], raster order; inside: row, column, channel."""
    high, wide = pixels.shape[0] // side, pixels.shape[1] // side
    grid = pixels.reshape(high, side, wide, side, 3).transpose(0, 2, 1, 3, 4)
    return grid.reshape(high * wide, side * side * 3)


def check_merged(pixels: np.ndarray, patches: np.ndarray, positions: np.ndarray) -> None:
    """The 12B's processor cuts 16 x 16 and merges 3 x 3 of them; its file needs torchvision, the
    function that merges does not."""
    tree = ast.parse(Path(importlib.util.find_spec(UNIFIED_MODULE).origin).read_text())
    merge = next(n for n in tree.body if getattr(n, "name", "") == "patches_merge")
    names = {"torch": torch, "math": math}
    exec(compile(ast.Module([merge], []), "patches_merge", "exec"), names)
    small = torch.from_numpy(cut(pixels, 16))
    across = torch.arange(pixels.shape[1] // 16), torch.arange(pixels.shape[0] // 16)
    position_ids = torch.stack(torch.meshgrid(*across, indexing="xy"), dim=-1).reshape(-1, 2)
    merged, where = names["patches_merge"](small[None], position_ids[None], len(patches))
    assert np.array_equal(merged[0].numpy(), patches)
    assert np.array_equal(where[0].numpy(), positions)


def resize_float(rgb: np.ndarray, target: tuple[int, int]) -> np.ndarray:
    """jax.image.resize, bicubic: the weights of 2.4 without any rounding (DIV-M12), in fp64."""
    down, across = (resize_weights(n, t) for n, t in zip(rgb.shape[:2], target))
    return np.einsum("yi,xj,ijc->yxc", down, across, rgb.astype(np.float64), optimize=True)


def resize_weights(size: int, target: int) -> np.ndarray:
    if size == target:
        return np.eye(size)
    scale = size / target
    stretch = max(scale, 1.0)
    centre = (np.arange(target) + 0.5) * scale
    t = np.abs(np.arange(size)[None, :] + 0.5 - centre[:, None]) / stretch
    near, far = (1.5 * t - 2.5) * t * t + 1, (((t - 5) * t + 8) * t - 4) * -0.5
    weights = np.where(t < 1, near, np.where(t < 2, far, 0.0))
    return weights / weights.sum(axis=1, keepdims=True)


# -- audio clips ---------------------------------------------------------------------------------


def extractor():
    from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor

    return Gemma4AudioFeatureExtractor()


def audio_taps(samples: np.ndarray, switches: dict, fft: str) -> dict:
    """Taps of one clip; fft: "f64", "shipped" (NumPy on fp32 frames) or "f32" (all of it)."""
    own, samples = extractor(), samples.astype(np.float32)[:480000]
    left = 0 if switches.get("audio.left_pad") == "0" else own.frame_length // 2
    window = own.window
    if switches.get("audio.hann") == "half_sample":
        turn = (np.arange(own.frame_length) + 0.5) / own.frame_length
        window = (0.5 - 0.5 * np.cos(2 * np.pi * turn)).astype(np.float32)
    padded = np.concatenate([np.zeros(left, np.float32), samples])
    count = max((len(padded) - own.frame_length - 1) // own.hop_length + 1, 0)
    starts = own.hop_length * np.arange(count)
    frames = padded[starts[:, None] + np.arange(own.frame_length)] * window
    magnitude, linear = spectrum(frames, own, fft)
    floor = own.mel_floor.astype(linear.dtype)
    largest = switches.get("audio.log_floor") == "max"
    floored = np.maximum(linear, floor) if largest else linear + floor
    mel = np.log(floored).astype(np.float32)
    mask = np.ones(count, np.int32)
    if not switches:
        mask = check_extractor(own, samples, mel, fft)
    return {
        "audio.samples": samples,
        "audio.frames_windowed": frames,
        "audio.magnitude": magnitude,
        "audio.mel_linear": linear,
        "audio.mel": mel,
        "audio.mel_mask": mask,
    }


def spectrum(frames: np.ndarray, own, fft: str) -> tuple[np.ndarray, np.ndarray]:
    if fft == "f32":
        bins = torch.fft.rfft(torch.from_numpy(frames), n=own.fft_length)
        magnitude = bins.abs().numpy()
        return magnitude, magnitude @ own.mel_filters.astype(np.float32)
    wide = frames.astype(np.float64) if fft == "f64" else frames
    magnitude = np.abs(np.fft.rfft(wide, n=own.fft_length, axis=-1))
    return magnitude, np.matmul(magnitude, own.mel_filters)


def check_extractor(own, samples: np.ndarray, mel: np.ndarray, fft: str) -> np.ndarray:
    """transformers' extractor says the same; gives its mask of frames."""
    narrow = np.fft.rfft
    if fft == "f64":
        np.fft.rfft = lambda x, **kwargs: narrow(x.astype(np.float64), **kwargs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            batch = own([samples], return_tensors="np")
    finally:
        np.fft.rfft = narrow
    features, mask = batch["input_features"][0], batch["input_features_mask"][0]
    assert mask.sum() == len(mel) and mask[: len(mel)].all()
    difference = np.abs(features[: len(mel)] - mel).max(initial=0.0)
    assert difference <= {"f64": 0.0, "shipped": 0.0, "f32": 1e-2}[fft], difference
    assert not features[len(mel) :].any()
    return mask.astype(np.int32)


def unified_rows(samples: np.ndarray) -> np.ndarray:
    """12B: rows of 640 samples."""
    from transformers.models.gemma4_unified import feature_extraction_gemma4_unified as module

    own = module.Gemma4UnifiedAudioFeatureExtractor()
    batch = own([samples.astype(np.float32)], return_tensors="np")
    return batch["input_features"][0].astype(np.float32)
