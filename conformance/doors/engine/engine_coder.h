// SPDX-License-Identifier: Apache-2.0
// The encoders of an engine of optimized/, as the doors' shared code for media calls them.
#pragma once

#include "conformance/doors/media_items.h"
#include "optimized/engine/media_encoder.h"
#include "optimized/engine/taps.h"

namespace assay::conformance {

class EngineCoder : public MediaCoder {
 public:
  // Keeps the references. `taps`: null where nobody listens. Throws NotBuilt for a choice of the
  // profile that the engine does not compute.
  EngineCoder(cpu::MediaForms& encoder, const ModelConfig& config, const Profile& profile,
              cpu::Taps* taps);

  PatchOptions patch_options(MediaKind kind, std::size_t budget) const override;
  MediaItem encode(const RawMedia& media, std::size_t run) override;
  void emit_video(Video& video, std::size_t run) override;

 private:
  cpu::TapScope scope(std::size_t run) const;

  cpu::MediaForms& encoder_;
  const ModelConfig& config_;
  Profile profile_;
  cpu::Taps* taps_;
};

}  // namespace assay::conformance
