// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/conv2d.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr std::size_t kKernel = 3;
constexpr std::size_t kStride = 2;
constexpr std::size_t kPadding = 1;  // on all four sides

// The kernel of output o laid on x, its corner at padded point (2t, 2f).
Real window_product(const Tensor<I, T, F>& x, const Tensor<O, I, J, J>& weight, std::size_t o,
                    std::size_t t, std::size_t f) {
  const auto [inputs, times, frequencies] = x.shape();
  Real sum = 0;
  for (std::size_t i = 0; i < inputs; ++i) {
    for (std::size_t a = 0; a < kKernel; ++a) {
      for (std::size_t b = 0; b < kKernel; ++b) {
        const std::size_t time = kStride * t + a;  // still with the padding
        const std::size_t frequency = kStride * f + b;
        const bool inside = time >= kPadding && time < times + kPadding && frequency >= kPadding &&
                            frequency < frequencies + kPadding;
        sum += inside ? weight(o, i, a, b) * x(i, time - kPadding, frequency - kPadding) : Real(0);
      }
    }
  }
  return sum;
}

}  // namespace

Tensor<O, T, F> conv2d(const Tensor<I, T, F>& x, const Tensor<O, I, J, J>& weight) {
  const std::size_t outputs = weight.shape()[0];
  check_shape(weight, {outputs, x.shape()[0], kKernel, kKernel}, "conv2d: weight");
  const std::size_t times = (x.shape()[1] + kStride - 1) / kStride;
  const std::size_t frequencies = (x.shape()[2] + kStride - 1) / kStride;

  auto y = make_tensor<O, T, F>({outputs, times, frequencies});
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t t = 0; t < times; ++t) {
      for (std::size_t f = 0; f < frequencies; ++f) {
        y(o, t, f) = window_product(x, weight, o, t, f);
      }
    }
  }
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
