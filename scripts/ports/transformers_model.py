# SPDX-License-Identifier: Apache-2.0
"""Build a Hugging Face transformers Gemma 4 model from a checkpoint folder and feed it a case.

The encoders are built for cases with images and audio clips. Where a case has soft-token embeddings
instead, these take the place of what the encoders would have produced. The rest is transformers' own code.
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch

import transformers_media as media

CLASSES = {
    "gemma4": ("gemma4", "Gemma4ForConditionalGeneration"),
    "gemma4_text": ("gemma4", "Gemma4ForCausalLM"),
    "gemma4_unified": ("gemma4_unified", "Gemma4UnifiedForConditionalGeneration"),
    "gemma4_unified_text": ("gemma4_unified", "Gemma4UnifiedForCausalLM"),
    "gemma4_assistant": ("gemma4_assistant", "Gemma4AssistantForCausalLM"),
    "gemma4_unified_assistant": ("gemma4_unified_assistant", "Gemma4UnifiedAssistantForCausalLM"),
}
MEDIA_TYPES = {"image": 1, "frame": 2, "audio": 3}
STORED = {  # the 12B's modules are nested, its files keep flat names
    "model.embed_vision.multimodal_embedder.": "model.embed_vision.",
    "model.embed_vision.": "model.vision_embedder.",
}


class PortError(Exception):
    """The checkpoint or the case cannot be read; one line."""


class NotSupported(Exception):
    """transformers cannot run this case; one line that says why."""


@dataclass
class Case:
    """What a golden file asks for."""

    ids: np.ndarray
    types: np.ndarray
    positions: np.ndarray
    soft: dict = field(default_factory=dict)  # placeholder position -> vector
    items: list = field(default_factory=list)  # media.Item
    draft: SimpleNamespace = None  # token, steps, window
    drafter: str = ""


def read_case(path):
    """The /inputs of a golden file (HDF5)."""
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError:
        raise PortError(f"{path}: cannot be read as HDF5") from None
    with file:
        inputs = file["inputs"]
        ids = inputs["ids"][:].astype(np.int64)
        types = inputs["token_types"][:] if "token_types" in inputs else np.zeros(len(ids))
        positions = inputs["positions"][:] if "positions" in inputs else np.arange(len(ids))
        case = Case(ids, types.astype(np.int64), positions.astype(np.int64))
        case.drafter = str(file.attrs.get("drafter", ""))
        names = sorted(inputs["media"], key=int) if "media" in inputs else []
        groups = [inputs["media"][name] for name in names]
        if any("soft" in group for group in groups):
            case.soft = _place_soft_tokens(path, case.types, groups)
        else:
            case.items = [_read_item(path, group) for group in groups]
        if "draft" in inputs:
            draft = inputs["draft"].attrs
            case.draft = SimpleNamespace(
                token=int(draft["token"]), steps=int(draft["steps"]), window=str(draft["window"])
            )
    return case


def _read_item(path, group):
    try:
        return media.read_item(path, group)
    except media.Unsupported as reason:
        raise NotSupported(str(reason)) from None


def _place_soft_tokens(path, types, groups):
    rows = [
        (MEDIA_TYPES.get(str(item.attrs["kind"])), row)
        for item in groups
        for row in _soft(path, item)
    ]
    positions = np.flatnonzero(types > 0)
    if [kind for kind, _ in rows] != [int(kind) for kind in types[positions]]:
        raise PortError(
            f"{path}: soft-token embeddings: got {len(rows)}, "
            "expected one of its kind for each placeholder"
        )
    return {int(position): row for position, (_, row) in zip(positions, rows)}


def _soft(path, item):
    if "soft" not in item:
        raise NotSupported(f"{path}: soft-token embeddings of some media and not of others")
    return item["soft"][:]


@dataclass
class Loaded:
    """A model ready to run, and the parts that hooks and planted faults need."""

    model: torch.nn.Module
    text: torch.nn.Module  # the decoder stack: embed_tokens, layers, norm
    config: object  # of the text model
    rename: dict  # from the text-only module paths to this class's
    multimodal: bool
    folder: str
    dtype: torch.dtype

    @property
    def namespace(self):
        """The Python module that defines the decoder: its functions can be wrapped there."""
        return sys.modules[type(self.text).__module__]


def load(folder, dtype, encoders=False):
    """Build the class that config.json names and copy every tensor into it, converted to dtype."""
    from transformers import AutoConfig
    from transformers.utils import logging

    logging.set_verbosity_error()
    if not (Path(folder) / "config.json").is_file():
        raise PortError(f"{folder}: config.json: got no such file")
    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # whatever transformers says about a config is about the file
        raise PortError(f"{folder}: config.json: {str(error).splitlines()[0]}") from None
    if config.model_type not in CLASSES:
        raise NotSupported(
            f"{folder}: model_type: got {config.model_type}, expected one of {' '.join(CLASSES)}"
        )
    for encoder in ("vision_config", "audio_config"):
        if getattr(config, encoder, None) is not None and not encoders:
            setattr(config, encoder, None)
    model = _build(config, dtype)
    _copy_weights(folder, model)
    multimodal = hasattr(model.model, "language_model")
    text = model.model.language_model if multimodal else model.model
    rename = {"model.": "model.language_model."} if multimodal else {}
    return Loaded(model, text, config.get_text_config(), rename, multimodal, folder, dtype)


def _build(config, dtype):
    import importlib

    package, name = CLASSES[config.model_type]
    module = importlib.import_module(f"transformers.models.{package}.modeling_{package}")
    model = getattr(module, name)._from_config(
        config, dtype=dtype, attn_implementation="eager", experts_implementation="eager"
    )
    return model.eval().requires_grad_(False)


def _copy_weights(folder, model):
    """Every tensor of the model from the folder's safetensors; unused ones are left alone."""
    from safetensors.torch import load_file

    files = sorted(Path(folder).glob("*.safetensors"))
    if not files:
        raise PortError(f"{folder}: safetensors: got no file")
    stored = {name: tensor for file in files for name, tensor in load_file(file).items()}
    for module_name, place in model.state_dict().items():
        name = stored_name(module_name, stored)
        if name == "lm_head.weight" and name not in stored:
            continue  # tied to embed_tokens
        if name not in stored or stored[name].shape != place.shape:
            got = tuple(stored[name].shape) if name in stored else "nothing"
            raise PortError(f"{folder}: {name}: got {got}, expected {tuple(place.shape)}")
        place.copy_(stored[name])
    if "lm_head.weight" not in stored and hasattr(model, "lm_head"):
        embedding = model.get_input_embeddings()
        model.lm_head.weight = embedding.weight


