# SPDX-License-Identifier: Apache-2.0
"""Builds a transformers model from a checkpoint folder in fp64, fp32 or bf16.

fp64: transformers casts to fp32 by name in several places (norms, softmax, RoPE). In the namespaces
of the model files the name `torch` is replaced by a proxy that answers float64 where float32 is
asked for, and Tensor.float becomes Tensor.double. `Recorder` (hf_taps.py) then refuses any tap that
is not float64, and check_tables.py compares with tables that no cast would survive.
"""

import importlib
import json
import types
from pathlib import Path

import numpy as np
import torch

import safetensors_file

DTYPES = {"f64": torch.float64, "f32": torch.float32, "bf16": torch.bfloat16}
FAMILIES = ("gemma4", "gemma4_unified", "gemma4_assistant", "gemma4_unified_assistant")


def modeling(family: str) -> types.ModuleType:
    return importlib.import_module(f"transformers.models.{family}.modeling_{family}")


class PromotedTorch(types.ModuleType):
    """torch, except that float32 is float64."""

    def __getattr__(self, name: str):
        return torch.float64 if name in ("float32", "float") else getattr(torch, name)


def promote_to_f64() -> None:
    proxy = PromotedTorch("torch")
    rope = importlib.import_module("transformers.modeling_rope_utils")
    for module in [modeling(family) for family in FAMILIES] + [rope]:
        module.torch = proxy
    torch.Tensor.float = torch.Tensor.double


def set_precision(precision: str) -> None:
    """Once per process and before a model is built: buffers are computed in constructors."""
    torch.set_num_threads(1)
    if precision == "f64":
        promote_to_f64()
    torch.set_default_dtype(DTYPES[precision])


def config_class(model_type: str):
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    return CONFIG_MAPPING[model_type]


def model_class(model_type: str):
    family = model_type.removesuffix("_text")
    suffix = "ForCausalLM" if model_type.endswith(("_text", "_assistant")) else None
    name = "".join(part.capitalize() for part in family.split("_"))
    return getattr(modeling(family), name + (suffix or "ForConditionalGeneration"))


PARTS = ("text_config", "vision_config", "audio_config")
SOFT = "embedding_projection."
RENAMED = {  # the modules of the 12B are nested, its files keep flat names
    "model.vision_embedder.": "model.embed_vision.",
    "model.embed_vision." + SOFT: "model.embed_vision.multimodal_embedder." + SOFT,
}


def read_config(raw: dict):
    """Without the stored dtype: the process's default rules."""
    values = {key: value for key, value in raw.items() if key not in ("dtype", "architectures")}
    for part in PARTS:
        if values.get(part):
            values[part] = {key: value for key, value in values[part].items() if key != "dtype"}
    return config_class(raw["model_type"]).from_dict(values)


def module_name(name: str, model_type: str) -> str:
    """Where transformers keeps the tensor that the file calls `name`."""
    if "unified" in model_type:
        for old, new in RENAMED.items():
            if name.startswith(old):
                return new + name.removeprefix(old)
    return name


def unused_by_transformers(name: str, config) -> bool:
    """Stored keys and values of layers that share somebody else's."""
    text = config.get_text_config()
    parts = name.split(".")
    if "self_attn" not in parts or parts[-2] not in ("k_proj", "v_proj", "k_norm"):
        return False
    return int(parts[parts.index("layers") + 1]) >= (
        text.num_hidden_layers - text.num_kv_shared_layers
    )


def load_weights(model, tensors: dict[str, np.ndarray]) -> None:
    dtype = torch.get_default_dtype()
    state = {
        module_name(name, model.config.model_type): torch.from_numpy(values.copy()).to(
            torch.int64 if values.dtype == np.int64 else dtype
        )
        for name, values in tensors.items()
    }
    missing, unexpected = model.load_state_dict(state, strict=False)
    unexpected = [n for n in unexpected if not unused_by_transformers(n, model.config)]
    if set(missing) - {"lm_head.weight"} or unexpected:
        raise ValueError(f"checkpoint: missing {missing}, unexpected {unexpected}")
    model.lm_head.weight = model.get_input_embeddings().weight


def build(raw_config: dict, tensors: dict[str, np.ndarray], attention: str):
    """A model in evaluation mode with the process's default dtype."""
    config = read_config(raw_config)
    parts = [getattr(config, name, None) for name in PARTS]
    for part in {id(c): c for c in (config, config.get_text_config(), *parts) if c}.values():
        is_audio = part.model_type.endswith("_audio")  # its encoder knows eager attention only
        part._attn_implementation = "eager" if is_audio else attention
        part._experts_implementation = "eager"
    model = model_class(raw_config["model_type"])(config)
    load_weights(model, tensors)
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        expected = torch.get_default_dtype()
        if tensor.is_floating_point() and tensor.dtype != expected and "inv_freq" not in name:
            raise ValueError(f"{name}: got {tensor.dtype}, expected {expected}")
    return model.eval().requires_grad_(False)


def load(directory: Path, attention: str = "eager"):
    raw = json.loads((Path(directory) / "config.json").read_text())
    return build(raw, safetensors_file.read_directory(directory), attention)
