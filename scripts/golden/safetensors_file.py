# SPDX-License-Identifier: Apache-2.0
"""Writes and reads safetensors with numpy alone; bfloat16 is widened to float32 on reading."""

import json
from pathlib import Path

import numpy as np

WIDTH = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4}
NUMPY = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}


def to_bf16_bits(values: np.ndarray) -> np.ndarray:
    """float32 to bfloat16, round to nearest even; a NaN stays a NaN."""
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4")
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return np.where(np.isnan(values), np.uint32(0x7FC0), rounded).astype("<u2")


def from_bf16_bits(bits: np.ndarray) -> np.ndarray:
    return (bits.astype("<u4") << np.uint32(16)).view("<f4")


def encode(values: np.ndarray, dtype: str) -> bytes:
    if dtype == "BF16":
        return to_bf16_bits(values).tobytes()
    return np.ascontiguousarray(values, dtype=NUMPY[dtype]).tobytes()


def write(path: Path, tensors: dict[str, tuple[np.ndarray, str]]) -> None:
    """tensors: name -> (values, dtype of the file)."""
    header, blobs, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, (values, dtype) in tensors.items():
        blob = encode(values, dtype)
        header[name] = {
            "dtype": dtype,
            "shape": list(values.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def read(path: Path) -> dict[str, np.ndarray]:
    raw = Path(path).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    body, out = raw[8 + size :], {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        data = body[slice(*entry["data_offsets"])]
        if entry["dtype"] == "BF16":
            values = from_bf16_bits(np.frombuffer(data, "<u2"))
        else:
            values = np.frombuffer(data, NUMPY[entry["dtype"]])
        out[name] = values.reshape(entry["shape"])
    return out


def read_directory(directory: Path) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {}
    for path in sorted(Path(directory).glob("*.safetensors")):
        out.update(read(path))
    return out
