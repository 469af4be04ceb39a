# SPDX-License-Identifier: Apache-2.0
"""Make a dump of a file of arrays that another program wrote.

    python3 to_dump.py IN OUT.safetensors [--tap NAME]

IN is NumPy's .npz or .npy, a torch.save of tensors by name, or JSON {"name": nested lists}, whatever
it is called. An .npy holds one array, whose name --tap gives. Two bytes without a type are bf16, as
MLX writes it.
"""

import argparse
import json
import sys
import zipfile
from pathlib import Path

import numpy as np

from assay_dump import Dump, DumpError


def read_arrays(path, tap=None):
    """{name: array} of an .npz, .npy, torch.save or JSON file, by its content."""
    path = Path(path)
    head = path.read_bytes()[:2] if path.is_file() else b""
    try:
        if head == b"\x93N":
            if not tap:
                raise DumpError(f"{path}: got one array without a name, expected --tap NAME")
            return {tap: np.load(path, allow_pickle=False)}
        if head == b"PK":
            return _of_archive(path)
        if head[:1] == b"\x80":
            return _of_torch(path)
        if head.lstrip()[:1] == b"{":
            return {name: np.array(rows) for name, rows in json.loads(path.read_text()).items()}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DumpError(f"{path}: cannot be read: {error}") from None
    raise DumpError(f"{path}: got another kind of file, expected .npz, .npy, torch.save or JSON")


def _of_archive(path):
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
        if any(name.endswith("data.pkl") for name in archive.files):
            return _of_torch(path)
        return {name: archive[name] for name in archive.files}


def _of_torch(path):
    try:
        import torch
    except ImportError:
        raise DumpError(f"{path}: torch is not installed, which reads torch.save") from None
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch has no type for a file that it does not like
        reason = str(error).splitlines()[0]
        raise DumpError(f"{path}: cannot be read by torch.load: {reason}") from None
    if not isinstance(tensors, dict):
        raise DumpError(f"{path}: got a {type(tensors).__name__}, expected tensors by name")
    return tensors


def main(arguments=None):
    parser = argparse.ArgumentParser(description="make a dump of another file of arrays")
    parser.add_argument("file", help=".npz, .npy, torch.save of tensors by name, or JSON")
    parser.add_argument("dump", help="the dump to write: .safetensors or .h5")
    parser.add_argument("--tap", help="name of the array of an .npy")
    options = parser.parse_args(arguments)
    try:
        with Dump(options.dump) as dump:
            for name, array in read_arrays(options.file, options.tap).items():
                dump.add(name, array)
    except DumpError as error:
        print(f"to_dump: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
