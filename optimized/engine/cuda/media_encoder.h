// SPDX-License-Identifier: Apache-2.0
// One item of media to the soft-token embeddings that take the place of its placeholder tokens, by
// encoders on a device. Forms and preprocessing are those of the CPU engine.
#pragma once

#include <memory>

#include "optimized/engine/cuda/audio_encoder.h"
#include "optimized/engine/cuda/vision_encoder.h"
#include "optimized/engine/media_encoder.h"

namespace assay::cuda {

class MediaEncoder : public cpu::MediaForms {
 public:
  // Keeps references to both.
  MediaEncoder(const Checkpoint& checkpoint, Stream& stream)
      : MediaForms(checkpoint), stream_(stream) {}

 protected:
  cpu::Rows vision(const cpu::ImagePatches& image, const cpu::TapScope& tap) override;
  cpu::Rows audio(const cpu::Rows& mel, const Profile& profile, const cpu::TapScope& tap) override;
  cpu::Rows unified_vision(const cpu::ImagePatches& image, const cpu::TapScope& tap) override;
  cpu::Rows unified_audio(const cpu::Rows& rows, EmbedOrder order,
                          const cpu::TapScope& tap) override;

 private:
  Stream& stream_;
  cpu::Threads threads_{1};  // that read weights
  std::unique_ptr<VisionEncoder> vision_;
  std::unique_ptr<AudioEncoder> audio_;
  std::unique_ptr<UnifiedVisionEmbedder> unified_vision_;
  std::unique_ptr<UnifiedAudioEmbedder> unified_audio_;
};

}  // namespace assay::cuda
