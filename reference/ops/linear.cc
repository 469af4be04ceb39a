// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/linear.h"

#include <algorithm>

#include <xtensor-blas/xlinalg.hpp>

#include "reference/ops/fake_quantize.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, O> linear(const Tensor<R, I>& x, const Tensor<O, I>& weight) {
  const std::size_t rows = x.shape()[0];
  const std::size_t inputs = x.shape()[1];
  const std::size_t outputs = weight.shape()[0];
  check_shape(weight, {outputs, inputs}, "linear: weight");
  if (rows == 0 || outputs == 0) {
    return make_tensor<R, O>({rows, outputs});
  }
  if (rows == 1) {
    Tensor<I> only_row = Tensor<I>::from_shape({inputs});
    std::copy(x.begin(), x.end(), only_row.begin());
    const Tensor<O> product = xt::linalg::dot(weight, only_row);
    auto y = make_tensor<R, O>({1, outputs});
    std::copy(product.begin(), product.end(), y.begin());
    return y;
  }
  return xt::linalg::dot(x, xt::transpose(weight));  // [R, I] x [I, O]
}

Tensor<R, O> linear(const Tensor<R, I>& x, const Tensor<O, I>& weight, ActivationScales scales) {
  if (scales.input == Real(0) && scales.output == Real(0)) {
    return linear(x, weight);
  }
  const auto y = linear(fake_quantize(x, scales.input), weight);  // [R, O]
  return fake_quantize(y, scales.output);
}

Tensor<R, O> linear(const Tensor<R, I>& x, const LinearWeights& w) {
  return linear(x, w.weight, w.activation);
}

Tensor<T, N, H> linear_heads(const Tensor<T, D>& x, const LinearWeights& w, std::size_t heads) {
  const auto flat = linear(x, w);  // [T, N*H]
  const std::size_t width = flat.shape()[1];
  if (heads == 0 || width % heads != 0) {
    throw Error("linear_heads: got " + std::to_string(width) + " outputs, expected a multiple of " +
                std::to_string(heads) + " heads");
  }
  auto split = make_tensor<T, N, H>({flat.shape()[0], heads, width / heads});
  std::copy(flat.begin(), flat.end(), split.begin());
  return split;
}

}  // namespace assay::ASSAY_REFERENCE