def stored_name(name, stored):
    """What a file calls the tensor of a module."""
    for nested, flat in STORED.items():
        if name.startswith(nested) and name not in stored:
            return flat + name.removeprefix(nested)
    return name


def run(loaded, case, dump, chunk=0):
    """Feed the prompt, all at once or `chunk` tokens a call; returns the last call's output."""
    check_supported(loaded, case, chunk)
    size = chunk or len(case.ids)
    cached = size < len(case.ids)
    cache, output = None, None
    for first in range(0, len(case.ids), size):
        dump.position = first
        here = slice(first, min(first + size, len(case.ids)))
        arguments = {"input_ids": torch.tensor(case.ids[None, here])}
        arguments["position_ids"] = torch.tensor(case.positions[None, here])
        arguments |= _media_arguments(loaded, case, here, dump) if loaded.multimodal else {}
        output = loaded.model(
            **arguments,
            past_key_values=cache,
            use_cache=cached or case.draft is not None,
            return_shared_kv_states=case.draft is not None,
        )
        cache = output.past_key_values
    return output


def check_supported(loaded, case, chunk):
    """Raise NotSupported with the reason when transformers has no way to run the case."""
    if case.soft and not loaded.multimodal:
        raise NotSupported("soft-token embeddings: the text-only class of transformers takes none")
    if case.draft and case.draft.window != "hf":
        raise NotSupported(f"draft window {case.draft.window}: transformers has only its own, hf")
    if case.draft and chunk:
        raise NotSupported(
            "drafting after a chunked prefill: the shared states hold the last chunk only"
        )
    if case.items and chunk:
        raise NotSupported("images and audio clips of a prompt in chunks: encoders run in one call")
    vision = (case.types == 1) | (case.types == 2)
    if chunk and loaded.config.use_bidirectional_attention == "vision":
        for cut in range(chunk, len(case.ids), chunk):
            if vision[cut - 1] and vision[cut]:
                raise NotSupported(f"a chunk ends at {cut}, inside a vision block")


