# SPDX-License-Identifier: Apache-2.0
"""Writes the tiny checkpoints in the released format: python make_checkpoints.py [--out DIR] [NAME ...]

The values come from weights.py, stream "<checkpoint>/<tensor>", then are made adversarial
(spec text 8): norm weights change sign here and there, one embedding row is almost zero, one more
holds values below the smallest normal fp16 number, unused tensors hold junk.
"""

import argparse
import json
import math
import shutil
from pathlib import Path

import numpy as np

import miniatures
import safetensors_file
import encoders
import weights
from topologies import DRAFTERS, TARGETS, Drafter, Topology, config_json
from topologies import drafter_config_json, drafter_text_topology

ROOT = Path(__file__).resolve().parents[2]
QUIET_ROW = 7  # its scaled embedding has mean square 1e-6: epsilon shows
TINY_ROW = 9  # some of its values are below 6e-5: narrowing through fp16 shows


def attention_shapes(t: Topology, layer: int) -> dict[str, tuple[int, ...]]:
    full = t.layers[layer] == "F"
    dim, kv = t.head_dim[full], t.kv_heads[full if t.k_eq_v else 0]
    shapes = {"q_proj.weight": (t.heads * dim, t.width), "q_norm.weight": (dim,)}
    if layer < t.first_shared or t.junk:
        shapes["k_proj.weight"] = (kv * dim, t.width)
        shapes["k_norm.weight"] = (dim,)
        if not (t.k_eq_v and full):
            shapes["v_proj.weight"] = (kv * dim, t.width)
    shapes["o_proj.weight"] = (t.width, t.heads * dim)
    return {"self_attn." + name: shape for name, shape in shapes.items()}


def layer_shapes(t: Topology, layer: int) -> dict[str, tuple[int, ...]]:
    ffn = t.ffn * (2 if t.double_wide and layer >= t.first_shared else 1)
    norms = ["input_layernorm", "post_attention_layernorm"]
    norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
    shapes = {f"{norm}.weight": (t.width,) for norm in norms}
    shapes |= attention_shapes(t, layer)
    shapes |= {
        "mlp.gate_proj.weight": (ffn, t.width),
        "mlp.up_proj.weight": (ffn, t.width),
        "mlp.down_proj.weight": (t.width, ffn),
        "layer_scalar": (1,),
    }
    if t.ple:
        shapes["per_layer_input_gate.weight"] = (t.ple, t.width)
        shapes["per_layer_projection.weight"] = (t.width, t.ple)
        shapes["post_per_layer_input_norm.weight"] = (t.width,)
    if t.moe:
        experts, _, width = t.moe
        shapes |= {
            "router.proj.weight": (experts, t.width),
            "router.scale": (t.width,),
            "router.per_expert_scale": (experts,),
            "experts.gate_up_proj": (experts, 2 * width, t.width),
            "experts.down_proj": (experts, t.width, width),
            "post_feedforward_layernorm_1.weight": (t.width,),
            "pre_feedforward_layernorm_2.weight": (t.width,),
            "post_feedforward_layernorm_2.weight": (t.width,),
        }
    return shapes


def text_shapes(t: Topology, prefix: str) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"embed_tokens.weight": (t.vocab, t.width)}
    if t.ple:
        packed = len(t.layers) * t.ple
        shapes["embed_tokens_per_layer.weight"] = (t.vocab, packed)
        shapes["per_layer_model_projection.weight"] = (packed, t.width)
        shapes["per_layer_projection_norm.weight"] = (t.ple,)
    for layer in range(len(t.layers)):
        for name, shape in layer_shapes(t, layer).items():
            shapes[f"layers.{layer}.{name}"] = shape
    shapes["norm.weight"] = (t.width,)
    return {prefix + name: shape for name, shape in shapes.items()}


def encoder_shapes(t: Topology) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    if t.vision_encoder:
        shapes |= encoders.vision_shapes(t.vision_encoder, t.width)
    if t.audio_encoder:
        shapes |= encoders.audio_shapes(t.audio_encoder, t.width)
    if t.unified:
        shapes |= encoders.unified_shapes(t.unified, t.width)
    return shapes


def is_norm(name: str) -> bool:
    return "norm" in name and name.endswith(".weight")


