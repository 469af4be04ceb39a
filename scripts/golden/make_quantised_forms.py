#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden/tables/quantised_forms.json: checkpoints with a few quantised weights, and what they are.

    make_quantised_forms.py [--check]

Each form replaces weights of a tiny model by random codes and scales. Their values are computed by
other people's programs: the package compressed-tensors, transformers' integrations of gemma and
fp8, torch's and ml_dtypes' 8- and 4-bit floats, all in fp64, and kept as CRC-32 of their bytes. The
logits are those of transformers at fp64 with these values as its weights; `native` is how far the
logits are away that transformers gives when it loads the form itself, or why it does not.
"""

import json
import logging
import sys
import tempfile
import zlib
from pathlib import Path

import ml_dtypes
import numpy as np
import torch
import transformers

import hf_model
from make_loading_forms import NAMES, PROMPT, TYPES, Form, write_safetensors
from table_file import settle

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "golden" / "tables" / "quantised_forms.json"
LAYERS = "model.language_model.layers."
E4M3, E5M2 = torch.float8_e4m3fn, torch.float8_e5m2
TYPES.update({"U8": torch.uint8, "I32": torch.int32, "F8_E8M0": torch.float8_e8m0fnu})
NAMES.update({dtype: name for name, dtype in TYPES.items()})


class Quantised:
    """One form: the tensors that are added, and the values that they stand for."""

    def __init__(self, name: str, config: dict, seed: int, base: str = "e2b-tiny") -> None:
        self.name, self.config, self.base_name = name, config, base
        self.base = Form(ROOT / "golden" / "checkpoints" / base)
        self.added: dict[str, torch.Tensor] = {}
        self.values: dict[str, torch.Tensor] = {}
        self.random = torch.Generator().manual_seed(seed)
        self.tied = True

    def shape(self, module: str) -> tuple[int, int]:
        return tuple(self.base.tensors[module + ".weight"].shape)

    def bytes(self, *shape: int) -> torch.Tensor:
        return torch.randint(0, 256, shape, generator=self.random).to(torch.uint8)

    def scales(self, *shape: int, size: float = 0.02, dtype=torch.float32) -> torch.Tensor:
        """Positive numbers of about `size`."""
        spread = torch.rand(shape, generator=self.random, dtype=torch.float32) + 0.5
        return (spread * size).to(dtype)

    def add(self, module: str, values: torch.Tensor, **tensors: torch.Tensor) -> None:
        values = values.detach()
        assert values.dtype == torch.float64 and torch.isfinite(values).all(), module
        for leaf, tensor in tensors.items():
            self.added[f"{module}.{leaf}"] = tensor
        self.values[module + ".weight"] = values


def scheme(bits: int, kind: str, strategy: str, **more):
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

    weights = QuantizationArgs(num_bits=bits, type=kind, strategy=strategy, **more)
    return QuantizationScheme(targets=["Linear"], weights=weights)


def decompress(format_name: str, arguments, **tensors: torch.Tensor) -> torch.Tensor:
    """What compressed-tensors makes of one module, its scales widened to fp64 first."""
    from compressed_tensors.compressors import BaseCompressor

    compressor = BaseCompressor.get_value_from_registry(format_name)
    return compressor.decompress(tensors, arguments)["weight"].to(torch.float64)


def ct_config(format_name: str, bits: int, modules: list[str], **weights) -> dict:
    group = {
        "targets": [f"re:.*{module}$" for module in modules],
        "weights": {"num_bits": bits, "symmetric": True, **weights},
        "input_activations": None,
    }
    return {
        "quant_method": "compressed-tensors",
        "format": format_name,
        "quantization_status": "compressed",
        "config_groups": {"group_0": group},
        "ignore": [],
    }


def packed_integers(bits: int, group: int | None, module: str) -> Quantised:
    strategy = "channel" if group is None else "group"
    weights = {"type": "int", "strategy": strategy, "group_size": group}
    config = ct_config("pack-quantized", bits, [module], **weights)
    form = Quantised(f"ct-int{bits}-{strategy}", config, bits)
    name = LAYERS + module
    rows, columns = form.shape(name)
    words = -(-columns * bits // 32)
    packed = form.bytes(rows, 4 * words).view(torch.int32)
    if columns * bits % 32:  # the last word holds fewer values
        used = columns * bits % 32
        packed[:, -1] &= (1 << used) - 1
    scale = form.scales(rows, columns // group if group else 1, dtype=torch.bfloat16)
    shape = torch.tensor([rows, columns])
    arguments = scheme(bits, "int", strategy, group_size=group)
    values = decompress(
        "pack-quantized",
        arguments,
        weight_packed=packed,
        weight_scale=scale.double(),
        weight_shape=shape,
    )
    form.add(name, values, weight_packed=packed, weight_scale=scale, weight_shape=shape)
    return form


def ct_int8() -> Quantised:
    module = "2.mlp.down_proj"
    weights = {"type": "int", "strategy": "channel"}
    form = Quantised("ct-int8", ct_config("int-quantized", 8, [module], **weights), 3)
    rows, columns = form.shape(LAYERS + module)
    codes, scale = form.bytes(rows, columns).view(torch.int8), form.scales(rows, 1, size=0.002)
    values = decompress(
        "int-quantized", scheme(8, "int", "channel"), weight=codes, weight_scale=scale.double()
    )
    form.add(LAYERS + module, values, weight=codes, weight_scale=scale)
    return form


def finite_f8(form: Quantised, rows: int, columns: int, dtype) -> torch.Tensor:
    codes = form.bytes(rows, columns)
    special = ~torch.isfinite(codes.view(dtype).float())
    return torch.where(special, torch.tensor(3, dtype=torch.uint8), codes).view(dtype)


def ct_f8(strategy: str) -> Quantised:
    module = "1.self_attn.q_proj"
    weights = {"type": "float", "strategy": strategy}
    form = Quantised(f"ct-f8-{strategy}", ct_config("float-quantized", 8, [module], **weights), 4)
    rows, columns = form.shape(LAYERS + module)
    codes = finite_f8(form, rows, columns, E4M3)
    size = (1,) if strategy == "tensor" else (rows, 1)
    scale = form.scales(*size, size=0.001, dtype=torch.bfloat16)
    values = decompress(
        "float-quantized", scheme(8, "float", strategy), weight=codes, weight_scale=scale.double()
    )
    form.add(LAYERS + module, values, weight=codes, weight_scale=scale)
    return form


def f8(
    name: str, block: tuple[int, int] | None, scale_dtype=torch.float32, dtype=E4M3
) -> Quantised:
    """fp8: a scale for each block, or one for the tensor."""
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize

    config = {
        "quant_method": "mxfp8" if scale_dtype == torch.uint8 else "fp8",
        "activation_scheme": "dynamic",
        "weight_block_size": block,
    }
    form = Quantised(name, config, len(name))
    module = LAYERS + "3.self_attn.o_proj"
    rows, columns = form.shape(module)
    codes = finite_f8(form, rows, columns, dtype)
    grid = (1, 1) if block is None else (-(-rows // block[0]), -(-columns // block[1]))
    if scale_dtype == torch.uint8:
        scale = torch.randint(112, 120, grid, generator=form.random).to(torch.uint8)
        wide = (scale.double() - 127).exp2()
    else:
        scale = form.scales(*grid, size=0.0005, dtype=scale_dtype)
        wide = scale.double()
    height, width = block or (rows, columns)
    spread = wide.repeat_interleave(height, 0).repeat_interleave(width, 1)[:rows, :columns]
    values = codes.double() * spread
    if not (rows % height or columns % width):  # theirs: no block may be cut, and fp32
        theirs = Fp8Dequantize(None)._dequantize_one(codes, scale, torch.float64)
        assert torch.allclose(values, theirs, rtol=1e-6, atol=0), name
    form.add(module, values, weight=codes, weight_scale_inv=scale if block else scale.reshape(()))
    return form


def f8_experts() -> Quantised:
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize

    config = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [8, 16]}
    form = Quantised("fp8-experts", config, 11, "26b-tiny")
    for layer, projection in ((1, "gate_up_proj"), (2, "down_proj")):
        name = f"{LAYERS}{layer}.experts.{projection}"
        experts, rows, columns = form.base.tensors[name].shape
        codes = finite_f8(form, experts * rows, columns, E4M3).reshape(experts, rows, columns)
        scale = form.scales(experts, rows // 8, -(-columns // 16), size=0.0005)
        spread = scale.double().repeat_interleave(8, 1).repeat_interleave(16, 2)
        values = codes.double() * spread[:, :, :columns]
        if columns % 16 == 0:  # theirs: no block may be cut, and fp32
            theirs = Fp8Dequantize(None)._dequantize_one(codes, scale, torch.float64)
            assert torch.allclose(values, theirs, rtol=1e-6, atol=0), name
        form.added[name], form.added[name + "_scale_inv"] = codes, scale
        form.values[name] = values
    return form


def modelopt_f8() -> Quantised:
    form = Quantised("modelopt-f8", {"quant_method": "modelopt", "quant_algo": "FP8"}, 6)
    module = LAYERS + "0.mlp.gate_proj"
    codes = finite_f8(form, *form.shape(module), E5M2)
    scale = form.scales(1, size=1e-5).reshape(())
    values = codes.double() * scale.double()
    form.add(
        module,
        values,
        weight=codes,
        weight_scale=scale,
        input_scale=torch.tensor(0.5, dtype=torch.float32),
    )
    return form


def e2m1(packed: torch.Tensor) -> torch.Tensor:
    """By ml_dtypes: the low half of a byte first."""
    raw = packed.numpy()
    codes = np.stack([raw & 15, raw >> 4], axis=-1).reshape(raw.shape[0], -1)
    return torch.from_numpy(codes.view(ml_dtypes.float4_e2m1fn).astype(np.float64))


def nvfp4(kind: str) -> Quantised:
    module = "3.self_attn.o_proj"
    if kind == "ct":
        weights = {"type": "float", "strategy": "tensor_group", "group_size": 16}
        config = ct_config("nvfp4-pack-quantized", 4, [module], **weights)
    else:
        config = {"quant_method": "modelopt", "quant_algo": "NVFP4"}
    form = Quantised(f"nvfp4-{kind}", config, 7)
    rows, columns = form.shape(LAYERS + module)
    packed = form.bytes(rows, columns // 2)
    scale = form.scales(rows, columns // 16, size=100).to(E4M3)
    if kind == "ct":
        divisor = torch.tensor([7000.0], dtype=torch.float32)
        values = e2m1(packed) * (scale.double() / divisor.double()).repeat_interleave(16, 1)
        theirs = decompress(
            "nvfp4-pack-quantized",
            scheme(4, "float", "tensor_group", group_size=16),
            weight_packed=packed,
            weight_scale=scale,
            weight_global_scale=divisor,
        )
        assert torch.allclose(theirs, values, rtol=2e-2)  # it computes in bf16
        tensors = {"weight_packed": packed, "weight_scale": scale, "weight_global_scale": divisor}
    else:
        factor = torch.tensor(1 / 6553.0, dtype=torch.float32)
        values = e2m1(packed) * (scale.double() * factor.double()).repeat_interleave(16, 1)
        tensors = {"weight": packed, "weight_scale": scale, "weight_scale_2": factor}
        tensors["input_scale"] = torch.tensor(0.01, dtype=torch.float32)
    form.add(LAYERS + module, values, **tensors)
    return form


def mxfp4() -> Quantised:
    module = "3.self_attn.o_proj"
    weights = {"type": "float", "strategy": "group", "group_size": 32}
    form = Quantised("mxfp4-ct", ct_config("mxfp4-pack-quantized", 4, [module], **weights), 8)
    rows, columns = form.shape(LAYERS + module)
    packed = form.bytes(rows, columns // 2)
    scale = torch.randint(118, 124, (rows, columns // 32), generator=form.random).to(torch.uint8)
    powers = torch.from_numpy(scale.numpy().view(ml_dtypes.float8_e8m0fnu).astype(np.float64))
    values = e2m1(packed) * powers.repeat_interleave(32, 1)
    form.add(LAYERS + module, values, weight_packed=packed, weight_scale=scale)
    return form


def gemma_linear(form: Quantised, module: str, bits: int) -> None:
    from transformers.integrations.gemma_quant import QuantizedLinear

    rows, columns = form.shape(module)
    linear = QuantizedLinear(columns, rows, num_bits=bits)
    codes = form.bytes(*linear.weight.shape)
    codes = codes.view(torch.int8) if bits == 8 else codes
    scale = form.scales(rows, 1, size=0.2 / 2**bits)
    linear.weight.data, linear.weight_scale.data = codes, scale.double()
    values = linear._dequantize_weights(torch.float64)
    form.add(module, values, weight=codes, weight_scale=scale)


def gemma_embedding(form: Quantised, module: str, bits: int, groups: int) -> None:
    from transformers.integrations.gemma_quant import QuantizedEmbedding

    rows, columns = form.shape(module)
    table = QuantizedEmbedding(rows, columns, torch.float64, num_bits=bits)
    codes, scale = form.bytes(*table.embedding_quantized.shape), form.scales(rows, groups, size=0.2)
    values = table._dequantize_weights(codes, scale.double())
    form.add(module, values, embedding_quantized=codes, embedding_scale=scale)


def gemma(calibrated: bool) -> Quantised:
    table = "model.language_model.embed_tokens"
    linears = {
        LAYERS + "0.self_attn.q_proj": 4,
        LAYERS + "1.mlp.up_proj": 4,
        LAYERS + "5.mlp.down_proj": 2,
        LAYERS + "2.per_layer_input_gate": 8,
        LAYERS + "4.per_layer_projection": 8,
        "lm_head": 2,
    }
    patterns = {f"{name.removeprefix('model.')}$": {"num_bits": b} for name, b in linears.items()}
    patterns |= {"embed_tokens$": {"num_bits": 2}, "embed_tokens_per_layer$": {"num_bits": 4}}
    form = Quantised("gemma" + ("-calibrated" if calibrated else ""), {}, 9)
    named = [n.removesuffix(".weight") for n in form.base.tensors if n.endswith(".weight")]
    kept = [n for n in named if n not in linears and "embed_tokens" not in n]
    form.config = {
        "quant_method": "gemma",
        "num_bits": 4,
        "quantize_embeddings": True,
        "module_quant_configs": patterns,
        "modules_to_not_convert": kept,
    }
    form.tied = False
    form.base.tensors["lm_head.weight"] = form.base.tensors[table + ".weight"]
    for module, bits in linears.items():
        gemma_linear(form, module, bits)
        for number, side in enumerate(("input", "output")):
            scale = 0.03 + 0.01 * number if calibrated and module != "lm_head" else 0.0
            form.added[f"{module}.{side}_activation_scale"] = torch.tensor(
                scale, dtype=torch.float32
            )
    gemma_embedding(form, table, 2, 1)
    gemma_embedding(form, table + "_per_layer", 4, 7)
    return form


def all_forms() -> list[Quantised]:
    return [
        packed_integers(4, 12, "0.self_attn.q_proj"),
        packed_integers(4, None, "5.mlp.gate_proj"),
        packed_integers(8, 8, "2.mlp.down_proj"),
        packed_integers(2, 12, "1.self_attn.k_proj"),
        ct_int8(),
        ct_f8("tensor"),
        ct_f8("channel"),
        f8("fp8-block", (12, 32)),
        f8("fp8-cut-block", (16, 64), torch.bfloat16),
        f8("fp8-tensor", None),
        f8("mxfp8", (1, 32), torch.uint8),
        f8_experts(),
        modelopt_f8(),
        nvfp4("ct"),
        nvfp4("modelopt"),
        mxfp4(),
        gemma(False),
        gemma(True),
    ]


def run(model) -> np.ndarray:
    with torch.no_grad():
        return model(input_ids=torch.tensor([PROMPT])).logits[0, -1].double().numpy()


def native(form: Quantised) -> np.ndarray | str:
    """The logits of transformers, which loads the form itself."""
    with tempfile.TemporaryDirectory() as folder:
        write(form, Path(folder))
        try:
            model, info = hf_model.model_class("gemma4").from_pretrained(
                folder, dtype=torch.float64, output_loading_info=True, attn_implementation="eager"
            )
            odd = [k for kind in ("missing", "unexpected") for k in info[kind + "_keys"]]
            return run(model) if not odd else f"missing or unexpected: {sorted(odd)[0]}"
        except Exception as error:  # noqa: BLE001, whatever it is, it does not load
            return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:120]}"


def write(form: Quantised, folder: Path) -> None:
    config = {**form.base.config, "quantization_config": form.config}
    config["tie_word_embeddings"] = form.tied
    (folder / "config.json").write_text(json.dumps(config))
    plain = {n: t for n, t in form.base.tensors.items() if n not in form.values}
    write_safetensors(folder / "model.safetensors", {**plain, **form.added})


def row(form: Quantised) -> dict:
    weights = {name: tensor.double() for name, tensor in form.base.tensors.items()}
    weights.update(form.values)
    config = hf_model.read_config(form.base.config)
    model = hf_model.model_class("gemma4")(config).eval()
    for part in (config, config.text_config):
        part._attn_implementation = part._experts_implementation = "eager"
    if form.tied:
        weights["lm_head.weight"] = weights["model.language_model.embed_tokens.weight"]
    model.lm_head.weight = torch.nn.Parameter(weights["lm_head.weight"])
    model.load_state_dict(weights)
    logits, theirs = run(model), native(form)
    calibrated = form.name.endswith("calibrated")
    far = theirs if isinstance(theirs, str) else float(f"{np.abs(theirs - logits).max():.1e}")
    return {
        "form": form.name,
        "base": form.base_name,
        "quantization_config": form.config,
        "tied": form.tied,
        "tensors": {
            name: (
                [
                    NAMES[t.dtype],
                    list(t.shape),
                    t.contiguous().flatten().view(torch.uint8).numpy().tobytes().hex(),
                ]
                if t.ndim
                else [NAMES[t.dtype], [], t.reshape(1).view(torch.uint8).numpy().tobytes().hex()]
            )
            for name, t in form.added.items()
        },
        "weights": {
            name: {
                "crc32": f"{zlib.crc32(v.contiguous().numpy().tobytes()):08x}",
                "first": v.flatten()[:3].tolist(),
            }
            for name, v in form.values.items()
        },
        "logits": (theirs if calibrated else logits).tolist(),
        "native": far,
    }


def main() -> int:
    hf_model.set_precision("f64")
    logging.disable(logging.ERROR)
    transformers.utils.logging.disable_progress_bar()
    rows = [row(form) for form in all_forms()]
    lines = ",\n".join("  " + json.dumps(r) for r in rows)
    made_with = f"transformers {transformers.__version__}, compressed-tensors, ml_dtypes, fp64"
    head = f'"made_with": "{made_with}",\n "prompt": {PROMPT}'
    text = f'{{\n {head},\n "forms": [\n{lines}\n ]\n}}\n'
    for r in rows:
        print(r["form"], r["native"])
    return settle(TABLE, text, f"quantised_forms: {len(rows)} forms")


if __name__ == "__main__":
    sys.exit(main())
