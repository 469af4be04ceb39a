// SPDX-License-Identifier: Apache-2.0
// Weights of bicubic interpolation along one axis of n_in pixels that becomes n_out long.
//
//   scale = n_in / n_out,   spread = max(scale, 1)           anti-aliasing: wider when shrinking
//   c_i = (i + 0.5) * scale                                  where output i lies in the input
//   w_ij = K((j - c_i + 0.5) / spread),  |j + 0.5 - c_i| < 2 spread,   divided by their sum
//
//   K(t) = (3/2) |t|^3 - (5/2) |t|^2 + 1                     |t| < 1
//        = -(1/2) (|t|^3 - 5 |t|^2 + 8 |t| - 4)              1 <= |t| < 2
//
// Keys 1981 with a = -1/2. At an edge the taps outside are missing and the others are divided by
// their own sum. The order of the double operations is Pillow's: with it the integer weights of
// resize.h agree with Pillow's bit for bit.  Spec: RI-4.
#pragma once

#include <cstddef>
#include <vector>

namespace assay {

// The weights of one output pixel, for input pixels first, first + 1, ...
struct BicubicTaps {
  std::size_t first = 0;
  std::vector<double> weights;
};

double keys_kernel(double t);

std::vector<BicubicTaps> bicubic_taps(std::size_t n_in, std::size_t n_out);

}  // namespace assay
