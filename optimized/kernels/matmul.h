// SPDX-License-Identifier: Apache-2.0
// Products of packed weights with rows of activations.
//
//   y[t, n] = sum_k w[n, k] x[t, k]
//
// Sums run over k in pieces that depend on the format and the machine, so results differ from the
// reference by rounding: f32 formats and the three digits of int8 stay within the f32 class, bf16
// rounds x to bf16, one digit of int8 rounds x as ggml does. A row of w is never split between
// threads, and the order of a sum does not depend on the number of rows of x that are padded:
// bits are the same for any number of threads.
#pragma once

#include <cstddef>
#include <span>

#include "optimized/device/threads.h"
#include "optimized/packing/packed_weight.h"
#include "optimized/packing/row_panels.h"

namespace assay::cpu {

// What an engine rounds: the precision class it is judged in.
enum class Arithmetic {
  kF32,   // nothing but f32 sums
  kBf16,  // x to bf16 where the weights are bf16
  kInt8   // x to int8 per block of 32 where the weights are q8_0 or q4_0
};

// The format of `rows` rows of x for a weight, on this machine.
RowFormat row_format(WeightLayout layout, Arithmetic arithmetic, std::size_t rows);

// One product; y[t * stride + n]. stride >= 16 * weight.tiles(): rows that pad the last tile are
// written.
struct Product {
  const WeightView* weight = nullptr;
  const RowPanels* x = nullptr;  // in row_format()
  float* y = nullptr;
  std::size_t stride = 0;
};

// All of them in one region.
void multiply(std::span<const Product> products, const Threads& threads);

}  // namespace assay::cpu
