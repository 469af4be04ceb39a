// SPDX-License-Identifier: Apache-2.0
#include "reference/model/media_encoder.h"

#include <algorithm>
#include <utility>

#include "reference/blocks/multimodal_embedder.h"
#include "reference/blocks/unified_audio_embedder.h"
#include "reference/blocks/unified_vision_embedder.h"
#include "reference/model/audio_encoder.h"
#include "reference/model/audio_preprocessor.h"
#include "reference/model/emit_values.h"
#include "reference/model/vision_encoder.h"
#include "reference/weights/load_audio_weights.h"
#include "reference/weights/load_vision_weights.h"

namespace assay::ASSAY_REFERENCE {
namespace {

[[noreturn]] void refuse_form(const char* kind, const char* expected) {
  throw Error(std::string(kind) + ": got no form that this checkpoint takes, expected " + expected);
}

}  // namespace

MediaEncoder::MediaEncoder(const Checkpoint& checkpoint, const Profile& profile,
                           const Rounding& rounding)
    : config_(checkpoint.config()),
      reader_(checkpoint,
              Rounding{.bf16_weights = rounding.bf16_weights, .f16_weights = rounding.f16_weights}),
      profile_(profile) {}

Tensor<T, D> MediaEncoder::encode(const MediaInput& item, const TapScope& tap) const {
  return item.kind == MediaKind::kAudio ? encode_audio(item, tap) : encode_image(item, tap);
}

PatchOptions MediaEncoder::patch_options(MediaKind kind, std::size_t budget) const {
  return assay::patch_options(config_, kind, budget, profile_);
}

PatchInput MediaEncoder::patches_of(const MediaInput& item, const TapScope& tap) const {
  const PatchOptions options = patch_options(item.kind, item.budget);
  if (item.patches) {
    return {*item.patches, item.positions};
  }
  if (!item.rgb) {
    refuse_form("image", "pixels or patches");
  }
  return image_preprocessor(*item.rgb, options, tap);
}

Tensor<T, D> MediaEncoder::encode_image(const MediaInput& item, const TapScope& tap) const {
  auto image = patches_of(item, tap);
  if (config_.unified_vision) {
    const auto& config = *config_.unified_vision;
    emit_patches(image, config.mm_posemb_size, tap);
    return unified_vision_embedder(load_unified_vision(reader_), load_vision_projection(reader_),
                                   config, image.patches, image.positions, tap);
  }
  const auto& config = *config_.vision;
  emit_patches(image, config.position_embedding_size, tap);
  if (item.rgb && profile_.vision_pad_mask == VisionPadMask::kAdditiveBool) {
    const auto options = patch_options(item.kind, item.budget);
    const std::size_t pool = config.pooling_kernel_size;  // padding is seen, so there must be some
    image = with_padding(std::move(image), options.budget * pool * pool);
  }
  const VisionEncoder encoder(reader_, config, profile_);
  const TapScope at = tap.under("vision.");
  const auto rows = encoder.encode(image.patches, image.positions, at);  // [n, D]
  return multimodal_embedder(rows, load_vision_projection(reader_), config.rms_norm_eps,
                             EmbedOrder::kNormThenProject, at);
}

Tensor<T, F> MediaEncoder::mel_of(const MediaInput& item, const TapScope& tap) const {
  if (item.samples) {
    auto mel = audio_preprocessor(*item.samples, profile_, tap);
    emit_mel(mel, mel_mask_frames(item.samples->size(), profile_.audio_left_pad), tap);
    return mel;
  }
  if (!item.mel) {
    refuse_form("audio", "samples or log-mel");
  }
  const std::size_t frames = item.mel->shape()[0];
  check_shape(*item.mel, {frames, kMelBins}, "audio: log-mel");
  const auto valid = item.mel_valid.empty()
                         ? frames
                         : static_cast<std::size_t>(
                               std::count(item.mel_valid.begin(), item.mel_valid.end(), true));
  if (valid == 0) {
    throw Error("audio: got no valid frame, expected at least one");
  }
  auto mel = make_tensor<T, F>({valid, kMelBins});
  std::copy_n(item.mel->begin(), mel.size(), mel.begin());
  emit_mel(mel, frames, tap);
  return mel;
}

Tensor<T, D> MediaEncoder::encode_audio(const MediaInput& item, const TapScope& tap) const {
  if (config_.unified_audio) {
    return encode_raw_audio(item, tap);
  }
  if (!config_.audio) {
    throw Error("audio: got a checkpoint that takes none, expected one with an audio encoder");
  }
  const auto& config = *config_.audio;
  const AudioEncoder encoder(reader_, config, profile_);
  const TapScope at = tap.under("audio.");
  const auto rows = encoder.encode(mel_of(item, tap), at);  // [n, output_proj_dims]
  return multimodal_embedder(rows, load_audio_projection(reader_), config.rms_norm_eps,
                             profile_.audio_embed_order, at);
}

Tensor<T, D> MediaEncoder::encode_raw_audio(const MediaInput& item, const TapScope& tap) const {
  const auto& config = *config_.unified_audio;
  Tensor<T, I> rows;
  if (item.samples) {
    auto samples = *item.samples;
    emit_values<1>(tap, "audio.samples", {samples.size()}, samples);
    rows = audio_rows(samples, config.audio_embed_dim);
  } else if (item.rows) {
    rows = *item.rows;
  } else {
    refuse_form("audio", "samples or rows of samples");
  }
  return unified_audio_embedder(config, load_audio_projection(reader_), profile_.audio_embed_order,
                                std::move(rows), tap);
}

}  // namespace assay::ASSAY_REFERENCE
