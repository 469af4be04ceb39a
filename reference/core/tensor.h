// SPDX-License-Identifier: Apache-2.0
// The tensor of the reference, and the one door to xtensor's containers.
//
// The reference exists twice from one source: Real is float in the library assay_reference_f32 and
// double in assay_reference_f64 (compiled with ASSAY_FP64). The macro ASSAY_REFERENCE names the
// namespace of the one being compiled, so that one program can hold both.
//
// A signature spells its shapes with the letters of axes.h, and the compiler checks their number:
//   Tensor<T, N, S> attention_scores(const Tensor<T, N, H>& q, const Tensor<S, K, H>& k);
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include <xtensor/xtensor.hpp>  // IWYU pragma: export

#include "reference/core/axes.h"
#include "reference/family/base/error.h"

#ifdef ASSAY_FP64
#define ASSAY_REFERENCE reference_f64
#else
#define ASSAY_REFERENCE reference_f32
#endif

namespace assay::ASSAY_REFERENCE {

using namespace assay::axes;  // NOLINT(google-build-using-namespace): one-letter names of axes

#ifdef ASSAY_FP64
using Real = double;
#else
using Real = float;
#endif

template <class... Axes>
using Tensor = xt::xtensor<Real, sizeof...(Axes)>;

// Integers: ids, positions, masks (1 visible, 0 hidden), expert choices.
template <class... Axes>
using IntTensor = xt::xtensor<std::int32_t, sizeof...(Axes)>;

template <class... Axes>
Tensor<Axes...> make_tensor(const std::array<std::size_t, sizeof...(Axes)>& shape) {
  return Tensor<Axes...>(shape, Real(0));
}

// The values of x in row-major order under another shape of as many elements.
template <class... Axes, class AnyTensor>
Tensor<Axes...> reshaped(const AnyTensor& x,
                         const std::array<std::size_t, sizeof...(Axes)>& shape) {
  Tensor<Axes...> y = Tensor<Axes...>::from_shape(shape);
  if (y.size() != x.size()) {
    throw Error("reshaped: got " + std::to_string(x.size()) + " elements, expected " +
                std::to_string(y.size()));
  }
  std::copy(x.begin(), x.end(), y.begin());
  return y;
}

// Row r of a tensor whose leading axes are flattened into rows of `width` values.
template <class AnyTensor>
auto row(AnyTensor& x, std::size_t r, std::size_t width) {
  return std::span(x.data() + r * width, width);
}

// Throws an Error that names `what` unless x has exactly this shape.
template <class AnyTensor>
void check_shape(const AnyTensor& x, std::initializer_list<std::size_t> expected,
                 const char* what) {
  const std::vector<std::size_t> got(x.shape().begin(), x.shape().end());
  const std::vector<std::size_t> want(expected);
  if (got != want) {
    throw Error(std::string(what) + ": got shape " + shape_string(got) + ", expected " +
                shape_string(want));
  }
}

}  // namespace assay::ASSAY_REFERENCE
