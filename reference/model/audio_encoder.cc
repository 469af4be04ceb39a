// SPDX-License-Identifier: Apache-2.0
#include "reference/model/audio_encoder.h"

#include "reference/blocks/audio_subsample.h"
#include "reference/blocks/conformer_layer.h"
#include "reference/ops/linear.h"
#include "reference/ops/relative_positions.h"
#include "reference/weights/load_audio_weights.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Tensor<T, D> output_projection(const AudioOutputWeights& w, const Tensor<T, D>& h) {
  auto y = linear(h, w.output_proj);  // [T, output_proj_dims]
  for (std::size_t t = 0; t < y.shape()[0]; ++t) {
    for (std::size_t d = 0; d < y.shape()[1]; ++d) {
      y(t, d) += w.output_proj_bias(d);
    }
  }
  return y;
}

}  // namespace

AudioEncoder::AudioEncoder(const WeightReader& reader, const AudioConfig& config,
                           const Profile& profile)
    : reader_(reader), config_(config), profile_(profile) {}

Tensor<T, D> AudioEncoder::encode(const Tensor<T, F>& mel, const TapScope& tap) const {
  auto h =
      audio_subsample(load_audio_subsample(reader_), config_.rms_norm_eps, mel, tap);  // [n, D]

  const std::size_t distances = config_.attention_context_left;
  AudioWindow window{profile_.audio_window_keys == AudioWindowKeys::k12 ? distances - 1 : distances,
                     relative_positions(distances, config_.hidden_size)};
  tap.whole("rel_pos_table", window.rel_pos_table);
  for (std::size_t i = 0; i < config_.num_hidden_layers; ++i) {
    h = conformer_layer(load_conformer_layer(reader_, config_, i), config_, window, std::move(h),
                        tap.under("layer." + std::to_string(i) + "."));  // [n, D]
  }

  h = output_projection(load_audio_output(reader_), h);  // [n, output_proj_dims]
  tap.whole("output_proj", h);
  tap.whole("tower_out", h);  // all frames are valid: no row to leave out
  return h;
}

}  // namespace assay::ASSAY_REFERENCE
