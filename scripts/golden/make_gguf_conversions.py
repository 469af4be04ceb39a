#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden/tables/gguf_conversions.json: what llama.cpp's converter makes of committed checkpoints.

    make_gguf_conversions.py --llama DIR [--check]

DIR is llama.cpp's source tree, as the source package of llama-cpp-python 0.3.36 has it in
vendor/llama.cpp: its conversion/ and gguf-py/ are run, with torch and transformers. A checkpoint
without a tokenizer is given golden/tokenizer's, and the tokenizer's keys are left out of the table.
For each key and each tensor the table has the type and the CRC-32 of its bytes in the file.
"""

import argparse
import contextlib
import io
import json
import logging
import os
import shutil
import sys
import tempfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "golden"
TABLE = GOLDEN / "tables" / "gguf_conversions.json"
VERSION = "llama.cpp of llama-cpp-python 0.3.36"
FILES = {  # checkpoint: types of the model's file, types of the projector's
    "e2b-chat-tiny": ("f32 f16 bf16 q8_0", ""),
    "12b-chat-tiny": ("f32 q8_0", ""),
    "26b-tiny": ("f32 q8_0", ""),
    "31b-tiny": ("f32 q8_0", ""),
    "e4b-tiny": ("f32", ""),
    "e2b-chat-tiny-drafter": ("f32", ""),
    "31b-tiny-drafter": ("f32 q8_0", ""),
    "12b-tiny-drafter": ("f32", ""),
    "e2b-media-tiny": ("", "f32 f16 q8_0"),
    "31b-media-tiny": ("", "f32"),
    "12b-media-tiny": ("", "f32 f16"),
}
OWN_NAMES = ("general.name", "general.basename", "general.finetune", "general.size_label")


def prepare(name: str, folder: Path) -> bool:
    """A copy that the converter takes. Whether the tokenizer is the checkpoint's own."""
    shutil.copytree(GOLDEN / "checkpoints" / name, folder)
    own = (folder / "tokenizer.json").exists()
    if not own:
        shutil.copy(GOLDEN / "tokenizer" / "tokenizer.json", folder)
    tokens = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    named = {f"{n}_token": f"<{n}>" for n in ("bos", "eos", "unk", "pad", "mask")}
    others = [t["content"] for t in tokens if t["content"] not in named.values()]
    settings = named | {"additional_special_tokens": others}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    config = json.loads((folder / "config.json").read_text())
    config.get("text_config", config).setdefault("moe_intermediate_size", None)  # it asks for it
    (folder / "config.json").write_text(json.dumps(config))
    return own


def convert(converter, folder: Path, out: Path, kind: str, projector: bool) -> None:
    sys.argv = ["convert", str(folder), "--outfile", str(out), "--outtype", kind]
    sys.argv += ["--mmproj"] if projector else []
    with contextlib.redirect_stderr(io.StringIO()):
        converter.main()


def value_bytes(field) -> bytes:
    """As the file has them: after the key and the type, of an array with its type and length."""
    return b"".join(part.tobytes() for part in field.parts[3:])


def summary(path: Path, tokenizer: bool) -> dict:
    from gguf import GGUFReader

    reader = GGUFReader(path)
    keys = {}
    for name, field in reader.fields.items():
        skipped = name.startswith("GGUF.") or name in OWN_NAMES
        if not skipped and (tokenizer or not name.startswith("tokenizer.")):
            kind = int(field.types[0])
            keys[name] = f"{kind}:{zlib.crc32(value_bytes(field)):08x}"
    tensors = {}
    for tensor in reader.tensors:
        shape = [int(extent) for extent in tensor.shape[::-1]]
        crc = zlib.crc32(tensor.data.tobytes())
        tensors[tensor.name] = [shape, tensor.tensor_type.name, f"{crc:08x}"]
    return {"keys": keys, "tensors": tensors}


def cases(converter) -> list[dict]:
    found = []
    for name, (model, projector) in FILES.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / name
            own = prepare(name, folder)
            for part, kinds in (("model", model), ("projector", projector)):
                for kind in kinds.split():
                    out = Path(temporary) / f"{part}-{kind}.gguf"
                    convert(converter, folder, out, kind, part == "projector")
                    head = {"checkpoint": name, "part": part, "type": kind, "tokenizer": own}
                    found.append(head | summary(out, own))
    return found


def listing(title: str, values: dict) -> str:
    rows = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in values.items())
    return f'   "{title}": {{\n{rows}\n   }}'


def text_of(found: list[dict]) -> str:
    parts = []
    for case in found:
        head = ", ".join(
            f'"{key}": {json.dumps(case[key])}' for key in ("checkpoint", "part", "type", "tokenizer")
        )
        parts.append(
            f"  {{{head},\n{listing('keys', case['keys'])},\n"
            f"{listing('tensors', case['tensors'])}\n  }}"
        )
    return f'{{\n "made_with": "{VERSION}",\n "files": [\n' + ",\n".join(parts) + "\n ]\n}\n"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--llama", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    os.environ["NO_LOCAL_GGUF"] = "1"
    sys.path[:0] = [str(arguments.llama / "gguf-py"), str(arguments.llama)]
    import convert_hf_to_gguf as converter

    logging.disable(logging.WARNING)
    text = text_of(cases(converter))
    if arguments.check:
        same = TABLE.read_text() == text
        print(f"gguf conversions: {'agree' if same else 'differ'}")
        return 0 if same else 1
    TABLE.write_text(text)
    print("gguf conversions: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
