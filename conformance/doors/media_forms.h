// SPDX-License-Identifier: Apache-2.0
// One item of a case in the form in which preprocessing and encoders take it: the same for every
// door. Files are decoded here, by decode_media.
#pragma once

#include <string>

#include "conformance/interface/case.h"
#include "reference/family/config/config.h"
#include "reference/family/media/media_file.h"
#include "reference/family/preprocess/raw_media.h"

namespace assay::conformance {

// Whether an item is not soft-token embeddings already.
bool is_raw(const MediaItem& item);

// The frames of a video item, by the rate or as many as it says, or else the checkpoint. Throws
// NotBuilt when this build cannot read videos.
Video video_of(const MediaItem& item, const std::string& name, const ProcessorConfig& processor);

// One of them, as preprocessing takes it.
RawMedia frame_input(const MediaItem& video, Image frame);

// `name` is the item's in messages. Throws Error when there is not exactly one form, when its shape
// is none, and for a file that cannot be decoded. An audio clip may be the audio track of a video
// file.
RawMedia input_of(const MediaItem& item, const std::string& name);

}  // namespace assay::conformance
