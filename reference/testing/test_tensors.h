// SPDX-License-Identifier: Apache-2.0
// For tests: tensors of given and of random values, and how far two tensors are apart.
//
// Tests of the reference are compiled in both precisions. A suite in lower case holds mistakes
// under their own names, rms_norm.one_plus_scale: each test shows first that the wrong formula
// would be seen, then that it is not ours.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

constexpr bool kIsDouble = sizeof(Real) == sizeof(double);

// The bound of this precision.
constexpr double bound_of(double f32, double f64) {
  return kIsDouble ? f64 : f32;
}

template <class... Axes>
Tensor<Axes...> tensor_of(const std::array<std::size_t, sizeof...(Axes)>& shape,
                          const std::vector<double>& values) {
  auto tensor = make_tensor<Axes...>(shape);
  EXPECT_EQ(tensor.size(), values.size());
  std::transform(values.begin(), values.end(), tensor.begin(),
                 [](double value) { return static_cast<Real>(value); });
  return tensor;
}

// Values in (-1, 1) that no two seeds share; multiples of 2^-20, exact in both precisions.
template <class... Axes>
Tensor<Axes...> random_tensor(const std::array<std::size_t, sizeof...(Axes)>& shape,
                              std::uint32_t seed) {
  std::mt19937 generator(seed);
  auto tensor = make_tensor<Axes...>(shape);
  for (Real& value : tensor) {
    const auto steps = static_cast<std::int32_t>(generator() >> 11) - (1 << 20);
    value = static_cast<Real>(steps) / Real(1 << 20);
  }
  return tensor;
}

template <class AnyTensor>
std::vector<double> values_of(const AnyTensor& tensor) {
  return {tensor.begin(), tensor.end()};
}

inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    largest = difference <= largest ? largest : difference;  // a NaN becomes the largest
  }
  return largest;
}

inline void expect_near(const std::vector<double>& ours, const std::vector<double>& right,
                        double bound) {
  EXPECT_LE(largest_difference(ours, right), bound);
}

// The case can tell `wrong` from `right`, and ours is right.
inline void expect_avoided(const std::vector<double>& ours, const std::vector<double>& right,
                           const std::vector<double>& wrong, double bound) {
  EXPECT_GT(largest_difference(right, wrong), 20 * bound) << "the case does not show the mistake";
  expect_near(ours, right, bound);
}

}  // namespace assay::ASSAY_REFERENCE
