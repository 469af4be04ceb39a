// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding on two axes: half of a head turns with x, the other half with y.
//
//   frequency[j] = theta^(-2j/a)               j = 0 ... m-1,  a = H/2,  m = a/2
//   phi          = position[axis] * frequency[j]
//   y[o+j]       = u[o+j] cos phi - u[o+m+j] sin phi
//   y[o+m+j]     = u[o+m+j] cos phi + u[o+j] sin phi          o = 0 for x, o = a for y
//
// Both axes use the same m frequencies, and the exponent has the axis' own width a, not H. Angles
// are evaluated in fp64 and only cos and sin narrowed, as in rope.h.
// Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/vision/_modules.py.
// Spec: multimodal 3, RV-9, RV-10.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

// Each column of x and of y twice, as the channels lie: m of x, m of x, m of y, m of y.
struct VisionRopeTable {
  Tensor<T, H> angles;
  Tensor<T, H> cos;
  Tensor<T, H> sin;
};

// positions [T, 2]: x, y. Throws Error unless head_dim is a multiple of 4.
VisionRopeTable vision_rope_table(const IntTensor<T, A>& positions, std::size_t head_dim,
                                  double theta);

// The table of angles that are given.
VisionRopeTable vision_rope_table(const Tensor<T, H>& angles);

Tensor<T, N, H> vision_rope(const Tensor<T, N, H>& x, const VisionRopeTable& table);

}  // namespace assay::ASSAY_REFERENCE
