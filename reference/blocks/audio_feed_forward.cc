// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/audio_feed_forward.h"

#include "reference/ops/clamp.h"
#include "reference/ops/clipped_linear.h"
#include "reference/ops/rms_norm.h"
#include "reference/ops/silu.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> audio_feed_forward(const AudioFeedForwardWeights& w, const AudioConfig& config,
                                Tensor<T, D> residual, const TapScope& tap) {
  constexpr double kEps = AudioConfig::kBlockNormEps;
  auto h = rms_norm(clamp(residual, config.gradient_clipping), w.pre_layer_norm, kEps);  // [T, D]
  tap.whole("pre_norm", h);
  auto up = clipped_linear(h, w.ffw_layer_1);  // [T, 4D]
  tap.whole("up", up);
  auto act = silu(up);  // [T, 4D]
  tap.whole("act", act);
  auto down = clipped_linear(act, w.ffw_layer_2);  // [T, D]
  tap.whole("down", down);
  h = rms_norm(clamp(down, config.gradient_clipping), w.post_layer_norm, kEps);  // [T, D]
  tap.whole("post_norm", h);
  residual += static_cast<Real>(config.residual_weight) * h;
  tap.whole("out", residual);
  return residual;
}

}  // namespace assay::ASSAY_REFERENCE
