# SPDX-License-Identifier: Apache-2.0
"""Images, frames and audio of a case through transformers' own processors, as model inputs."""

import importlib
import io
import json
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from assay_media import MediaItems

SAMPLE_RATE = 16000
ENCODED = {"image": "image", "frame": "video"}  # kind of an item -> name of the encoder's output
BUDGETS = {"image": ("image_processor", 280), "frame": ("video_processor", 70)}


class Unsupported(Exception):
    """This port cannot take an item in this form; one line that says why."""


@dataclass
class Item:
    """One item of /inputs/media that is not soft-token embeddings."""

    number: int  # the run of placeholders that it fills
    kind: str  # image, frame, audio
    forms: dict  # rgb, patches and positions, samples, mel and mel_mask, rows, file
    budget: int


def read_item(path, group):
    """The item in an HDF5 group."""
    forms = {name: group[name][:] for name in group}
    number = int(group.name.rsplit("/", 1)[1])
    item = Item(number, str(group.attrs["kind"]), forms, int(group.attrs.get("budget", 0)))
    if item.kind == "video":
        raise Unsupported(f"{path}: a video file: this port has no decoder, give it the frames")
    return item


class Processors:
    """transformers' processors for one checkpoint; `taps` holds what they made, item by item."""

    def __init__(self, folder, unified):
        self.folder, self.unified = Path(folder), unified
        self.taps = {}

    def slots(self, item):
        """Values and positions or mask of one item, padded as the processor pads."""
        values, positions = self._audio(item) if item.kind == "audio" else self._image(item)
        real = (positions != -1).all(axis=-1) if positions.ndim == 2 else positions != 0
        prefix = f"media.{item.number}."
        if item.kind != "audio":
            self.taps[prefix + "image.patches"] = values[real]
            self.taps[prefix + "image.positions"] = positions[real]
        elif not self.unified:
            self.taps[prefix + "audio.mel"] = values[real]
            self.taps[prefix + "audio.mel_mask"] = positions.astype(np.int32)
        return values, positions

    def _image(self, item):
        if "patches" in item.forms:
            return item.forms["patches"], item.forms["positions"]
        import PIL.Image

        if "rgb" in item.forms:
            image = PIL.Image.fromarray(item.forms["rgb"])
        else:
            image = PIL.Image.open(io.BytesIO(item.forms["file"].tobytes()))
            image = importlib.import_module("transformers.image_utils").load_image(image)
        module = importlib.import_module("transformers.models.gemma4.image_processing_pil_gemma4")
        side, pooling = (48, 1) if self.unified else (16, 3)  # 12B: patches as wide as nine
        processor = module.Gemma4ImageProcessorPil(
            max_soft_tokens=item.budget or self._budget(item.kind),
            patch_size=side,
            pooling_kernel_size=pooling,
        )
        batch = processor(image, return_tensors="np")
        soft = np.array(batch["num_soft_tokens_per_image"], np.int32)
        self.taps[f"media.{item.number}.image.num_soft_tokens"] = soft
        return batch["pixel_values"][0], batch["image_position_ids"][0]

    def _budget(self, kind):
        part, released = BUDGETS[kind]
        path = self.folder / "processor_config.json"
        stored = json.loads(path.read_text()) if path.is_file() else {}
        return stored.get(part, {}).get("max_soft_tokens", released)

    def _audio(self, item):
        forms = item.forms
        if self.unified and "rows" in forms:
            return forms["rows"], np.ones(len(forms["rows"]), np.int32)
        if "mel" in forms:
            return forms["mel"], forms.get("mel_mask", np.ones(len(forms["mel"]), np.int32))
        samples = forms["samples"] if "samples" in forms else wave_samples(forms["file"])
        family = "gemma4_unified" if self.unified else "gemma4"
        module = f"transformers.models.{family}.feature_extraction_{family}"
        name = (
            "Gemma4UnifiedAudioFeatureExtractor" if self.unified else "Gemma4AudioFeatureExtractor"
        )
        batch = getattr(importlib.import_module(module), name)()([samples], return_tensors="np")
        return batch["input_features"][0], batch["input_features_mask"][0]


def wave_samples(file):
    """Mono 16-bit WAV at 16 kHz."""
    try:
        with wave.open(io.BytesIO(file.tobytes())) as stream:
            facts = stream.getnchannels(), stream.getsampwidth(), stream.getframerate()
            data = stream.readframes(stream.getnframes())
    except (wave.Error, EOFError):
        facts, data = None, b""
    if facts != (1, 2, SAMPLE_RATE):
        raise Unsupported("an audio file that is not mono 16-bit WAV at 16 kHz: give the samples")
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)


def stacked(slots, filler):
    """Items of one kind, padded to the longest: values 0, positions -1 or mask 0."""
    longest = max(len(values) for values, _ in slots)
    parts = [
        (
            np.pad(values, [(0, longest - len(values)), (0, 0)]),
            np.pad(
                positions,
                [(0, longest - len(positions))] + [(0, 0)] * (positions.ndim - 1),
                constant_values=filler,
            ),
        )
        for values, positions in slots
    ]
    return [torch.from_numpy(np.stack(side)) for side in zip(*parts)]


def numbers(items):
    """Which run of placeholders each item of the encoders' calls fills: images first."""
    of = {kind: [i.number for i in items if i.kind == kind] for kind in ("image", "frame", "audio")}
    return MediaItems(images=of["image"] + of["frame"], audio=of["audio"])


def arguments(model, items, processors, dtype):
    """Keyword arguments of the model's forward call. Images and frames are encoded before it:
    in transformers 5.22 it does not hand on num_frames_per_video, which frames need."""
    chosen, encoded = {}, {}
    for kind in ("image", "frame"):
        slots = [processors.slots(item) for item in items if item.kind == kind]
        if slots:
            pixels, positions = stacked(slots, -1)
            pixels = pixels.to(dtype) if processors.unified else pixels
            more = [torch.ones(len(slots), dtype=torch.long)] if kind == "frame" else []
            encode = model.get_video_features if more else model.get_image_features
            encoded[ENCODED[kind]] = encode(pixels, positions.long(), *more, return_dict=True)
    if encoded:
        chosen["mm_encoder_outputs"] = encoded
    if audio := [processors.slots(item) for item in items if item.kind == "audio"]:
        features, mask = stacked(audio, 0)
        chosen |= {"input_features": features.to(dtype), "input_features_mask": mask.bool()}
    return chosen
