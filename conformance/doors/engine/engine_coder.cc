// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/engine/engine_coder.h"

#include "conformance/doors/status_of.h"

namespace assay::conformance {

EngineCoder::EngineCoder(cpu::MediaForms& encoder, const ModelConfig& config,
                         const Profile& profile, cpu::Taps* taps)
    : encoder_(encoder), config_(config), profile_(profile), taps_(taps) {
  if (config.vision && !cpu::MediaForms::computes(profile)) {
    throw NotBuilt("vision.pad_mask=additive_bool: this engine leaves padding out");
  }
}

PatchOptions EngineCoder::patch_options(MediaKind kind, std::size_t budget) const {
  return assay::patch_options(config_, kind, budget, profile_);
}

cpu::TapScope EngineCoder::scope(std::size_t run) const {
  return {taps_, "media." + std::to_string(run) + "."};
}

MediaItem EngineCoder::encode(const RawMedia& media, std::size_t run) {
  const cpu::Rows soft = encoder_.encode(media, profile_, scope(run));
  std::vector<float> values;
  for (std::size_t r = 0; r < soft.rows; ++r) {
    values.insert(values.end(), soft.row(r), soft.row(r) + soft.columns);
  }
  return soft_item(media.kind, soft.rows, soft.columns, values);
}

void EngineCoder::emit_video(Video& video, std::size_t run) {
  const cpu::TapScope tap = scope(run);
  tap.integers("video.frame_indices",
               std::vector<std::int32_t>(video.indices.begin(), video.indices.end()));
  std::vector<float> seconds(video.seconds.begin(), video.seconds.end());
  tap("video.timestamps", {seconds.data(), seconds.size(), 1, seconds.size()}, {seconds.size()});
}

}  // namespace assay::conformance
