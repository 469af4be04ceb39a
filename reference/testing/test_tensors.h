// SPDX-License-Identifier: Apache-2.0
// For tests: tensors of given and of random values. Tests of the textbook are compiled in both
// precisions.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

#include "reference/core/tensor.h"
#include "reference/family/testing/test_differences.h"

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

}  // namespace assay::ASSAY_REFERENCE
