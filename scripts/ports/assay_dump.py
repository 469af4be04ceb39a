# SPDX-License-Identifier: Apache-2.0
"""Write what a model computed as a dump that `assay compare` reads. Copy this one file.

    dump = Dump("mine.safetensors")          # or .h5
    hook_torch(model, "hf_text.csv", dump)   # any torch module tree, by a name map
    model(ids)
    dump.write()

or without hooks: dump.add("text.layer.0.out", array). Arrays may be torch, numpy, JAX or MLX, of
any real type; bf16 and f16 are widened (exactly), integers become int32. Needs numpy, and h5py only
when an .h5 is written. The map's format is in maps/README.md, and
to_dump.py makes a dump of files that other programs wrote.
"""

import json
import os
import re
import struct
import warnings
from pathlib import Path

import numpy as np

_TAP_NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")
_RULES = set("arg item last heads_first flat keys mask half columns row stack if beside of".split())
_RULES |= set("items sizes real axis square swap blocks joined shared whole".split())  # of media
_SAFETENSORS_TYPES = {"float64": "F64", "float32": "F32", "int32": "I32"}


class DumpError(Exception):
    """Something about a dump or a map is wrong; the message is one line."""


def to_numpy(array, tap="array"):
    """A private copy of any real array as float64, float32 or int32."""
    if hasattr(array, "detach"):  # torch, without importing it
        tensor = array.detach().cpu()
        narrow = tensor.is_floating_point() and tensor.element_size() < 4
        array = _widened(tensor).numpy() if narrow else tensor.numpy()
    elif type(array).__module__.startswith("mlx."):  # np.asarray knows no bf16 of MLX
        array = _plain_mlx(array)
    array = _bf16_of_bytes(np.asarray(array))
    if array.dtype.name in ("bfloat16", "float16") or array.dtype.name.startswith("float8"):
        return array.astype(np.float32)
    if array.dtype.name in ("float32", "float64"):
        return np.array(array, dtype=array.dtype, order="C", copy=True)
    if array.dtype.kind not in "biu":
        raise DumpError(f"{tap}: type: got {array.dtype}, expected a real or an integer array")
    limit = np.iinfo(np.int32)
    if array.size and (int(array.min()) < limit.min or int(array.max()) > limit.max):
        raise DumpError(f"{tap}: integers: got values outside int32")
    return array.astype(np.int32)


def _bf16_of_bytes(array):
    """NumPy knows MLX's bf16 as two bytes without a type: the upper half of an fp32."""
    if array.dtype.kind != "V" or array.dtype.names or array.dtype.itemsize != 2:
        return array
    bits = np.ascontiguousarray(array).view("<u2").reshape(array.shape).astype("<u4")
    return (bits << 16).view("<f4")


def _plain_mlx(array):
    import mlx.core as mx

    wide = mx.issubdtype(array.dtype, mx.floating) and array.dtype.size < 4
    return array.astype(mx.float32) if wide else array


def _widened(tensor):
    import torch

    return tensor.to(torch.float32)


