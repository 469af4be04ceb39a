// SPDX-License-Identifier: Apache-2.0
// How ggml's CPU kernels round a row of activations before they multiply it with stored blocks: the
// weight's storage type says which of these.
//
//   kF16, kBf16   each value to that type, nearest even
//   kBlocks32     d = max|x| / 127,  q = R(x 127 / max|x|),  x' = f16(d) q     over 32 values
//   kBlocks256    c = -127 / x_m,    q = R(c x),             x' = (1 / c) q    over 256 values;
//                 x_m: the first value of the largest magnitude
//
// All of it in fp32, R to the nearest integer. What is in the middle of two integers to within
// 4 u max|x| (u = 2^-24), or of two numbers of f16 or bf16 to within 4 u of itself, goes either way
// in programs that divide where others multiply, or whose x is no tap and off by its own
// rounding: HalfWay says which.
//
// Types whose blocks have a minimum m beside their scale (Q4_1, Q5_1) multiply it with a sum that
// is rounded once more, s = f16(d sum(q)): the product is off by m (s - f16(d) sum(q)) a block.
// Source: ggml, quantize_row_q8_0, quantize_row_q8_K, vec_dot_type.  Spec: tolerance 10.
#pragma once

#include <cstddef>
#include <optional>

#include "reference/family/checkpoint/dtype.h"
#include "reference/family/config/half_way.h"

namespace assay {

enum class InputRounding { kNone, kF16, kBf16, kBlocks32, kBlocks256 };

InputRounding input_rounding(DType weight);

// Where in a block of `weight` its f16 minimum m stands, if products round a sum; else nothing.
std::optional<std::size_t> rounded_minimum(DType weight);

// Rounds a row in place. Blocks: `count` is a multiple of their length, as the weight's rows are.
template <class Real>
void round_input(InputRounding rounding, HalfWay half_way, Real* row, std::size_t count);

// s - f16(d) sum(q) of each block of 32: `count` / 32 numbers.
template <class Real>
void block_sum_errors(HalfWay half_way, const Real* row, std::size_t count, Real* out);

extern template void block_sum_errors<float>(HalfWay, const float*, std::size_t, float*);
extern template void block_sum_errors<double>(HalfWay, const double*, std::size_t, double*);
extern template void round_input<float>(InputRounding, HalfWay, float*, std::size_t);
extern template void round_input<double>(InputRounding, HalfWay, double*, std::size_t);

}  // namespace assay
