// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/per_layer_input.h"

#include <algorithm>
#include <cmath>

#include "reference/blocks/embedder.h"
#include "reference/ops/gelu.h"
#include "reference/ops/linear.h"
#include "reference/ops/rms_norm.h"

namespace assay::ASSAY_REFERENCE {
namespace {

// The same values read as [T, L, P] (packing is layer-major) and back.
Tensor<T, L, P> split_layers(const Tensor<T, D>& flat, std::size_t layers) {
  auto split = make_tensor<T, L, P>({flat.shape()[0], layers, flat.shape()[1] / layers});
  std::copy(flat.begin(), flat.end(), split.begin());
  return split;
}

}  // namespace

Tensor<T, L, P> per_layer_inputs(const WeightReader& reader, const TextConfig& config,
                                 std::vector<std::int32_t> ple_ids, const Tensor<T, D>& h0,
                                 bool bf16_scales, const TapScope& tap) {
  const std::size_t layers = config.num_hidden_layers();
  const std::size_t width = config.hidden_size_per_layer_input;

  IntTensor<T> ids = IntTensor<T>::from_shape({ple_ids.size()});
  std::copy(ple_ids.begin(), ple_ids.end(), ids.begin());
  tap("ple.ids", ids);
  std::copy(ids.begin(), ids.end(), ple_ids.begin());

  const auto rows = embedding_rows(reader, "embed_tokens_per_layer.weight", ple_ids);
  auto token = split_layers(rows, layers);  // [T, L, P]
  token *= embedding_scale(width, bf16_scales);
  tap("ple.token", token);

  const auto projection = linear(h0, reader.linear("per_layer_model_projection"));
  auto proj = split_layers(projection, layers);  // [T, L, P]
  tap("ple.proj", proj);

  const Real root_width = std::sqrt(static_cast<Real>(config.hidden_size));
  const Tensor<T, L, P> scaled = proj / root_width;
  auto ctx = rms_norm_heads(scaled, reader.vector("per_layer_projection_norm.weight"),
                            config.rms_norm_eps);  // [T, L, P], the norm over P
  tap("ple.ctx", ctx);

  const Real half_root = std::sqrt(Real(0.5));
  Tensor<T, L, P> in = (ctx + token) * half_root;
  tap("ple.in", in);
  return in;
}

Tensor<T, P> per_layer_slice(const Tensor<T, L, P>& in, std::size_t layer) {
  const std::size_t rows = in.shape()[0];
  const std::size_t layers = in.shape()[1];
  const std::size_t width = in.shape()[2];
  auto slice = make_tensor<T, P>({rows, width});
  for (std::size_t t = 0; t < rows; ++t) {
    const auto from = row(in, t * layers + layer, width);
    std::copy(from.begin(), from.end(), row(slice, t, width).begin());
  }
  return slice;
}

Tensor<T, D> per_layer_input_block(const PerLayerInputWeights& w, const Tensor<T, D>& h,
                                   const Tensor<T, P>& in, double eps, const TapScope& tap) {
  auto gate = linear(h, w.per_layer_input_gate);  // [T, P]
  tap("gate", gate);
  Tensor<T, P> product = gelu(gate, w.gelu) * in;  // [T, P]
  tap("mul", product);
  auto proj = linear(product, w.per_layer_projection);  // [T, D]
  tap("proj", proj);
  auto norm = rms_norm(proj, w.post_per_layer_input_norm, eps);  // [T, D]
  tap("norm", norm);
  Tensor<T, D> residual = h + norm;
  tap("residual", residual);
  return residual;
}

}  // namespace assay::ASSAY_REFERENCE
