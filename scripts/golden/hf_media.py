# SPDX-License-Identifier: Apache-2.0
"""Items of media: from the form a case gives them in to soft-token embeddings and model inputs.

Every item runs alone, so that its taps are its own, and then once more inside the model's forward
call, all of them together and padded, as users run it.
"""

import json

import numpy as np
import torch

import hf_model
import hf_preprocess
from hf_audio import AudioListener
from hf_vision import VisionListener

SAME_ROWS = 1e-12  # of one item alone and inside a batch, at fp64


def read_items(case: dict) -> list[dict]:
    """The items of a case, their arrays among their facts (see media_cases.py)."""
    items = json.loads(str(case["items"])) if "items" in case else []
    for item in items:
        prefix = f"item_{item['run']}_"
        item |= {n.removeprefix(prefix): v for n, v in case.items() if n.startswith(prefix)}
    return items


def read_switches(case: dict) -> dict[str, str]:
    text = str(case.get("profile", "REF"))
    return {} if text == "REF" else dict(pair.split("=") for pair in text.split(","))


class Encoders:
    """loose: an fp32 run that takes other legitimate roads in preprocessing."""

    def __init__(self, model, switches: dict, precision: str, loose: bool):
        self.model, self.switches, self.loose = model, switches, loose
        self.precision = precision
        self.fft = "f64" if precision == "f64" else "f32" if loose else "shipped"
        family = model.config.model_type
        self.unified = "unified" in family
        self.namespace, self.dtype = hf_model.modeling(family), torch.get_default_dtype()
        self.taps: dict[str, np.ndarray] = {}
        self.soft: dict[str, list] = {"image": [], "video": [], "audio": []}
        self.slots: dict[str, list] = {"image": [], "video": [], "audio": []}
        self.frames: list[int] = []  # of each video

    def keep(self, run: int, taps: dict) -> None:
        self.taps |= {f"media.{run}.{n}": v for n, v in taps.items() if not n.startswith("slots.")}

    def encode(self, item: dict) -> None:
        kind, run = item["kind"], item["run"]
        if kind == "audio":
            self.encode_audio(item)
        elif kind == "video":
            indices = hf_preprocess.frame_indices(len(item["frames"]), item)
            for offset, index in enumerate(indices):
                self.encode_image(item | {"rgb": item["frames"][index]}, run + offset, "video")
            seconds = np.array(indices, np.float64) / item["fps"]
            self.keep(run, {"video.timestamps": seconds})
            self.keep(run, {"video.frame_indices": np.array(indices, np.int32)})
            self.frames.append(len(indices))
        else:
            self.encode_image(item, run, "video" if kind == "frame" else "image")
            self.frames += [1] * (kind == "frame")

    def encode_image(self, item: dict, run: int, queue: str) -> None:
        taps: dict = {}
        if "patches" in item:
            patches, positions = item["patches"], item["positions"]
            real = (positions != -1).all(axis=1)
            taps = {"image.positions": positions[real].astype(np.int32)}
        else:
            rgb = item["rgb"] if "rgb" in item else hf_preprocess.load_rgb(item["file"])
            budget = item.get("budget", 70)
            taps = hf_preprocess.image_taps(
                rgb, budget, self.unified, self.switches, self.loose and self.precision != "f64"
            )
            patches, positions = taps["slots.patches"], taps["slots.positions"]
        listener = VisionListener(self.model, self.namespace, self.dtype, self.switches)
        self.soft[queue].append(listener.encode(patches, positions))
        self.slots[queue].append((patches, positions))
        self.keep(run, taps | listener.taps)

    def encode_audio(self, item: dict) -> None:
        listener = AudioListener(self.model, self.namespace, self.dtype, self.switches)
        taps: dict = {}
        if self.unified:
            rows = item.get("rows")
            if rows is None:
                taps["audio.samples"] = item["samples"]
                rows = hf_preprocess.unified_rows(item["samples"])
            soft, slots = listener.embed_frames(rows), (rows, np.ones(len(rows)))
        else:
            if "mel" in item:
                mel, mask = item["mel"], item.get("mel_mask", np.ones(len(item["mel"]), np.int32))
                taps = {"audio.mel_mask": mask.astype(np.int32)}
            else:
                taps = hf_preprocess.audio_taps(item["samples"], self.switches, self.fft)
                mask = taps["audio.mel_mask"]
                mel = np.zeros((len(mask), 128), np.float32)
                mel[: len(taps["audio.mel"])] = taps["audio.mel"]
            soft, slots = listener.encode(mel, mask), (mel, mask)
        self.soft["audio"].append(soft)
        self.slots["audio"].append(slots)
        self.keep(item["run"], taps | listener.taps)

    # -- the model's own call ------------------------------------------------------------------

    def batch(self, queue: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Items of one queue padded to the longest: values 0, positions -1, masks 0."""
        longest = max(len(values) for values, _ in self.slots[queue])
        filler = 0 if queue == "audio" else -1
        values, positions = [], []
        for value, position in self.slots[queue]:
            short = longest - len(value)
            rest = [(0, 0)] * (position.ndim - 1)
            values.append(np.pad(value, [(0, short), (0, 0)]))
            positions.append(np.pad(position, [(0, short), *rest], constant_values=filler))
        stacked = torch.from_numpy(np.stack(positions))
        stacked = stacked.bool() if queue == "audio" else stacked.long()
        return torch.from_numpy(np.stack(values)).to(self.dtype), stacked

    def forward_inputs(self) -> dict:
        """Keyword arguments of the model's forward call. Videos are encoded before it: in 5.22.2 it
        does not hand on num_frames_per_video, without which it cannot encode them."""
        inputs: dict = {}
        if self.soft["audio"]:
            features, mask = self.batch("audio")
            inputs |= {"input_features": features, "input_features_mask": mask}
        images = {}
        if self.soft["image"]:
            pixels, positions = self.batch("image")
            images = {"pixel_values": pixels, "image_position_ids": positions}
        if not self.soft["video"]:
            return inputs | images
        outputs, base = {}, self.model.model
        if images:
            outputs["image"] = base.get_image_features(**images, return_dict=True)
        pixels, positions = self.batch("video")
        counts = torch.tensor(self.frames)
        outputs["video"] = base.get_video_features(pixels, positions, counts, return_dict=True)
        return inputs | {"mm_encoder_outputs": outputs}

    def given_inputs(self) -> dict:
        """The rows of the items as they are: what a profile other than REF made cannot be made
        inside the forward call."""
        from transformers.modeling_outputs import BaseModelOutputWithPooling as Output

        inputs: dict = {"mm_encoder_outputs": {}}
        for queue in ("image", "video"):
            if self.soft[queue]:
                rows = tuple(self.soft[queue])
                inputs["mm_encoder_outputs"][queue] = Output(pooler_output=rows)
        if self.soft["audio"]:
            rows = torch.cat(self.soft["audio"])
            valid = torch.ones(1, len(rows), dtype=torch.bool)
            result = Output(pooler_output=rows[None])
            result.attention_mask = valid
            self.model.model.get_audio_features = lambda *args, **kwargs: result
            inputs |= {"input_features": rows[None], "input_features_mask": valid}
        return inputs

    def check_merged(self, embedded: np.ndarray, types: np.ndarray) -> None:
        """text.embed holds the rows of the encoders, each in its place, untouched."""
        for value, queue in ((1, "image"), (2, "video"), (3, "audio")):
            if not self.soft[queue]:
                continue
            rows = torch.cat(self.soft[queue]).double().numpy()
            merged = embedded[types == value]
            error = np.linalg.norm(merged - rows) / np.linalg.norm(rows)
            if merged.shape != rows.shape or error > SAME_ROWS:
                raise ValueError(f"{queue}: text.embed differs from the encoders by {error}")


def inputs_of(model, case: dict, precision: str, loose: bool) -> tuple[Encoders, dict]:
    """The items of a case, encoded, and the arguments of the forward call that merges them."""
    encoders = Encoders(model, read_switches(case), precision, loose)
    for item in read_items(case):
        encoders.encode(item)
    of_text = all(name.startswith("text.") for name in encoders.switches)
    return encoders, encoders.forward_inputs() if of_text else encoders.given_inputs()
