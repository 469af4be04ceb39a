# SPDX-License-Identifier: Apache-2.0
"""Tests of to_dump.py: python -m unittest to_dump_test (the parts that need torch or mlx skip
without)."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import numpy as np

from assay_dump import to_numpy
from assay_dump_test import read_safetensors
from to_dump import main

try:
    import torch
except ImportError:
    torch = None
try:
    import mlx.core as mlx
except ImportError:
    mlx = None


class ToDumpTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def converted(self, name, *options):
        """The arrays of the dump that main() makes of a file."""
        out = self.folder / "out.safetensors"
        self.assertEqual(main([str(self.folder / name), str(out), *options]), 0)
        return read_safetensors(out)

    def test_other_files_become_dumps(self):
        array = np.array([[1.5, -2.0]], np.float32)
        np.savez(self.folder / "a.npz", **{"text.logits": array, "text.ids": np.array([3])})
        np.savez_compressed(self.folder / "b.npz", **{"text.logits": array})
        np.save(self.folder / "c.npy", array)
        (self.folder / "d.json").write_text('{"text.logits": [[1.5, -2.0]]}')
        for name in ("a.npz", "b.npz", "d.json"):
            self.assertEqual(self.converted(name)["text.logits"].tolist(), array.tolist())
        self.assertEqual(self.converted("a.npz")["text.ids"].tolist(), [3])
        named = self.converted("c.npy", "--tap", "text.logits")
        self.assertEqual(named["text.logits"].tolist(), array.tolist())

    def test_bf16_of_mlx_is_two_bytes_without_a_type(self):
        bits = np.array([[0x3FC0, 0xC000]], "<u2").view("V2")  # 1.5, -2
        np.savez(self.folder / "a.npz", **{"text.logits": bits})
        self.assertEqual(self.converted("a.npz")["text.logits"].tolist(), [[1.5, -2.0]])

    @unittest.skipIf(mlx is None, "needs mlx")
    def test_arrays_of_mlx(self):
        array = mlx.array([[1.5, -2.0]])
        for kind in (mlx.bfloat16, mlx.float16, mlx.float32, mlx.int32):
            self.assertEqual(to_numpy(array.astype(kind)).tolist(), array.astype(kind).tolist())
        mlx.savez(str(self.folder / "a.npz"), **{"text.logits": array.astype(mlx.bfloat16)})
        self.assertEqual(self.converted("a.npz")["text.logits"].tolist(), [[1.5, -2.0]])

    @unittest.skipIf(torch is None, "needs torch")
    def test_a_file_of_torch_becomes_a_dump(self):
        torch.save({"text.logits": torch.tensor([1.5]).bfloat16()}, self.folder / "a.pt")
        self.assertEqual(self.converted("a.pt")["text.logits"].tolist(), [1.5])

    def test_files_that_hold_no_arrays_are_refused(self):
        (self.folder / "a.npy").write_bytes(b"\x93NUMPY\x01")
        (self.folder / "b.npz").write_bytes(b"PK\x03\x04 and then nothing")
        (self.folder / "c.json").write_text('{"text.logits": [[1], [2, 3]]}')
        (self.folder / "d.csv").write_text("text.logits,1\n")
        np.savez(self.folder / "e.npz", a=np.array([object()]))
        np.save(self.folder / "f.npy", np.zeros(1))  # and no --tap
        for name in ("a.npy", "b.npz", "c.json", "d.csv", "e.npz", "f.npy", "nothing"):
            out = self.folder / "out.safetensors"
            options = ["--tap", "text.logits"] if name == "a.npy" else []
            with contextlib.redirect_stderr(io.StringIO()) as said:
                self.assertEqual(main([str(self.folder / name), str(out), *options]), 2, name)
            self.assertRegex(said.getvalue(), r"^to_dump: [^\n]+\n$")
            self.assertFalse(out.exists())


if __name__ == "__main__":
    unittest.main()
