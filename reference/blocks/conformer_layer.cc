// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/conformer_layer.h"

#include <utility>

#include "reference/blocks/audio_feed_forward.h"
#include "reference/blocks/audio_light_conv.h"
#include "reference/ops/clamp.h"
#include "reference/ops/rms_norm.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> conformer_layer(const ConformerLayerWeights& w, const AudioConfig& config,
                             const AudioWindow& window, Tensor<T, D> residual,
                             const TapScope& tap) {
  constexpr double kEps = AudioConfig::kBlockNormEps;
  const double limit = config.gradient_clipping;

  // 1. Half a feed-forward
  residual = audio_feed_forward(w.feed_forward1, config, std::move(residual), tap.under("ffn1."));

  // 2. Attention
  auto h = rms_norm(clamp(residual, limit), w.norm_pre_attn, kEps);  // [T, D]
  tap.whole("attn.pre_norm", h);
  h = audio_attention(w.self_attn, config, window, h, tap.under("attn."));  // [T, D]
  h = rms_norm(clamp(h, limit), w.norm_post_attn, kEps);                    // [T, D]
  tap.whole("attn.post_norm", h);
  residual += h;
  tap.whole("attn.residual", residual);

  // 3. Convolution
  residual = audio_light_conv(w.lconv1d, config, std::move(residual), tap.under("lconv."));

  // 4. The other half
  residual = audio_feed_forward(w.feed_forward2, config, std::move(residual), tap.under("ffn2."));

  auto out = rms_norm(clamp(residual, limit), w.norm_out, kEps);  // [T, D]
  tap.whole("out", out);
  return out;
}

}  // namespace assay::ASSAY_REFERENCE
