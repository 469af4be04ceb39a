// SPDX-License-Identifier: Apache-2.0
// What a layer does to single rows between its products.
//
//   rms_norm    y = x / sqrt( mean(x^2) + eps ) .* scale           scale: null for all ones
//   rope        first and second halves of each head as pairs     
//   gelu        x / ( 1 + exp( -2 sqrt(2/pi) (x + 0.044715 x^3) ) )
//               which is x/2 (1 + tanh(…)) without the cancellation for negative x
//   softcap     cap tanh( x / cap )
//
// f32 throughout; a mean is summed in vector lanes, so rounding differs from the reference within
// its f32 floor. x and y may be the same.  Spec.
#pragma once

#include <cstddef>

namespace assay::cpu {

void rms_norm(const float* x, const float* scale, double eps, std::size_t count, float* y);

// `half` pairs of cos and sin for each of the heads of a row [heads, 2 half].
void rope(float* x, std::size_t heads, std::size_t half, const float* cos, const float* sin);

void gelu(const float* x, std::size_t count, float* y);
void softcap(float* x, std::size_t count, double cap);

// y += x;  y *= x;  y *= factor;  y += factor x
void add_to(float* y, const float* x, std::size_t count);
void multiply_by(float* y, const float* x, std::size_t count);
void scale_by(float* y, float factor, std::size_t count);
void add_scaled(float* y, const float* x, float factor, std::size_t count);

// In place, over [0, count).
void softmax(float* x, std::size_t count);

}  // namespace assay::cpu