def _media_arguments(loaded, case, here, dump):
    """Media, or soft-token embeddings where the output of the encoders enters."""
    types = case.types[: here.stop]  # of every key so far: transformers indexes them by position
    arguments = {"mm_token_type_ids": torch.tensor(types[None])}
    if case.items:
        return arguments | _encoded(loaded, case, dump)
    chosen = {kind: _soft_rows(loaded, case, here, code) for kind, code in MEDIA_TYPES.items()}
    encoded = {
        name: SimpleNamespace(pooler_output=[chosen[kind]])
        for name, kind in (("image", "image"), ("video", "frame"))
        if chosen[kind] is not None
    }
    if encoded:
        arguments["mm_encoder_outputs"] = encoded
    if (audio := chosen["audio"]) is not None:
        mask = torch.ones(1, len(audio), dtype=torch.bool)
        features = SimpleNamespace(pooler_output=audio[None], attention_mask=mask)
        loaded.model.model.get_audio_features = lambda *_, **__: features
        arguments |= {"input_features": audio[None], "input_features_mask": mask}
    return arguments


def _encoded(loaded, case, dump):
    """Items through transformers' processors and encoders."""
    model = loaded.model.model
    for kind, part in (("audio", "embed_audio"), ("image", "embed_vision")):
        wanted = any((item.kind == "audio") == (kind == "audio") for item in case.items)
        if wanted and getattr(model, part, None) is None:
            raise NotSupported(f"{kind}: this checkpoint has no encoder for it")
    processors = media.Processors(loaded.folder, hasattr(model.embed_vision, "patch_dense"))
    try:
        chosen = media.arguments(model, case.items, processors, loaded.dtype)
    except media.Unsupported as reason:
        raise NotSupported(str(reason)) from None
    for tap, array in processors.taps.items():
        dump.add(tap, array)
    return chosen


def _soft_rows(loaded, case, here, code):
    rows = [case.soft[p] for p in range(here.start, here.stop) if case.types[p] == code]
    return torch.tensor(np.stack(rows)).to(loaded.text.embed_tokens.weight.dtype) if rows else None


def draft(loaded, drafter, case, output, dump):
    """Draft case.draft.steps tokens after the prompt (spec text 3.2) and dump mtp.step.*."""
    hidden, token = dump.taps()["text.final_norm"][-1], case.draft.token
    shared, p = output.shared_kv_states, len(case.ids)
    embedding = loaded.text.embed_tokens
    hidden = torch.tensor(hidden).to(embedding.weight.dtype)
    visible = torch.ones(1, p + 1, dtype=torch.long)
    for dump.step in range(case.draft.steps):
        row = embedding(torch.tensor([token]))[0]
        dump.add(f"mtp.step.{dump.step}.token_embed", row)
        dump.add(f"mtp.step.{dump.step}.hidden_in", hidden)
        answer = drafter.model(
            inputs_embeds=torch.cat([row, hidden])[None, None],
            position_ids=torch.tensor([[p]]),
            attention_mask=visible,
            shared_kv_states=dict(shared),
        )
        hidden, token = answer.last_hidden_state[0, 0], int(answer.logits[0, 0].argmax())
        dump.add(f"mtp.step.{dump.step}.token", np.array([token]))