def value_bounds(t: Topology, name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    if name.endswith(("q_norm.weight", "k_norm.weight")):
        return 0.25, 0.75  # small scores: rounding errors do not grow along the way
    if name.endswith(("language_model.norm.weight", "model.norm.weight")):
        return 1.5, 6.0  # some logits above 5, so that the cap shows
    return weights.bounds(name, shape)


def make_tensor(t: Topology, name: str, shape: tuple[int, ...]) -> np.ndarray:
    values = weights.generate(f"{t.name}/{name}", shape, *value_bounds(t, name, shape))
    if is_norm(name):
        sign = weights.uniform(f"{t.name}/{name}/sign", math.prod(shape)).reshape(shape)
        values = np.where(sign < 0.2, -values, values)
    if name.endswith("embed_tokens.weight"):
        row = values[QUIET_ROW]
        rms = np.sqrt(np.mean(np.square(row, dtype=np.float64)))
        values[QUIET_ROW] = row * np.float32(1e-3 / math.sqrt(t.width) / rms)
        values[TINY_ROW, ::3] *= np.float32(2.0**-15)
    if t.cancel and ".mlp." in name:
        values = nearly_cancel(values, name, t.cancel)
    return values.astype(np.float32)


def nearly_cancel(values: np.ndarray, name: str, difference: float) -> np.ndarray:
    """FFN channels in pairs, almost equal and subtracted: what remains is 1/difference times as
    sensitive to rounding, and the norm that follows makes it large again."""
    if name.endswith("down_proj.weight"):
        values *= np.float32(32.0)  # above the reach of epsilon
        values[:, 1::2] = -values[:, 0::2]
    elif name.endswith("gate_proj.weight"):
        values[1::2] = values[0::2] + np.float32(difference) * values[1::2]
    else:
        values[1::2] = values[0::2]
    return values


def spoil_unused(t: Topology, prefix: str, tensors: dict) -> None:
    """Shared layers' own keys and values, stored to be ignored: junk, one file with NaN."""
    for layer in range(t.first_shared, len(t.layers)):
        for part in ("k_proj.weight", "v_proj.weight", "k_norm.weight"):
            name = f"{prefix}layers.{layer}.self_attn.{part}"
            tensors[name] = (tensors[name][0] * np.float32(3000.0), tensors[name][1])
    last = f"{prefix}layers.{len(t.layers) - 1}.self_attn.k_norm.weight"
    tensors[last][0][:] = np.nan


def write_shards(folder: Path, tensors: dict, shards: int) -> None:
    names = list(tensors)
    if shards == 1:
        safetensors_file.write(folder / "model.safetensors", tensors)
        return
    weight_map, per_shard = {}, -(-len(names) // shards)
    for shard in range(shards):
        part = names[shard * per_shard : (shard + 1) * per_shard]
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        safetensors_file.write(folder / file, {name: tensors[name] for name in part})
        weight_map |= {name: file for name in part}
    size = sum(len(safetensors_file.encode(*entry)) for entry in tensors.values())
    index = {"metadata": {"total_size": size}, "weight_map": weight_map}
    write_json(folder / "model.safetensors.index.json", index)


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


def fresh_folder(out: Path, name: str) -> Path:
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def encoder_tensor(t: Topology, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if t in miniatures.MINIATURES:
        return miniatures.tensor(t, name, shape)
    fused = t.vision_encoder is not None and t.vision_encoder.fused
    return encoders.tensor(t.name, name, shape, fused)


def write_target(t: Topology, out: Path) -> None:
    folder = fresh_folder(out, t.name)
    shapes = text_shapes(t, t.prefix)
    tensors = {name: (make_tensor(t, name, shape), t.dtype) for name, shape in shapes.items()}
    if t.junk:
        spoil_unused(t, t.prefix, tensors)
    for name, shape in encoder_shapes(t).items():
        tensors[name] = (encoder_tensor(t, name, shape), t.dtype)
    write_json(folder / "config.json", config_json(t))
    if t.has_media:
        write_json(folder / "processor_config.json", encoders.processor_config(bool(t.unified)))
    write_shards(folder, tensors, t.shards)


def token_ordering(name: str, vocab: int) -> np.ndarray:
    """A permutation that is not its own inverse."""
    order = np.argsort(weights.uniform(f"{name}/token_ordering", vocab), kind="stable")
    assert not np.array_equal(order[order], np.arange(vocab))
    return order.astype(np.int64)


def write_drafter(d: Drafter, out: Path) -> None:
    folder = fresh_folder(out, d.name)
    t = drafter_text_topology(d)
    shapes = {
        "pre_projection.weight": (d.width, 2 * d.target.width),
        "post_projection.weight": (d.target.width, d.width),
    } | text_shapes(t, "model.")
    if d.centroids:
        shapes["masked_embedding.centroids.weight"] = (d.centroids[0], d.width)
    tensors = {name: (make_tensor(t, name, shape), d.dtype) for name, shape in shapes.items()}
    if d.centroids:
        order = token_ordering(d.name, t.vocab)
        tensors["masked_embedding.token_ordering"] = (order, "I64")
    write_json(folder / "config.json", drafter_config_json(d))
    write_shards(folder, tensors, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "golden" / "checkpoints")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    import quantised  # which uses this file

    targets = TARGETS | {t.name: t for t in miniatures.MINIATURES}
    for name in args.names or [*targets, *DRAFTERS, *quantised.QUANTISED]:
        if name in quantised.QUANTISED:
            quantised.write(quantised.QUANTISED[name], args.out)
        elif name in targets:
            write_target(targets[name], args.out)
        else:
            write_drafter(DRAFTERS[name], args.out)
        size = sum(path.stat().st_size for path in (args.out / name).iterdir())
        print(f"{name}: {size} bytes")


if __name__ == "__main__":
    main()
