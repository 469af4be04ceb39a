// SPDX-License-Identifier: Apache-2.0
// What the machine can do, measured: the ceilings that kernels and engines are held against.
//
// A rate of reading changes from second to second on a shared machine, so it is measured beside
// each sample, on the memory that the sample reads; those of arithmetic do not.
#pragma once

#include <cstddef>

#include "optimized/device/probe_loops.h"
#include "optimized/device/threads.h"

namespace assay::cpu {

// Bytes a second of reading memory once, in order, all threads at a time; the better of two ways to
// divide it (one piece for each thread, pieces of 4 MiB in turn).
double read_rate(const std::byte* memory, std::size_t bytes, const Threads& threads);

// Operations a second from registers, all threads at a time; a multiply-add counts two. 0: this
// machine, or the target in use, has no such instruction.
struct ArithmeticRates {
  double fma = 0;       // f32
  double bf16_dot = 0;  // f32 += bf16 bf16 + bf16 bf16
  double int8_dot = 0;  // i32 += four u8 i8, or what AVX2 takes for it
};

// The loop that int8_dot is measured by; without a function where it is 0.
Loop int8_dot_loop();

ArithmeticRates arithmetic_rates(const Threads& threads);

}  // namespace assay::cpu
