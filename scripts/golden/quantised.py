# SPDX-License-Identifier: Apache-2.0
"""Tiny quantised checkpoints: GGUF files of E2B-, 26B- and 31B-like models.

write() makes golden/checkpoints/<name>/model.gguf. Its truth is that of the file, not of the numbers
that were quantised: dequantised() reads the blocks back and writes them as an fp64 checkpoint in the
released format, which the oracles take like any other. A weight format is a decoder, it costs no
error.

Widths are whole blocks. `q8_0` and `q4_0` keep what such files of llama.cpp keep otherwise; `kmix`
gives almost every tensor another type, as Q4_K_M files of rows that are no whole blocks of 256 do.
"""

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import ggml_blocks
import gguf_file
import make_checkpoints
import safetensors_file
from topologies import Topology, config_json

KMIX = {  # by the end of the name; a list goes round by layer
    "per_layer_token_embd.weight": "Q5_K",
    "per_layer_model_proj.weight": "Q4_K",
    "token_embd.weight": "Q6_K",
    "attn_q.weight": ["Q4_K", "Q5_K", "F16"],
    "attn_k.weight": ["Q4_K", "BF16"],
    "attn_v.weight": ["Q6_K", "Q8_0"],
    "attn_output.weight": ["Q5_0", "IQ4_NL", "Q4_1"],
    "ffn_gate.weight": ["Q4_K", "Q4_K", "Q5_K"],
    "ffn_up.weight": ["Q4_K", "Q6_K"],
    "ffn_down.weight": ["Q5_0", "Q8_0", "Q5_1", "Q4_0"],
    "ffn_gate_up_exps.weight": "Q4_K",
    "ffn_down_exps.weight": ["Q5_0", "Q8_0", "IQ4_NL"],
    "inp_gate.weight": ["Q6_K", "Q4_K"],
    "proj.weight": ["Q5_1", "MXFP4"],
}
Q8_0 = {"per_layer_model_proj.weight": "BF16", "*": "Q8_0"}
Q4_0 = {
    "per_layer_token_embd.weight": "Q8_0",
    "per_layer_model_proj.weight": "F16",
    "token_embd.weight": "Q8_0",
    "*": "Q4_0",
}
RECIPES = {"q8_0": Q8_0, "q4_0": Q4_0, "kmix": KMIX}
IN_F32 = ("ffn_gate_inp.weight",)  # the router


@dataclass
class Quantised:
    topology: Topology
    recipe: dict

    @property
    def name(self) -> str:
        return self.topology.name

    def type_of(self, name: str, shape: tuple[int, ...]) -> str:
        if len(shape) == 1 or name.endswith(IN_F32):
            return "F32"
        parts = name.split(".")
        key = ".".join(parts[2:]) if parts[0] == "blk" else name
        kind = self.recipe.get(key) or self.recipe["*"]
        kind = kind if isinstance(kind, str) else kind[int(parts[1]) % len(kind)]
        assert shape[-1] % ggml_blocks.SIZES[kind][0] == 0, (name, shape, kind)
        return kind


def small(size: str, recipe: str, **changes) -> Quantised:
    """Rows of a few blocks of 32, or of one of 256."""
    wide = recipe == "kmix"
    base = {
        "e2b": Topology(
            "", "gemma4_text", "F32", "SSFSF", 64, 64, 96, 4, (1, 1), (8, 16), 4,
            ple=32, shared=2, double_wide=True,
        ),
        "26b": Topology(
            "", "gemma4_text", "F32", "SSFSF", 64, 64, 96, 4, (2, 1), (8, 16), 4,
            k_eq_v=True, vision=True, moe=(4, 2, 32),
        ),
        "31b": Topology(
            "", "gemma4_text", "F32", "SSFSF", 64, 96, 64, 4, (2, 1), (16, 24), 4, rotated=0.5,
            k_eq_v=True, vision=True,
        ),
    }[size]  # fmt: skip
    in_blocks_of_256 = {
        "e2b": dict(layers="SFSF", width=256, ffn=32, heads=2, head_dim=(16, 32), ple=64),
        "26b": dict(layers="SSF", width=256, ffn=64, moe=(4, 2, 32)),
        "31b": dict(layers="SSF", width=256, heads=2, kv_heads=(2, 1), head_dim=(32, 48)),
    }[size]
    t = dataclasses.replace(base, **(in_blocks_of_256 if wide else {}), **changes)
    return Quantised(dataclasses.replace(t, name=f"{size}-{recipe}-tiny"), RECIPES[recipe])


QUANTISED = {
    q.name: q
    for q in (
        small("e2b", "q8_0"),
        small("e2b", "q4_0", junk=True),  # the keys and values of sharing layers are in the file
        small("e2b", "kmix"),
        small("26b", "q8_0"),
        small("26b", "q4_0"),
        small("26b", "kmix"),
        small("31b", "q8_0"),
        small("31b", "q4_0"),
        small("31b", "kmix"),
    )
}


def write(q: Quantised, out: Path) -> None:
    t = q.topology
    folder = make_checkpoints.fresh_folder(out, t.name)
    shapes = make_checkpoints.text_shapes(t, "")
    tensors = {name: make_checkpoints.make_tensor(t, name, s) for name, s in shapes.items()}
    if t.junk:
        kept = {name: (values, "F32") for name, values in tensors.items()}
        make_checkpoints.spoil_unused(t, "", kept)
        tensors = {name: values for name, (values, _) in kept.items()}
    gguf_file.write(folder / "model.gguf", t, tensors, q.type_of)


def released_form(gguf: Path, config: dict, folder: Path) -> Path:
    """The dequantised file in fp64, as a checkpoint of a text model with that config."""
    text = config.get("text_config", config)
    prefix = "model.language_model." if "text_config" in config else "model."
    first_shared = text["num_hidden_layers"] - text["num_kv_shared_layers"]
    tensors = {}
    for name, values in gguf_file.read(gguf).items():
        if name == gguf_file.NOT_A_WEIGHT:
            continue
        hf = gguf_file.from_ggml(name)
        unused = any(part in hf for part in (".k_proj.", ".v_proj.", ".k_norm."))
        if not (unused and int(hf.split(".")[1]) >= first_shared):
            tensors[prefix + hf] = (values, "F64")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    safetensors_file.write(folder / "model.safetensors", tensors)
    return folder


def dequantised(name: str, checkpoints: Path, out: Path) -> Path:
    """The folder `out`/`name`; one that is whole is kept."""
    folder = out / name
    if not (folder / "model.safetensors").exists():
        config = config_json(QUANTISED[name].topology)
        released_form(checkpoints / name / "model.gguf", config, folder)
    return folder


if __name__ == "__main__":  # a GGUF file and a config.json to a folder
    print(released_form(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3])))
