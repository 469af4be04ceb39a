// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/audio_light_conv.h"

#include "reference/ops/clamp.h"
#include "reference/ops/clipped_linear.h"
#include "reference/ops/depthwise_conv1d.h"
#include "reference/ops/rms_norm.h"
#include "reference/ops/silu.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> audio_light_conv(const AudioLightConvWeights& w, const AudioConfig& config,
                              Tensor<T, D> residual, const TapScope& tap) {
  const double eps = config.rms_norm_eps;
  auto h = rms_norm(residual, w.pre_layer_norm, eps);  // [T, D]
  tap.whole("pre_norm", h);
  auto start = clipped_linear(h, w.linear_start);  // [T, 2D]
  tap.whole("linear_start", start);
  h = glu(start);  // [T, D]
  tap.whole("glu", h);
  h = depthwise_conv1d(h, w.depthwise_conv1d);  // [T, D]
  tap.whole("depthwise", h);
  h = rms_norm(clamp(h, config.gradient_clipping), w.conv_norm, eps);  // [T, D]
  tap.whole("conv_norm", h);
  h = silu(h);  // [T, D]
  tap.whole("act", h);
  h = clipped_linear(h, w.linear_end);  // [T, D]
  tap.whole("linear_end", h);
  residual += h;
  tap.whole("out", residual);
  return residual;
}

}  // namespace assay::ASSAY_REFERENCE
