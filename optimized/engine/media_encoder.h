// SPDX-License-Identifier: Apache-2.0
// One item of media to the soft-token embeddings that take the place of its placeholder tokens.
//
//   image   -> patches -> vision encoder -> soft [n, D]
//   samples -> log-mel -> audio encoder  -> soft [n, D]
//   12B: patches and samples go to embedders without an encoder
//
// Preprocessing is the family's (reference/family/preprocess). Weights of an encoder are packed
// when it is needed first, and stay.  Spec: multimodal 2 to 5, RI-1, RI-6 to RI-10, RA-1, RA-8 to
// RA-10, RX-3.
#pragma once

#include <memory>

#include "optimized/engine/audio_encoder.h"
#include "optimized/engine/unified_embedders.h"
#include "optimized/engine/vision_encoder.h"
#include "reference/family/config/profile.h"
#include "reference/family/preprocess/raw_media.h"

namespace assay::cpu {

// Items in the forms that encoders take; what encodes them is somebody else's.
class MediaForms {
 public:
  // Keeps the reference.
  explicit MediaForms(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}
  MediaForms(const MediaForms&) = delete;
  MediaForms& operator=(const MediaForms&) = delete;
  virtual ~MediaForms() = default;

  // The soft-token embeddings [n, D], in memory that holds until the next call. Throws Error when
  // the checkpoint has no encoder for the kind, when the form does not fit, when the item makes no
  // soft token, and for a choice of the profile that is not computed here (computes()). Taps
  // image.*, vision.*, audio.* and unified.* below `tap` ("media.0.").
  Rows encode(const RawMedia& item, const Profile& profile, const TapScope& tap);

  // False: padding that attention sees (DIV-M02).
  static bool computes(const Profile& profile) {
    return profile.vision_pad_mask == VisionPadMask::kExclude;
  }

 protected:
  const Checkpoint& checkpoint() const { return checkpoint_; }
  // Each returns soft-token embeddings in memory that holds until the next call.
  virtual Rows vision(const ImagePatches& image, const TapScope& tap) = 0;
  virtual Rows audio(const Rows& mel, const Profile& profile, const TapScope& tap) = 0;
  virtual Rows unified_vision(const ImagePatches& image, const TapScope& tap) = 0;
  virtual Rows unified_audio(const Rows& rows, EmbedOrder order, const TapScope& tap) = 0;

 private:
  Rows encode_image(const RawMedia& item, const Profile& profile, const TapScope& tap);
  Rows encode_audio(const RawMedia& item, const Profile& profile, const TapScope& tap);
  Rows encode_raw_audio(const RawMedia& item, const Profile& profile, const TapScope& tap);

  const Checkpoint& checkpoint_;
};

class MediaEncoder : public MediaForms {
 public:
  // Keeps references to both.
  MediaEncoder(const Checkpoint& checkpoint, const Threads& threads)
      : MediaForms(checkpoint), threads_(threads) {}

 protected:
  Rows vision(const ImagePatches& image, const TapScope& tap) override;
  Rows audio(const Rows& mel, const Profile& profile, const TapScope& tap) override;
  Rows unified_vision(const ImagePatches& image, const TapScope& tap) override;
  Rows unified_audio(const Rows& rows, EmbedOrder order, const TapScope& tap) override;

 private:
  const Threads& threads_;
  std::unique_ptr<VisionEncoder> vision_;
  std::unique_ptr<AudioEncoder> audio_;
  std::unique_ptr<UnifiedVisionEmbedder> unified_vision_;
  std::unique_ptr<UnifiedAudioEmbedder> unified_audio_;
};

}  // namespace assay::cpu
