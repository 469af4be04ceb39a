// SPDX-License-Identifier: Apache-2.0
// Media of a case or a prompt through an implementation's own encoders: which item fills which
// placeholders, the same for every door.
//
// In a case a rawer item than soft-token embeddings fills a whole run of placeholders of its type;
// a video one run for each frame. An image without a budget gets the checkpoint's, and if that
// makes another number of soft tokens than there are placeholders, the one of the five budgets that
// makes as many. In a prompt an item has one placeholder, which is expanded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "conformance/doors/media_forms.h"
#include "conformance/interface/session.h"
#include "reference/family/preprocess/image_patches.h"

namespace assay::conformance {

// The encoders of an implementation.
class MediaCoder {
 public:
  virtual ~MediaCoder() = default;
  // How the checkpoint cuts images; throws Error when it takes none.
  virtual PatchOptions patch_options(MediaKind kind, std::size_t budget) const = 0;
  // The item as soft-token embeddings. Its taps come below "media.{run}.".
  virtual MediaItem encode(const RawMedia& media, std::size_t run) = 0;
  // Which frames were taken: taps video.* below "media.{run}.", the first frame's run.
  virtual void emit_video(Video& /*video*/, std::size_t /*run*/) {}
};

// [rows, width] as an item.
template <class Values>
MediaItem soft_item(MediaKind kind, std::size_t rows, std::size_t width, const Values& values) {
  MediaItem item;
  item.kind = kind;
  item.rows = rows;
  item.width = width;
  item.values.assign(values.begin(), values.end());
  return item;
}

// The case with soft-token embeddings in place of every rawer item, frames in place of videos.
// `types` are those of the case's tokens. Throws NotBuilt for a video that this build cannot read,
// and Error when rows and placeholders are not equally many, naming the item.
CaseInput encode_media(const CaseInput& input, const std::vector<std::int32_t>& types,
                       const ProcessorConfig& processor, MediaCoder& coder);

// The prompt with its placeholders expanded, and soft-token embeddings for them.
CaseInput expand_prompt(const PromptRequest& prompt, const ModelConfig& config, MediaCoder& coder);

}  // namespace assay::conformance
