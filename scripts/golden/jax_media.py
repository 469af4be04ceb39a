# SPDX-License-Identifier: Apache-2.0
"""Items of media through DeepMind's JAX code, encoders and preprocessing, under a profile.

The package encodes one item at a time here, without padding: its own padding changes the result
(DIV-M02, DIV-M08). Where a profile asks for what JAX chooses otherwise, JAX is repaired and
`repairs` says so; what it has no words for raises `Unsupported`.
"""

import io
import json

import numpy as np

from jax_audio_taps import AudioRecorder, Choices
from jax_checkpoint import require
from jax_vision_taps import VisionRecorder

OTHERS = {"audio.log_floor": "DIV-M07", "text.vision_mask": "DIV-M17"}  # no choice of JAX


class Items:
    """The items of a case (media_prompt.py), frames of a video one by one, and its profile."""

    def __init__(self, data):
        profile = str(data["profile"]) if "profile" in data else "REF"
        self.switches = dict(p.split("=") for p in profile.split(",")) if profile != "REF" else {}
        for name, entry in OTHERS.items():
            require(name not in self.switches, f"{name}: not what JAX does ({entry})")
        resample = self.switches.get("image.resample", "float")
        require(resample == "float", f"image.resample={resample}: not what JAX does (DIV-M12)")
        self.images, self.audio_clips = [], []
        for item in json.loads(str(data["items"])) if "items" in data else []:
            prefix = f"item_{item['run']}_"
            item |= {n.removeprefix(prefix): data[n] for n in data if n.startswith(prefix)}
            (self.audio_clips if item["kind"] == "audio" else self.images).extend(one_by_one(item))

    def choices(self) -> Choices:
        s = self.switches
        return Choices(
            keys=int(s.get("audio.window_keys", 12)),
            norm_first=s.get("audio.embed_order") != "proj_norm",
            periodic=s.get("audio.hann") != "half_sample",
            left_pad=int(s.get("audio.left_pad", 160)),
        )

    def repairs(self) -> list[str]:
        own, out = self.choices(), []
        if self.images:
            out.append("remove_mm_logits is the identity (DIV-M45)")
            if "vision.pad_mask" not in self.switches:
                out.append("pictures are encoded one by one, without padding (DIV-M02)")
        if any("file" in item for item in self.images):
            out.append("pictures of files are turned upright (DIV-M33)")
        if not self.audio_clips:
            return out
        out.append("sounds are encoded one by one, all frames valid (DIV-M08, DIV-M42)")
        out += ["exact 1/ln 2 (DIV-M43)"]
        out += ["mask of 12 keys (DIV-M04)"] * (own.keys == 12)
        out += ["norm before projection (DIV-M01)"] * own.norm_first
        if any("mel" not in item for item in self.audio_clips):
            out += ["periodic window (DIV-M05)"] * own.periodic
            out += [f"{own.left_pad} zeros before the samples (DIV-M06)"] * (own.left_pad > 0)
        return out


def one_by_one(item: dict) -> list[dict]:
    if item["kind"] != "video":
        return [item]
    count, frames = item["num_frames"], item["frames"]
    chosen = [j * len(frames) // count for j in range(count)]
    keep = {"kind": "frame", "budget": item["budget"]}
    return [keep | {"run": item["run"] + j, "rgb": frames[i]} for j, i in enumerate(chosen)]


class Encoders:
    """Answers for `Transformer._encode_vision` and `_encode_audio`, through the originals."""

    def __init__(self, package):
        self.package, self.jnp = package, package.jax.numpy
        self.vision, self.audio = VisionRecorder(package), AudioRecorder(package)
        cls = package.transformer.Transformer
        self.own = cls._encode_vision, cls._encode_audio
        self.items: Items | None = None

    def begin(self, items: Items) -> None:
        self.items, self.vision.taps, self.audio.taps = items, {}, {}
        self.audio.choices = items.choices()

    def taps(self) -> dict:
        return self.vision.taps | self.audio.taps

    def encode_vision(self, model):
        return self.jnp.concatenate([self._image(model, i) for i in self.items.images], axis=1)

    def encode_audio(self, model):
        return self.jnp.concatenate([self._audio(model, i) for i in self.items.audio_clips], axis=1)

    # ---- images ------------------------------------------------------------------------------

    def _image(self, model, item: dict):
        at = f"media.{item['run']}."
        if "patches" in item:
            patches, positions = item["patches"], item["positions"]
            real = (positions != -1).all(axis=1)
            if "vision.pad_mask" not in self.items.switches:
                patches, positions = patches[real], positions[real]
        else:
            patches, positions, taps = self._preprocess(item)
            self.vision.taps |= {at + name: value for name, value in taps.items()}
        real = np.nonzero((positions != -1).all(axis=1))[0]
        self.vision.taps[at + "image.positions"] = positions[real].astype(np.int32)
        given = self.package.transformer.PreprocessedVisionInput(
            patches=self.jnp.asarray(patches[None], dtype=self.package.dtype),
            positions_xy=self.jnp.asarray(positions[None]),
            soft_token_counts=(len(real) // 9,),
        )
        self.vision.rows = real
        self.vision.start(at)
        rows = self.own[0](model, given)
        self.vision.stop()
        return rows

    def _preprocess(self, item: dict) -> tuple[np.ndarray, np.ndarray, dict]:
        """The package's own functions; patches are fp32 numbers by definition."""
        pixels, images = self.package.vision_pixels, self.package.vision_images
        budget = item.get("budget", 70)
        rgb = item["rgb"] if "rgb" in item else load_rgb(pixels, item["file"])
        target = pixels.get_target_dimensions(*rgb.shape[:2], max_patches=9 * budget)
        taps = {"image.rgb": rgb.astype(np.int32), "image.target_size": np.array(target, np.int32)}
        if self.items.switches.get("image.resample") == "float":
            whole = images.preprocess_image(self.jnp.asarray(rgb), max_patches=9 * budget)
        else:
            resized = pixels.aspect_ratio_preserving_resize(rgb, max_patches=9 * budget)
            taps["image.resized"] = resized.astype(np.int32)
            whole = pixels.preprocess_image(rgb, max_soft_tokens=budget)
        count = pixels.num_soft_tokens_for_image(whole)
        taps["image.num_soft_tokens"] = np.array([count], np.int32)
        patches, positions = images.patchify(whole.astype(np.float32), 16)
        patches, positions = np.asarray(patches), np.asarray(positions)
        return patches, positions, taps | {"image.patches": patches.astype(np.float64)}

    # ---- audio clips -------------------------------------------------------------------------

    def _audio(self, model, item: dict):
        at = f"media.{item['run']}."
        samples, mel = item.get("samples", np.zeros(1, np.float32)), item.get("mel")
        if mel is None:
            frames = (len(samples) + self.audio.choices.left_pad - 321) // 160 + 1
            self.audio.taps[at + "audio.samples"] = samples.astype(np.float64)
        else:
            frames = int(item["mel_mask"].sum()) if "mel_mask" in item else len(mel)
            mel = mel[:frames]
        self.audio.start(at, mel)
        wave = self.jnp.asarray(samples, dtype=self.package.float32)[None, None]
        rows = self.own[1](model, wave, np.array([[len(samples)]]), (-(-frames // 4),))
        self.audio.stop()
        return rows


def load_rgb(pixels, file: np.ndarray) -> np.ndarray:
    from PIL import Image, ImageOps

    return pixels._to_rgb_uint8(ImageOps.exif_transpose(Image.open(io.BytesIO(file.tobytes()))))
