# SPDX-License-Identifier: Apache-2.0
"""What the gate reads from the output of ptxas, and when a file fails."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import cuda_gate

SYMBOL = "_ZN5assay4cuda12norm_kernelILi4EEEvPKf"
OUTPUT = f"""ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '{SYMBOL}' for 'sm_80'
ptxas info    : Function properties for {SYMBOL}
    0 bytes stack frame, SPILLS
ptxas info    : Used 40 registers, used 1 barriers, 488 bytes cmem[0]
"""
CLEAN = OUTPUT.replace("SPILLS", "0 bytes spill stores, 0 bytes spill loads")
ADVICE = "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized\n"


class Parse(unittest.TestCase):
    def test_registers_by_kernel_and_device(self):
        got = cuda_gate.parse("a.cu", 0, CLEAN)
        self.assertEqual(list(got.registers.values()), [40])
        self.assertEqual(next(iter(got.registers))[1], "sm_80")
        self.assertEqual(got.problems, [])

    def test_a_spill_fails(self):
        spilled = OUTPUT.replace("SPILLS", "4 bytes spill stores, 8 bytes spill loads")
        self.assertIn("spills", cuda_gate.parse("a.cu", 0, spilled).problems[0])

    def test_advice_of_ptxas_fails(self):
        self.assertIn("C7510", cuda_gate.parse("a.cu", 0, CLEAN + ADVICE).problems[0])

    def test_an_error_fails(self):
        got = cuda_gate.parse("a.cu", 2, "a.cu(3): error: no instance\n")
        self.assertEqual(got.problems, ["a.cu: does not compile: a.cu(3): error: no instance"])


class Compare(unittest.TestCase):
    def problems(self, table):
        compiled = cuda_gate.Compiled("a.cu", {("k", "sm_80"): 40})
        cuda_gate.compare(compiled, table)
        return compiled.problems

    def test_as_many_or_fewer_pass(self):
        self.assertEqual(self.problems({("k", "sm_80"): 40}), [])
        self.assertEqual(self.problems({("k", "sm_80"): 48}), [])

    def test_more_fail(self):
        self.assertIn("got 40 registers, expected at most 39", self.problems({("k", "sm_80"): 39})[0])

    def test_a_kernel_that_is_not_on_record_fails(self):
        self.assertIn("not in", self.problems({})[0])


class Compile(unittest.TestCase):
    def test_ccache_hashes_every_file_that_is_read(self):
        name = "optimized/kernels/gemm_wgmma_cuda.cu"
        with tempfile.TemporaryDirectory() as cache, mock.patch.object(
            cuda_gate, "CACHE", Path(cache)
        ), mock.patch.object(cuda_gate.subprocess, "run") as run:
            run.return_value = mock.Mock(returncode=2, stdout="", stderr="")
            cuda_gate.output_of("nvcc", "13", name)
        hashed = run.call_args.kwargs["env"]["CCACHE_EXTRAFILES"].split(os.pathsep)
        for read in (name, "optimized/device/cuda/wgmma.h", "optimized/device/cuda/hopper.h"):
            self.assertIn(str(cuda_gate.ROOT / read), hashed)


class Names(unittest.TestCase):
    def test_arguments_and_unnamed_namespaces_go(self):
        text = "void assay::cuda::_GLOBAL__N__1a2b_4_x_cu_77::f<(int)2, g<int (*)(int)>>(float const*)\n"
        with mock.patch.object(cuda_gate.subprocess, "run") as run:
            run.return_value.stdout = text
            self.assertEqual(cuda_gate.readable(["s"]), {"s": "f<(int)2, g<int (*)(int)>>"})


if __name__ == "__main__":
    unittest.main()
