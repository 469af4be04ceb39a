// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/bicubic.h"

#include <algorithm>
#include <cmath>

namespace assay {

double keys_kernel(double t) {
  constexpr double kA = -0.5;
  const double x = std::abs(t);
  if (x < 1) {
    return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  }
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * kA : 0;
}

std::vector<BicubicTaps> bicubic_taps(std::size_t n_in, std::size_t n_out) {
  const double scale = static_cast<double>(n_in) / static_cast<double>(n_out);
  const double spread = std::max(scale, 1.0);
  const double support = 2 * spread;
  const double inverse_spread = 1 / spread;
  std::vector<BicubicTaps> taps(n_out);
  for (std::size_t i = 0; i < n_out; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const double begin = std::max(centre - support + 0.5, 0.0);
    const double end = std::min(centre + support + 0.5, static_cast<double>(n_in));
    const auto first = static_cast<std::size_t>(begin);  // cut, not rounded
    const auto last = static_cast<std::size_t>(end);
    taps[i].first = first;
    double sum = 0;
    for (std::size_t j = first; j < last; ++j) {
      const double weight = keys_kernel((static_cast<double>(j) - centre + 0.5) * inverse_spread);
      taps[i].weights.push_back(weight);
      sum += weight;
    }
    for (double& weight : taps[i].weights) {
      weight /= sum;
    }
  }
  return taps;
}

}  // namespace assay