class Dump:
    """Taps of one run, kept in memory until write(). As a context manager it writes at the end."""

    def __init__(self, path):
        self.path = Path(path)
        if self.path.suffix not in (".h5", ".hdf5", ".safetensors"):
            raise DumpError(
                f"{path}: suffix: got {self.path.suffix!r}, expected .h5 or .safetensors"
            )
        self.position = 0  # of the first row of the current call; set it before each chunk
        self.step = 0  # draft step, fills {s} in tap names
        self.media = None  # for maps of encoders: MediaItems of assay_media.py
        self._pieces = {}  # tap -> {first row: (first column or None, array)}

    def add(self, tap, array):
        """The whole tap at once; a second call replaces the first."""
        self._check_name(tap)
        self._pieces[tap] = {0: (None, to_numpy(array, tap))}

    def rows(self, tap, array, first_row, first_column=None):
        """Rows of a tap that arrives over several calls, placed by position.

        first_column: for taps whose last axis counts keys (masks, scores, probs), the position
        of the first key in this piece; keys that no piece holds are 0.
        """
        self._check_name(tap)
        self._pieces.setdefault(tap, {})[int(first_row)] = (first_column, to_numpy(array, tap))

    def taps(self):
        """The joined arrays by tap name."""
        return {tap: _join(tap, pieces) for tap, pieces in self._pieces.items()}

    def write(self):
        """Write the file under a temporary name and move it into place."""
        arrays = self.taps()
        if not arrays:
            raise DumpError(f"{self.path}: taps: got none, expected at least one")
        partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.partial")
        try:
            (_write_safetensors if self.path.suffix == ".safetensors" else _write_hdf5)(
                partial, arrays
            )
            os.replace(partial, self.path)
        except OSError as error:
            raise DumpError(f"{self.path}: cannot be written: {error.strerror or error}") from None
        finally:
            partial.unlink(missing_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.write()

    @staticmethod
    def _check_name(tap):
        if not _TAP_NAME.fullmatch(tap):
            raise DumpError(
                f"{tap!r}: tap name: expected words of letters, digits, _ joined by dots"
            )


def _join(tap, pieces):
    if len(pieces) == 1 and 0 in pieces and not pieces[0][0]:
        return pieces[0][1]
    total = max(first + len(array) for first, (_, array) in pieces.items())
    tails = [np.array(array.shape[1:]) for _, array in pieces.values()]
    if len({len(tail) for tail in tails}) != 1:
        raise DumpError(f"{tap}: pieces: got {sorted(map(tuple, tails))}, expected one rank")
    tail = tails[0].copy()
    for (column, _), shape in zip(pieces.values(), tails):
        if column is not None:
            tail[-1] = max(tail[-1], column + shape[-1])
    kinds = [array.dtype for _, array in pieces.values()]
    joined = np.zeros((total, *tail), dtype=np.result_type(*kinds))
    seen = np.zeros(total, dtype=bool)
    for first, (column, array) in sorted(pieces.items()):
        rows = slice(first, first + len(array))
        place = (
            joined[rows] if column is None else joined[rows][..., column : column + array.shape[-1]]
        )
        if place.shape != array.shape:
            raise DumpError(f"{tap}: rows at {first}: got {array.shape}, expected {place.shape}")
        place[...] = array
        seen[rows] = True
    if not seen.all():
        raise DumpError(f"{tap}: rows: row {int(np.argmin(seen))} of {total} was never given")
    return joined


def _write_hdf5(path, arrays):
    try:
        import h5py
    except ImportError:
        raise DumpError(f"{path}: h5py is not installed; write a .safetensors instead") from None
    with h5py.File(path, "w") as file:
        group = file.create_group("taps")
        for tap, array in arrays.items():
            group.create_dataset(tap, data=array)


def _write_safetensors(path, arrays):
    header, offset = {"__metadata__": {"writer": "assay_dump"}}, 0
    for tap, array in arrays.items():
        kind = _SAFETENSORS_TYPES[array.dtype.name]
        header[tap] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(
                np.ascontiguousarray(array)
                .astype(array.dtype.newbyteorder("<"), copy=False)
                .tobytes()
            )


# ---- hooks on a torch module tree ---------------------------------------------------------------


class Hooks:
    """What hook_torch did: the taps it hooked, the rows it found no module for, remove().

    missing lists the rows that a model of this size should have. Rows of a part that the model
    does not have at all (`of=moe`) are counted in other_parts, by part.
    """

    def __init__(self):
        self.taps, self.missing, self.other_parts, self._handles = [], [], {}, []

    def remove(self):
        for handle in self._handles:
            handle.remove()
        self._handles = []


_HEADINGS = (["tap", "module"], ["tap", "name"])


def read_map(name_map):
    """Rows (tap, module, io, how) of a CSV file, a dict {tap: (module, io, how)} or a list."""
    if isinstance(name_map, (str, Path)):
        text = Path(name_map).read_text(encoding="utf-8-sig")
        return parse_map(text, Path(name_map).name)
    if isinstance(name_map, dict):
        rows = [
            (tap, *(place if isinstance(place, (tuple, list)) else (place,)))
            for tap, place in name_map.items()
        ]
    else:
        rows = [tuple(row) for row in name_map]
    return [_check_row(row, f"map: {','.join(map(str, row))}") for row in rows]


def parse_map(text, source):
    """The rows of a CSV; maps/README.md has the rules, which `assay compare --map` shares."""
    rows, first = [], True
    for number, line in enumerate(text.split("\n"), 1):
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if not line:
            continue
        place = f"{source}: line {number}"
        cells = [cell.strip() for cell in line.split(",")]
        is_heading, first = first and cells[:2] in _HEADINGS, False
        if is_heading:
            continue
        if '"' in line:
            raise DumpError(f"{place}: got a quotation mark, expected plain cells")
        if not 2 <= len(cells) <= 4:
            raise DumpError(
                f"{place}: got {len(cells)} columns, expected tap,name or tap,name,in|out,how"
            )
        if not cells[0] or (len(cells) == 2 and not cells[1]):
            raise DumpError(f"{place}: got an empty column, expected tap,name")
        rows.append(_check_row(cells, place))
    if not rows:
        raise DumpError(f"{source}: map: got no rows, expected tap,name lines")
    return rows


def _check_row(row, place):
    tap, module, io, how = (*row, "", "", "")[:4]
    io = io or "out"
    if io not in ("in", "out"):
        raise DumpError(f"{place}: io: got '{io}', expected in or out")
    rules = dict(token.partition("=")[::2] for token in how.split())
    if unknown := [word for word in rules if word not in _RULES]:
        words = " ".join(sorted(_RULES))
        raise DumpError(f"{place}: how: got '{unknown[0]}', expected one of {words}")
    if rules.get("half", "") not in ("", "first", "second"):
        raise DumpError(f"{place}: half: got '{rules['half']}', expected first or second")
    return tap, module, io, rules


def hook_torch(model, name_map, dump, rename=None, taps=None):
    """Hook every module that the map names; returns Hooks. Missing modules are listed, not fatal.

    rename: {"model.": "model.language_model."} replaces the first part of module paths; by default
    what stands before `layers.0` in this model, where that finds more of the map's modules than the
    paths as they are: classes name one tree variously.
    Warns where most rows of the map find no module.
    taps: a function name -> bool that selects taps; all without it.
    """
    modules = dict(model.named_modules())
    rows = read_map(name_map)
    if rename is None:
        rename = max(_trees(modules), key=lambda tree: _rows_found(modules, rows, tree))
    hooks, parts = Hooks(), {}
    for template, path, io, rules in rows:
        path = _renamed(path, rename)
        found = [place for place in _find(modules, path) if _beside(modules, place[1], rules)]
        part = parts.setdefault(rules.get("of", ""), {"found": 0, "missing": []})
        part["found"] += bool(found)
        if not found:
            part["missing"].append(f"{template}: no module {path}")
        for order, (index, name) in enumerate(found):
            tap = template.replace("{i}", str(index)).replace("{j}", str(index))
            if taps is None or "sizes" in rules or taps(tap):
                place = (tap, order, len(found)) if "stack" in rules else (tap, 0, 1)
                _hook(modules, name, io, _Catcher(dump, place, rules, modules, name), hooks)
    for name, part in parts.items():
        if name and not part["found"]:
            hooks.other_parts[name] = len(part["missing"])
        else:
            hooks.missing += part["missing"]
    found = sum(part["found"] for part in parts.values())
    if found < len(hooks.missing):
        source = Path(name_map).name if isinstance(name_map, (str, Path)) else "map"
        warnings.warn(
            f"{source}: {found} of {len(rows)} rows found a module, the dump will lack the others; "
            f"this model's modules are called {_examples(modules)}; rename= tells where the tree is",
            stacklevel=2,
        )
    return hooks


def _trees(modules):
    """Where the tree of a map's `model.` may stand: as it is, or before any `layers.0`."""
    places = [name[: -len("layers.0")] for name in modules if f".{name}".endswith(".layers.0")]
    return [{}] + [{"model.": place} for place in places]


def _rows_found(modules, rows, rename):
    return sum(_is_there(modules, row, rename) for row in rows)


def _examples(modules):
    names = [name for name in modules if name.count(".") >= 2] or list(modules)
    return ", ".join([*names[:3], "…"])


def _renamed(path, rename):
    for old, new in rename.items():
        path = new + path[len(old) :] if path.startswith(old) else path
    return path


def _is_there(modules, row, rename):
    return bool(_find(modules, _renamed(row[1], rename)))


def _find(modules, path):
    if "{" not in path:
        return [(0, path)] if path in modules else []
    pattern = re.compile(re.escape(path).replace(r"\{i\}", r"(\d+)").replace(r"\{j\}", r"(\d+)"))
    matches = ((pattern.fullmatch(name), name) for name in modules)
    return sorted((int(match[1]), name) for match, name in matches if match)


def _beside(modules, name, rules):
    """Whether the module's parent also holds the module that the rule names."""
    return "beside" not in rules or f"{name.rpartition('.')[0]}.{rules['beside']}" in modules


def _hook(modules, name, io, catcher, hooks):
    module = modules[name]
    if io == "in":
        handle = module.register_forward_pre_hook(
            lambda _, args, kwargs: catcher(args, kwargs, None), with_kwargs=True
        )
    else:
        handle = module.register_forward_hook(
            lambda _, args, kwargs, output: catcher(args, kwargs, output), with_kwargs=True
        )
    hooks._handles.append(handle)
    hooks.taps.append(catcher.tap)


class _Catcher:
    """Takes one tap out of a call: chooses the value, brings it to the catalogue's shape."""

    def __init__(self, dump, place, rules, modules, name):
        self.dump, self.rules = dump, rules
        self.tap, self.order, self.parts = place
        self.module, self.parent = modules[name], modules[name.rpartition(".")[0]]
        self._stacked = []

    def __call__(self, args, kwargs, output):
        if "if" in self.rules and not self._wanted(args, kwargs):
            return
        value = self._value(args, kwargs, output)
        if value is None:
            return
        array = to_numpy(value, self.tap)  # a copy: later in-place changes are not seen
        if "items" in self.rules:
            self._items(array)
            return
        array = self._shape(array)
        tap = self.tap.replace("{s}", str(self.dump.step))
        if "{s}" in self.tap:
            self.dump.add(tap, array)
        elif "stack" in self.rules:
            self._stack(tap, array)
        else:
            first = self.dump.position
            column = first + len(array) - array.shape[-1] if "keys" in self.rules else None
            self.dump.rows(tap, array, first, column)

    def _items(self, array):
        """A call of an encoder: learn which rows are real, or part a tap by item."""
        media, rules = self.dump.media, self.rules
        if media is None:
            raise DumpError(f"{self.tap}: dump.media: got none, expected assay_media.MediaItems")
        if "sizes" in rules:
            media.begin(rules, array)
            return
        for tap, part in media.parts(self.tap, rules, array):
            self.dump.add(tap, self._split_last(part))

    def _wanted(self, args, kwargs):
        place, _, wanted = self.rules["if"].partition(":")
        return str(self._named(place, args, kwargs)) == wanted

    def _named(self, place, args, kwargs):
        if place.startswith("."):
            value = self.module
            for name in place[1:].split("."):
                value = getattr(value, name, None)
            return value
        if place.isdigit():
            return args[int(place)] if int(place) < len(args) else None
        return kwargs.get(place)

    def _value(self, args, kwargs, output):
        if output is None:
            return self._named(self.rules.get("arg", "0"), args, kwargs)
        item = self.rules.get("item")
        if item is None:
            return output[0] if isinstance(output, tuple) else output
        return output[int(item)] if item.isdigit() else getattr(output, item)

    def _shape(self, array):
        rules = self.rules
        if "mask" in rules:  # additive [1,1,T,S] or boolean, to 1 visible, 0 hidden
            array = array.reshape(array.shape[-2:])
            return (array > -1.0 if array.dtype.kind == "f" else array != 0).astype(np.int32)
        if "flat" not in rules:
            if array.ndim < 2 or array.shape[0] != 1:
                raise DumpError(f"{self.tap}: batch: got shape {array.shape}, expected a leading 1")
            array = array[0]
        if "heads_first" in rules:
            array = np.swapaxes(array, 0, 1)
        if "columns" in rules:
            array = array[..., self._columns(array.shape[-1])]
        array = self._split_last(array)
        if "half" in rules:
            middle = array.shape[-1] // 2
            array = array[..., middle:] if rules["half"] == "second" else array[..., :middle]
        return array[-1] if "row" in rules else array

    def _split_last(self, array):
        if "last" not in self.rules:
            return array
        return array.reshape(*array.shape[:-1], -1, self._size(self.rules["last"]))

    def _columns(self, width):
        """first:last of columns=, the columns of one of several matrices that are stored as one."""
        first, colon, last = self.rules["columns"].partition(":")
        if not (colon and first.isdigit() and last.isdigit() and int(first) < int(last) <= width):
            raise DumpError(
                f"{self.tap}: columns={self.rules['columns']}: expected FIRST:LAST within {width}"
            )
        return slice(int(first), int(last))

    def _size(self, text):
        """A number, or .name: an attribute of the module that holds this one."""
        size = getattr(self.parent, text[1:], None) if text.startswith(".") else int(text)
        if not isinstance(size, int):
            raise DumpError(
                f"{self.tap}: last={text}: {type(self.parent).__name__} has no such number"
            )
        return size

    def _stack(self, tap, array):
        """Layer after layer of one call into axis 1, given on when all are there."""
        parts = self.dump.__dict__.setdefault("_parts", {}).setdefault(tap, {})
        parts[self.order] = array
        if len(parts) == self.parts:
            self.dump.rows(
                tap, np.stack([parts[k] for k in sorted(parts)], axis=1), self.dump.position
            )
            parts.clear()
