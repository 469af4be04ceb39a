// SPDX-License-Identifier: Apache-2.0
// What the encoders of images and audio do to single rows, beside row_ops.h.
//
//   clamp_row         y = min( max(x, lowest), highest )
//   layer_norm        y = weight .* (x - m) / sqrt( v + eps ) + bias          bias: null for none
//                     m = mean(x), v = mean( (x - m)^2 )
//   relu              x = max(x, 0)
//   silu              y = x sigmoid(x)
//   gate_by_sigmoid   y = x .* sigmoid(gate)
//   depthwise_conv1d  y[d] = sum_j weight[j, d] rows[j][d]                    rows[j]: null for 0
//   local_scores      scores[w] = q . k[-w] + q . places[-w]                  0 <= w < seen
//   local_mix         out = sum_w probs[w] v[-w]
//
// A mean is taken twice: the first is off by the rounding of a long sum of large numbers, which in
// a nearly flat patch is as large as the deviations; the second sums what is left. f32 throughout;
// sums run in vector lanes, so rounding differs from the reference within its f32 floor. x and y
// may be the same.  Spec: multimodal 0.1, 3.1, 5.4 to 5.6; RC-7, RC-9, RC-12 to RC-17.
#pragma once

#include <cstddef>

namespace assay::cpu {

void clamp_row(const float* x, float lowest, float highest, std::size_t count, float* y);
void layer_norm(const float* x, const float* weight, const float* bias, double eps,
                std::size_t count, float* y);
void relu(float* x, std::size_t count);
void silu(const float* x, std::size_t count, float* y);
void gate_by_sigmoid(const float* x, const float* gate, std::size_t count, float* y);

// weight [points, count], the oldest row's first.
void depthwise_conv1d(const float* const* rows, const float* weight, std::size_t points,
                      std::size_t count, float* y);

// Rows of one head, the newest given, the one before it `stride` floats lower.
struct LookBack {
  const float* newest = nullptr;
  std::size_t stride = 0;
};
void local_scores(const float* q, LookBack keys, LookBack places, std::size_t seen,
                  std::size_t width, float* scores);
void local_mix(const float* probs, LookBack values, std::size_t seen, std::size_t width,
               float* out);

}  // namespace assay::cpu
