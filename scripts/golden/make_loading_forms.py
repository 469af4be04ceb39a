#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden/tables/loading_forms.json: what transformers' from_pretrained makes of each loading form.

    make_loading_forms.py [--check] [PART OF A FORM'S NAME]

Of each form (loading_forms.py) the table has its steps and what transformers says: an error, or
the keys that it misses, does not expect or finds misshapen, and the logits of a short prompt at
fp64. The last are given where no key is missing; `logits` is then "as released", or the numbers.
"""

import json
import logging
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers

import hf_model
from loading_forms import all_forms
from table_file import settle

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "golden" / "tables" / "loading_forms.json"
PROMPT = [2, 9, 30, 5, 17, 41, 8, 3, 22, 11]
INDEX = "model.safetensors.index.json"
TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I8": torch.int8,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}
NAMES = {dtype: name for name, dtype in TYPES.items()}


class Form:
    """A checkpoint in memory: tensors as torch has them, config, the files to write."""

    def __init__(self, base: Path) -> None:
        self.config = json.loads((base / "config.json").read_text())
        self.tensors: dict[str, torch.Tensor] = {}
        for path in sorted(base.glob("*.safetensors")):
            self.tensors.update(read_safetensors(path))
        self.tensors = dict(sorted(self.tensors.items()))
        self.shards: list[dict[str, torch.Tensor]] = []
        self.index: dict[str, str] = {}
        self.file = "model.safetensors"

    def apply(self, step: list) -> None:
        getattr(self, "do_" + step[0])(*step[1:])

    def do_rename(self, old: str, new: str) -> None:
        self.tensors = {
            new + name.removeprefix(old) if name.startswith(old) else name: tensor
            for name, tensor in self.tensors.items()
        }

    def do_drop(self, begin: str) -> None:
        kept = {name: t for name, t in self.tensors.items() if not name.startswith(begin)}
        assert len(kept) < len(self.tensors), begin
        self.tensors = kept

    def do_copy(self, name: str, to: str) -> None:
        self.tensors[to] = self.tensors[name].clone()

    def do_flip(self, name: str) -> None:
        self.tensors[name] = flipped(self.tensors[name])

    def do_fill(self, name: str, dtype: str, shape: list[int]) -> None:
        self.tensors[name] = torch.zeros(shape, dtype=TYPES[dtype])

    def do_cast(self, part: str, dtype: str) -> None:
        for name, tensor in self.tensors.items():
            if part in name and tensor.is_floating_point():
                self.tensors[name] = tensor.to(torch.float32).to(TYPES[dtype])

    def do_shape(self, part: str, shape: list[int]) -> None:
        for name in [name for name in self.tensors if part in name]:
            self.tensors[name] = self.tensors[name].reshape(shape)

    def do_set(self, path: list[str], value) -> None:
        place = self.config
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    def do_unset(self, path: list[str]) -> None:
        place = self.config
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    def do_shards(self, count: int) -> None:
        self.shards = [{} for _ in range(count)]
        for i, (name, tensor) in enumerate(sorted(self.tensors.items())):
            self.shards[i % count][name] = tensor
            self.index[name] = shard_name(i % count)

    def do_unlist(self, begin: str) -> None:
        listed = {n: f for n, f in self.index.items() if not n.startswith(begin)}
        self.index = listed or {next(iter(self.index)): self.index[next(iter(self.index))]}

    def do_list(self, name: str, shard: int) -> None:
        self.index[name] = shard_name(shard)

    def do_twice(self, name: str, shard: int) -> None:
        self.shards[shard][name] = self.tensors[name]

    def do_spoil(self, name: str, shard: int) -> None:
        self.shards[shard][name] = flipped(self.tensors[name])

    def do_call(self, file: str) -> None:
        self.file = file
        self.config["transformers_weights"] = file

    def write(self, directory: Path) -> None:
        (directory / "config.json").write_text(json.dumps(self.config))
        for i, shard in enumerate(self.shards):
            write_safetensors(directory / shard_name(i), shard)
        if self.shards:
            index = {"metadata": {"total_size": 0}, "weight_map": self.index}
            (directory / INDEX).write_text(json.dumps(index))
        else:
            write_safetensors(directory / self.file, self.tensors)


def shard_name(index: int) -> str:
    return f"shard-{index}.safetensors"


def flipped(tensor: torch.Tensor) -> torch.Tensor:
    raw = tensor.clone().view(torch.uint8).flatten()
    raw[0] ^= 1
    return raw.view(tensor.dtype).reshape(tensor.shape)


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    raw = bytearray(path.read_bytes())
    size = int.from_bytes(raw[:8], "little")
    tensors = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            data = torch.tensor(list(raw[8 + size + begin : 8 + size + end]), dtype=torch.uint8)
            tensors[name] = data.view(TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def write_safetensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    header, blobs, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes()
        place = [offset, offset + len(blob)]
        dtype, shape = NAMES[tensor.dtype], list(tensor.shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": place}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def classes(config: dict) -> list:
    """The class of the model type; a text model's may also be asked of a composite config."""
    kind = config["model_type"]
    chosen = [hf_model.model_class(kind)]
    if kind in ("gemma4", "gemma4_unified"):
        chosen.append(hf_model.model_class(kind + "_text"))
    return chosen


def logits(model, config: dict) -> np.ndarray:
    """[V] of the last position; a drafter has no keys of its own, so its head is asked directly."""
    ids = torch.tensor([PROMPT])
    with torch.no_grad():
        if config["model_type"].endswith("_assistant"):
            hidden = torch.arange(1, model.config.text_config.hidden_size + 1) / 8.0
            return model.lm_head(hidden.to(torch.float64)).numpy()
        return model(input_ids=ids).logits[0, -1].numpy()


def state_hash(model) -> str:
    """CRC-32 of all weights in the order of their names: media forms show here."""
    crc = 0
    for name, tensor in sorted(model.state_dict().items()):
        if not name.endswith("lm_head.weight"):
            crc = zlib.crc32(tensor.double().contiguous().numpy().tobytes(), crc)
    return f"{crc:08x}"


def from_pretrained(chosen, directory: Path, config: dict) -> dict:
    try:
        model, info = chosen.from_pretrained(
            directory,
            dtype=torch.float64,
            output_loading_info=True,
            attn_implementation="eager",
            experts_implementation="eager",
        )
    except Exception as error:  # noqa: BLE001, whatever it is, this class does not load the form
        return {"class": chosen.__name__, "error": type(error).__name__}
    found = {"class": chosen.__name__}
    for kind in ("missing", "unexpected", "mismatched"):
        keys = sorted(str(k[0] if isinstance(k, tuple) else k) for k in info[kind + "_keys"])
        if keys:
            found[kind] = keys[:2] + ([len(keys) - 2] if len(keys) > 2 else [])
    if len(found) == 1:
        found["state"] = state_hash(model)
        try:
            found["logits"] = [float(x) for x in logits(model, config)]
        except Exception as error:  # noqa: BLE001
            found["run_error"] = type(error).__name__
    return found


def row(name: str, base: str, steps: list) -> dict:
    form = Form(ROOT / "golden" / "checkpoints" / base)
    for step in steps:
        form.apply(step)
    with tempfile.TemporaryDirectory() as folder:
        form.write(Path(folder))
        found = [from_pretrained(c, Path(folder), form.config) for c in classes(form.config)]
    best = next((f for f in found if "state" in f), found[0])
    return {"form": name, "base": base, "steps": steps, "transformers": best}


def main() -> int:
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    hf_model.set_precision("f64")
    logging.disable(logging.ERROR)
    transformers.utils.logging.disable_progress_bar()
    rows = [row(*f) for f in all_forms() if not arguments or any(a in f[0] for a in arguments)]
    released = {r["base"]: r["transformers"] for r in rows if r["form"] == "released"}
    for r in rows:
        found, base = r["transformers"], released.get(r["base"], {})
        for key in ("state", "logits"):
            if r["form"] != "released" and key in found and found[key] == base.get(key):
                found[key] = "as released"
    lines = ",\n".join("  " + json.dumps(r) for r in rows)
    made_with = f"transformers {transformers.__version__}, fp64"
    text = f'{{\n "made_with": "{made_with}",\n "prompt": {PROMPT},\n "forms": [\n{lines}\n ]\n}}\n'
    if arguments:
        print(text)
        return 0
    return settle(TABLE, text, f"loading_forms: {len(rows)} forms")


if __name__ == "__main__":
    sys.exit(main())
