# SPDX-License-Identifier: Apache-2.0
"""Writes one golden (HDF5, format version 1) from a truth and the runs that make its floors."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))
from catalogue import is_discrete  # noqa: E402

UNIT = {"f32": 2.0**-24, "bf16": 2.0**-8}


def relative_l2(error: np.ndarray, truth: np.ndarray) -> float:
    scale = float(np.linalg.norm(truth.ravel()))
    size = float(np.linalg.norm(error.ravel()))
    return size / scale if scale > 0 else size


def worst_row(error: np.ndarray, truth: np.ndarray) -> float:
    """A row is one line of the last axis (a token, or a head of it); rows of zeros do not count."""
    width = truth.shape[-1] if truth.ndim else 1
    errors = np.linalg.norm(error.reshape(-1, width), axis=1)
    scales = np.linalg.norm(truth.reshape(-1, width), axis=1)
    counted = scales > 0
    return float(np.max(errors[counted] / scales[counted], initial=0.0))


def hide(name: str, values: np.ndarray, truth_taps: dict) -> np.ndarray:
    """Scores count at visible keys only: zero where the truth's probability is zero."""
    if not name.endswith("attn.scores"):
        return values
    return np.where(truth_taps[name.removesuffix("scores") + "probs"] == 0, 0.0, values)


def floors(name: str, truth: dict, members: list[dict]) -> dict[str, float]:
    """Relative L2 of the worst member, of the tensor and of its worst row."""
    expected, tensor, row = hide(name, truth[name], truth), 0.0, 0.0
    for member in members:
        if name not in member or member[name].shape != expected.shape:
            continue
        error = hide(name, member[name], truth) - expected
        tensor = max(tensor, relative_l2(error, expected))
        row = max(row, worst_row(error, expected))
    return {"chain": tensor, "row": row}


def split(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hi = values.astype(np.float32)
    return hi, (values - hi).astype(np.float32)


def put(group: h5py.Group, name: str, values: np.ndarray, shuffle: bool = True) -> None:
    packed = dict(compression="gzip", compression_opts=9, shuffle=shuffle)
    packed = packed if values.size > 64 else {}
    group.create_dataset(name, data=values, track_times=False, **packed)


PACK_AS_WORDS = ("patches", "mel", "samples", "rows", "file", "rgb")  # few different values
BESIDE = {"patches": ("positions",), "mel": ("mel_mask",)}


def write_item(inputs: h5py.Group, item: dict, data: dict) -> None:
    group = inputs.create_group(f"media/{item['run']}")
    for fact in ("kind", "budget", "num_frames"):
        if fact in item:
            group.attrs[fact] = item[fact]
    for name in (item["form"], *BESIDE.get(item["form"], ())):
        if f"item_{item['run']}_{name}" in data:
            values = data[f"item_{item['run']}_{name}"]
            put(group, name, values, shuffle=name not in PACK_AS_WORDS)


def write_inputs(root: h5py.Group, data: dict) -> None:
    inputs = root.create_group("inputs")
    put(inputs, "ids", data["ids"].astype(np.int32))
    if "token_types" in data:
        put(inputs, "token_types", data["token_types"].astype(np.int32))
    for k, kind in enumerate(data.get("kinds", [])):
        item = inputs.create_group(f"media/{k}")
        item.attrs["kind"] = str(kind)
        put(item, "soft", data[f"soft_{k}"].astype(np.float32))
    for item in json.loads(str(data["items"])) if "items" in data else []:
        write_item(inputs, item, data)
    if "decode_from" in data:
        inputs.attrs["decode_from"] = int(data["decode_from"])
    if "draft_steps" in data:
        draft = inputs.create_group("draft")
        draft.attrs["token"] = int(data["draft_token"])
        draft.attrs["steps"] = int(data["draft_steps"])
        draft.attrs["window"] = str(data["draft_window"])


def write_tap(taps: h5py.Group, name: str, truth: dict, ensemble: dict, extra: dict) -> None:
    group, values = taps.create_group(name), truth[name]
    for key, value in extra.items():
        group.attrs[key] = np.bytes_(value) if isinstance(value, str) else value  # fixed length
    if is_discrete(name):
        put(group, "value", values.astype(np.int32))
        return
    values = hide(name, values, truth)
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: got a value that is not finite")
    for dataset, part in zip(("hi", "lo"), split(values)):
        put(group, dataset, part)
    group.attrs["rms"] = float(np.sqrt(np.mean(np.square(values))))
    for precision, members in ensemble.items():
        floor = floors(name, truth, members)
        least = 0.5 * UNIT[precision]
        group.attrs[f"floor_chain_{precision}"] = max(floor["chain"], least)
        group.attrs[f"floor_row_{precision}"] = max(floor["row"], least)


def write(
    path: Path, attributes: dict, data: dict, truth: dict, ensemble: dict, extra: dict
) -> None:
    """ensemble: precision -> list of tap dicts; extra: tap -> attributes (agreement, oracles)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", libver=("v110", "v110")) as root:
        for key, value in attributes.items():
            text = value if isinstance(value, (str, int)) else json.dumps(value, sort_keys=True)
            root.attrs[key] = text
        write_inputs(root, data)
        taps = root.create_group("taps")
        for name in sorted(truth):
            write_tap(taps, name, truth, ensemble, extra.get(name, {}))


def read_truth(path: Path) -> dict[str, np.ndarray]:
    out = {}
    with h5py.File(path) as root:
        for name, group in root["taps"].items():
            if "value" in group:
                out[name] = group["value"][()]
            else:
                out[name] = group["hi"][()].astype(np.float64) + group["lo"][()]
    return out
