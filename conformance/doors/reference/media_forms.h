// SPDX-License-Identifier: Apache-2.0
// One item of a case, but for videos, in the form in which the reference's encoders take it. Files
// are decoded here.
#pragma once

#include <string>

#include "conformance/interface/implementation.h"
#include "reference/model/media_encoder.h"

namespace assay::ASSAY_REFERENCE {

// Throws conformance::NotBuilt when videos cannot be read.
void check_video_support(const std::string& name);

// `name` is the item's in messages. Throws Error when there is not exactly one form, when its shape
// is none, and for a file that cannot be decoded. An audio clip may be the audio track of a video
// file.
MediaInput input_of(const conformance::MediaItem& item, const std::string& name);

}  // namespace assay::ASSAY_REFERENCE
