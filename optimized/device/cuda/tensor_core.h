// SPDX-License-Identifier: Apache-2.0
// What a tensor core makes of a sum and some products of bf16, bit by bit:
//
//   all terms are aligned to the largest exponent and cut to a number of fraction bits below it,
//   added exactly, and the sum is cut, not rounded, to f32.
//
// Ampere takes 8 products at a time and keeps 24 bits, Hopper and Blackwell 16 and 25. Compared
// with MMA-Sim in golden/tables/tensor_core.txt (arXiv 2511.10909).
#pragma once

#include <cstdint>

namespace assay::simt {

enum class TensorCore { kAmpere, kHopper };

// c + sum_k a[k] b[k] over 16 products of bf16.
float tensor_core_sum(TensorCore core, const std::uint16_t* a, const std::uint16_t* b, float c);

}  // namespace assay::simt
