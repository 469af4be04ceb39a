// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/unified_audio_embedder.h"

#include <algorithm>

#include "reference/blocks/multimodal_embedder.h"
#include "reference/family/base/error.h"
#include "reference/family/preprocess/samples.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, I> audio_rows(std::span<const float> samples, std::size_t width) {
  check_finite(samples);
  if (width == 0) {
    throw Error("audio_rows: width: got 0, expected at least one sample a row");
  }
  auto rows = make_tensor<T, I>({(samples.size() + width - 1) / width, width});
  std::transform(samples.begin(), samples.end(), rows.begin(),
                 [](float sample) { return static_cast<Real>(sample); });
  return rows;
}

Tensor<T, D> unified_audio_embedder(const UnifiedAudioConfig& config,
                                    const Tensor<O, I>& projection, EmbedOrder order,
                                    Tensor<T, I> rows, const TapScope& tap) {
  if (rows.shape()[0] == 0 || rows.shape()[1] != config.audio_embed_dim) {
    throw Error("unified_audio_embedder: rows: got shape [" + std::to_string(rows.shape()[0]) +
                ", " + std::to_string(rows.shape()[1]) + "], expected [1 or more, " +
                std::to_string(config.audio_embed_dim) + "]");
  }
  tap.whole("unified.audio.frames", rows);
  return multimodal_embedder(rows, projection, config.rms_norm_eps, order, tap.under("audio."));
}

}  // namespace assay::ASSAY_REFERENCE
