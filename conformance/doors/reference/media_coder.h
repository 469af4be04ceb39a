// SPDX-License-Identifier: Apache-2.0
// The reference's encoders, as the doors' shared code for media calls them.
#pragma once

#include "conformance/doors/media_items.h"
#include "reference/core/taps.h"
#include "reference/model/media_encoder.h"

namespace assay::ASSAY_REFERENCE {

class ReferenceCoder : public conformance::MediaCoder {
 public:
  // Keeps references to both.
  ReferenceCoder(const MediaEncoder& encoder, Taps& taps) : encoder_(encoder), taps_(taps) {}

  PatchOptions patch_options(MediaKind kind, std::size_t budget) const override {
    return encoder_.patch_options(kind, budget);
  }
  conformance::MediaItem encode(const RawMedia& media, std::size_t run) override;
  void emit_video(Video& video, std::size_t run) override;

 private:
  TapScope scope(std::size_t run) const { return {taps_, "media." + std::to_string(run) + "."}; }

  const MediaEncoder& encoder_;
  Taps& taps_;
};

}  // namespace assay::ASSAY_REFERENCE
