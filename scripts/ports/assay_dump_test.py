# SPDX-License-Identifier: Apache-2.0
"""Tests of assay_dump.py and assay_media.py: python -m unittest assay_dump_test (the parts that
need torch or h5py skip without)."""

import json
import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np

from assay_dump import Dump, DumpError, hook_torch, parse_map, read_map
from assay_media import MediaItems, unblocked

try:
    import torch
except ImportError:
    torch = None
try:
    import h5py
except ImportError:
    h5py = None
try:
    from transformers.models.phi3 import modeling_phi3
except ImportError:
    modeling_phi3 = None


def read_safetensors(path):
    data = Path(path).read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__")
    types = {"F64": "<f8", "F32": "<f4", "I32": "<i4"}
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[begin:end], types[entry["dtype"]])
        arrays[name] = array.reshape(entry["shape"])
    return arrays


def _how(words):
    return " ".join(name + (f"={value}" if value else "") for name, value in words.items())


class DumpTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def refused(self, words, call, *arguments):
        with self.assertRaises(DumpError) as caught:
            call(*arguments)
        self.assertIn(words, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_types_survive_and_rows_join_by_position(self):
        path = self.folder / "a.safetensors"
        with Dump(path) as dump:
            dump.add("text.logits", np.array([[0.1, 0.2]]))
            dump.add("text.ids", np.array([1, 2], np.int64))
            dump.rows("text.embed", np.ones((2, 3), np.float16), 1)
            dump.rows("text.embed", np.zeros((1, 3), np.float32), 0)
            dump.rows("text.mask.local", np.ones((1, 1), bool), 0, 0)
            dump.rows("text.mask.local", np.ones((2, 2), bool), 1, 1)
        arrays = read_safetensors(path)
        self.assertEqual(arrays["text.logits"].dtype, np.float64)
        self.assertEqual(arrays["text.ids"].tolist(), [1, 2])
        self.assertEqual(arrays["text.embed"].tolist(), [[0] * 3, [1] * 3, [1] * 3])
        self.assertEqual(arrays["text.mask.local"].tolist(), [[1, 0, 0], [0, 1, 1], [0, 1, 1]])
        self.assertEqual([p.name for p in self.folder.iterdir()], ["a.safetensors"])

    def test_refusals_are_one_line(self):
        self.refused("suffix", Dump, self.folder / "a.npz")
        dump = Dump(self.folder / "a.safetensors")
        self.refused("got none", dump.write)
        self.refused("tap name", dump.add, "text/logits", np.zeros(1))
        self.refused("complex", dump.add, "text.logits", np.zeros(1, complex))
        self.refused("int32", dump.add, "text.ids", np.array([2**40]))
        dump.rows("text.embed", np.zeros((1, 3)), 2)
        self.refused("row 0 of 3", dump.write)
        self.refused("how: got 'colour'", read_map, {"a": ("b", "in", "colour=red")})
        self.refused("io: got 'inside'", read_map, [("a", "b", "inside")])
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_maps_are_read_as_compare_reads_them(self):
        for case in json.loads((Path(__file__).parent / "maps/cases.json").read_text()):
            with self.subTest(case["what"]):
                if "error" in case:
                    with self.assertRaises(DumpError) as caught:
                        parse_map(case["text"].lstrip("\ufeff"), "m.csv")
                    self.assertEqual(str(caught.exception), case["error"])
                    continue
                path = self.folder / "m.csv"
                path.write_text(case["text"], encoding="utf-8", newline="")
                rows = [(tap, module, io, _how(words)) for tap, module, io, words in read_map(path)]
                self.assertEqual(rows, [tuple(row) for row in case["rows"]])

    def test_a_failed_run_writes_nothing(self):
        with self.assertRaises(RuntimeError), Dump(self.folder / "a.safetensors") as dump:
            dump.add("text.logits", np.zeros(1))
            raise RuntimeError
        self.assertEqual(list(self.folder.iterdir()), [])

    @unittest.skipIf(h5py is None, "needs h5py")
    def test_hdf5(self):
        with Dump(self.folder / "a.h5") as dump:
            dump.add("text.layer.0.out", np.arange(3.0))
        with h5py.File(self.folder / "a.h5") as file:
            self.assertEqual(file["taps/text.layer.0.out"][:].tolist(), [0.0, 1.0, 2.0])

    @unittest.skipIf(torch is None, "needs torch")
    def test_hooks_copy_reshape_and_list_what_is_missing(self):
        class Layer(torch.nn.Linear):
            head_dim = 2

        layers = torch.nn.ModuleList([Layer(4, 4).bfloat16() for _ in range(2)])
        model = torch.nn.ModuleDict({"layers": layers})
        dump = Dump(self.folder / "a.safetensors")
        rows = {
            "text.layer.{i}.out": ("layers.{i}", "out", "last=2"),
            "text.final_norm": ("norm", "out", ""),
        }
        hooks = hook_torch(model, rows, dump)
        self.assertEqual(hooks.missing, ["text.final_norm: no module norm"])
        for dump.position in (0, 3):
            x = torch.ones(1, 3, 4, dtype=torch.bfloat16)
            for layer in layers:
                x = layer(x)
                x *= 0  # in place, after the hook
        out = dump.taps()["text.layer.0.out"]
        self.assertEqual((out.shape, out.dtype), ((6, 2, 2), np.float32))
        self.assertNotEqual(float(np.abs(out).sum()), 0.0)

    @unittest.skipIf(torch is None, "needs torch")
    def test_the_tree_of_a_multimodal_class_is_found(self):
        text = torch.nn.ModuleDict({"norm": torch.nn.Linear(2, 2), "layers": torch.nn.ModuleList()})
        text["layers"].append(torch.nn.Linear(2, 2))
        rows = {"text.layer.{i}.out": ("model.layers.{i}",), "text.final_norm": ("model.norm",)}
        inner = torch.nn.ModuleDict({"model": text})
        encoder = torch.nn.ModuleDict({"layers": torch.nn.ModuleList([torch.nn.Linear(2, 2)])})
        for model in (
            dict(text.items()),
            {"model": text},
            {"language_model": inner},
            {"encoder": encoder, "model": torch.nn.ModuleDict({"language_model": text})},
        ):
            hooks = hook_torch(torch.nn.ModuleDict(model), rows, Dump(self.folder / "a.h5"))
            self.assertEqual(hooks.taps, ["text.layer.0.out", "text.final_norm"])
            self.assertEqual(hooks.missing, [])
        with self.assertWarnsRegex(UserWarning, "map: 0 of 2 rows found a module.*model.language_"):
            hooks = hook_torch(
                torch.nn.ModuleDict(model), rows, Dump(self.folder / "a.h5"), rename={}
            )
        self.assertEqual(len(hooks.missing), 2)

    @unittest.skipIf(torch is None, "needs torch")
    def test_rows_of_a_part_that_the_model_lacks_are_not_missing(self):
        modules = {name: torch.nn.Linear(2, 2) for name in ("router", "norm")}
        model = torch.nn.ModuleDict(modules)
        rows = {
            "text.final_norm": ("norm",),
            "text.logits": ("head",),
            "text.layer.0.moe.router_logits": ("router", "out", "of=moe"),
            "text.layer.0.moe.sum": ("experts", "out", "of=moe"),  # a part of which some is there
            "text.ple.proj": ("ple.proj", "out", "of=ple"),
            "text.ple.ctx": ("ple.norm", "out", "of=ple"),
        }
        hooks = hook_torch(model, rows, Dump(self.folder / "a.safetensors"))
        self.assertEqual(
            hooks.missing,
            ["text.logits: no module head", "text.layer.0.moe.sum: no module experts"],
        )
        self.assertEqual(hooks.other_parts, {"ple": 2})

    @unittest.skipIf(torch is None, "needs torch")
    def test_a_fused_projection_is_taken_apart(self):
        fused = torch.nn.Linear(3, 12, bias=False)
        model = torch.nn.ModuleDict({"qkv": fused})
        dump = Dump(self.folder / "a.safetensors")
        rows = [
            ("text.layer.0.attn.q_proj", "qkv", "out", "columns=0:8 last=4"),
            ("text.layer.0.attn.k_proj", "qkv", "out", "columns=8:10"),
            ("text.layer.0.attn.v_proj", "qkv", "out", "columns=10:12"),
            ("text.layer.0.ffn.up", "qkv", "out", "half=second"),
        ]
        hook_torch(model, rows, dump)
        x = torch.randn(1, 5, 3)
        want = (x @ fused.weight.T).detach()[0].numpy()
        model.qkv(x)
        taps = {name.rpartition(".")[2]: array for name, array in dump.taps().items()}
        self.assertEqual(taps["q_proj"].shape, (5, 2, 4))
        np.testing.assert_allclose(taps["q_proj"].reshape(5, 8), want[:, :8], rtol=1e-6)
        np.testing.assert_allclose(taps["k_proj"], want[:, 8:10], rtol=1e-6)
        np.testing.assert_allclose(taps["v_proj"], want[:, 10:], rtol=1e-6)
        np.testing.assert_allclose(taps["up"], want[:, 6:], rtol=1e-6)
        hook_torch(model, [("text.logits", "qkv", "out", "columns=8:14")], dump)
        self.refused("columns=8:14: expected FIRST:LAST within 12", model.qkv, x)

    @unittest.skipIf(torch is None or modeling_phi3 is None, "needs torch and transformers")
    def test_gate_and_up_of_a_fused_module_of_transformers(self):
        config = modeling_phi3.Phi3Config(hidden_size=6, intermediate_size=10, hidden_act="silu")
        module = modeling_phi3.Phi3MLP(config)
        model = torch.nn.ModuleDict({"layers": torch.nn.ModuleList([module])})
        dump = Dump(self.folder / "a.safetensors")
        rows = [
            ("text.layer.{i}.ffn.gate", "layers.{i}.gate_up_proj", "out", "half"),
            ("text.layer.{i}.ffn.up", "layers.{i}.gate_up_proj", "out", "half=second"),
            ("text.layer.{i}.ffn.mul", "layers.{i}.down_proj", "in", ""),
        ]
        hook_torch(model, rows, dump)
        module(torch.randn(1, 4, 6))
        taps = {name.rpartition(".")[2]: array for name, array in dump.taps().items()}
        self.assertEqual(taps["up"].shape, (4, 10))
        gate = torch.nn.functional.silu(torch.from_numpy(taps["gate"])).numpy()
        np.testing.assert_allclose(gate * taps["up"], taps["mul"], rtol=1e-5, atol=1e-7)

    @unittest.skipIf(torch is None, "needs torch")
    def test_items_of_a_batch_are_parted_and_padding_is_dropped(self):
        class Encoder(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = torch.nn.Identity()

            def forward(self, pixels, positions):
                x = self.inner(pixels)
                return x[(positions != -1).all(dim=-1)][::9]  # a row per soft token, no padding

        model = torch.nn.ModuleDict({"encoder": Encoder()})
        dump = Dump(self.folder / "a.safetensors")
        rows = [
            ("media", "encoder", "in", "arg=1 items=images sizes=positions"),
            ("media.{k}.vision.patch_embed", "encoder.inner", "out", "items=images real=patches"),
            ("media.{k}.vision.pool", "encoder", "out", "items=images real=soft joined"),
        ]
        hook_torch(model, rows, dump)
        pixels = torch.arange(2 * 18.0).reshape(2, 18, 1)
        positions = torch.zeros(2, 18, 2, dtype=torch.long)
        positions[0, 9:] = -1
        self.refused("dump.media: got none", model.encoder, pixels, positions)
        dump.media = MediaItems(images=[3])
        self.refused("got 2 in a call, 1 announced", model.encoder, pixels, positions)
        dump.media = MediaItems(images=[3, 0])
        model.encoder(pixels, positions)
        taps = {name: array[:, 0].tolist() for name, array in dump.taps().items()}
        self.assertEqual(taps["media.3.vision.patch_embed"], [*range(9)])
        self.assertEqual(taps["media.0.vision.patch_embed"], [*range(18, 36)])
        self.assertEqual(taps["media.3.vision.pool"], [0])
        self.assertEqual(taps["media.0.vision.pool"], [18, 27])

    def test_blocks_of_local_attention_become_rows_by_rows(self):
        blocks = np.zeros((1, 2, 3, 6))  # blocks of 3 queries see the 3 keys before them, too
        for query in range(6):
            for key in range(6):
                column = key - query // 3 * 3 + 3
                if 0 <= column < 6:
                    blocks[0, query // 3, query % 3, column] = 10 * query + key
        rows = unblocked(blocks, 5, window=3)[0]
        self.assertEqual(rows[4].tolist(), [0, 0, 42, 43, 44])
        self.assertEqual(rows[1].tolist(), [10, 11, 0, 0, 0])
        self.assertEqual(unblocked(blocks, 5)[0][4].tolist(), [40, 41, 42, 43, 44])


if __name__ == "__main__":
    unittest.main()
