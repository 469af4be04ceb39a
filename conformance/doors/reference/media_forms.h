// SPDX-License-Identifier: Apache-2.0
// One item of a case in the form in which the reference's encoders take it. Files are decoded here,
// by decode_media.
#pragma once

#include <string>

#include "conformance/interface/implementation.h"
#include "reference/family/media/media_file.h"
#include "reference/model/media_encoder.h"

namespace assay::ASSAY_REFERENCE {

// The frames of a video item, by the rate or as many as it says, or else the checkpoint. Throws
// conformance::NotBuilt when this build cannot read videos.
Video video_of(const conformance::MediaItem& item, const std::string& name,
               const ProcessorConfig& processor);

// One of them, as the encoders take it.
MediaInput frame_input(const conformance::MediaItem& video, Image frame);

// `name` is the item's in messages. Throws Error when there is not exactly one form, when its shape
// is none, and for a file that cannot be decoded. An audio clip may be the audio track of a video
// file.
MediaInput input_of(const conformance::MediaItem& item, const std::string& name);

}  // namespace assay::ASSAY_REFERENCE
