// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/rope.h"

#include <cmath>

namespace assay::ASSAY_REFERENCE {
namespace {

// Frequency of each channel pair; 0 where the pair does not rotate.
std::vector<double> frequencies(std::size_t head_dim, const RopeParameters& parameters) {
  const std::size_t pairs = head_dim / 2;
  const auto rotating = static_cast<std::size_t>(
      std::floor(parameters.partial_rotary_factor * static_cast<double>(pairs)));
  std::vector<double> frequency(pairs, 0.0);
  for (std::size_t c = 0; c < rotating; ++c) {
    const double exponent = -2.0 * static_cast<double>(c) / static_cast<double>(head_dim);
    frequency[c] = std::pow(parameters.rope_theta, exponent);
  }
  return frequency;
}

}  // namespace

RopeTable rope_table(const std::vector<std::int32_t>& positions, std::size_t head_dim,
                     const RopeParameters& parameters, bool fp32_angles) {
  const auto frequency = frequencies(head_dim, parameters);
  RopeTable table{make_tensor<T, C>({positions.size(), frequency.size()}),
                  make_tensor<T, C>({positions.size(), frequency.size()})};
  for (std::size_t t = 0; t < positions.size(); ++t) {
    for (std::size_t c = 0; c < frequency.size(); ++c) {
      double angle = static_cast<double>(positions[t]) * frequency[c];
      if (fp32_angles) {
        angle = static_cast<double>(static_cast<float>(positions[t]) *
                                    static_cast<float>(frequency[c]));
      }
      table.cos(t, c) = static_cast<Real>(std::cos(angle));
      table.sin(t, c) = static_cast<Real>(std::sin(angle));
    }
  }
  return table;
}

Tensor<T, N, H> rope(const Tensor<T, N, H>& x, const RopeTable& table) {
  const std::size_t queries = x.shape()[0];
  const std::size_t heads = x.shape()[1];
  const std::size_t half = x.shape()[2] / 2;
  check_shape(table.cos, {queries, half}, "rope: cos");
  check_shape(table.sin, {queries, half}, "rope: sin");

  Tensor<T, N, H> y = Tensor<T, N, H>::from_shape(x.shape());
  for (std::size_t t = 0; t < queries; ++t) {
    for (std::size_t n = 0; n < heads; ++n) {
      for (std::size_t c = 0; c < half; ++c) {
        const Real first = x(t, n, c);
        const Real second = x(t, n, c + half);
        y(t, n, c) = first * table.cos(t, c) - second * table.sin(t, c);
        y(t, n, c + half) = second * table.cos(t, c) + first * table.sin(t, c);
      }
    }
  }
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
