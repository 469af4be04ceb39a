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

namespace {

Tensor<R, I> rounded_rows(Tensor<R, I> x, const ActivationScales& scales) {
  const std::size_t inputs = x.shape()[1];
  for (std::size_t r = 0; r < x.shape()[0]; ++r) {
    round_input(scales.stored, scales.half_way, row(x, r, inputs).data(), inputs);
  }
  return x;
}

// Of each block of 32: [R, I / 32].
Tensor<R, I> sum_errors(const Tensor<R, I>& x, HalfWay half_way) {
  const std::size_t inputs = x.shape()[1];
  auto errors = make_tensor<R, I>({x.shape()[0], inputs / 32});
  for (std::size_t r = 0; r < x.shape()[0]; ++r) {
    block_sum_errors(half_way, row(x, r, inputs).data(), inputs,
                     row(errors, r, inputs / 32).data());
  }
  return errors;
}

}  // namespace

Tensor<R, O> linear(const Tensor<R, I>& x, const Tensor<O, I>& weight, ActivationScales scales) {
  if (scales.stored != InputRounding::kNone) {
    return linear(rounded_rows(x, scales), weight);
  }
  if (scales.input == Real(0) && scales.output == Real(0)) {
    return linear(x, weight);
  }
  const auto y = linear(fake_quantize(x, scales.input), weight);  // [R, O]
  return fake_quantize(y, scales.output);
}

Tensor<R, O> linear(const Tensor<R, I>& x, const LinearWeights& w) {
  auto y = linear(x, w.weight, w.activation);  // [R, O]
  if (w.minima.size() > 0) {
    y += linear(sum_errors(x, w.activation.half_way), w.minima);
  }
  return y;
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
