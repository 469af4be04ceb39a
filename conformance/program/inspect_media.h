// SPDX-License-Identifier: Apache-2.0
// What the model makes of an image, an audio clip or a video: sizes and soft tokens in words, and
// the image that a person would want of it.
#pragma once

#include "conformance/program/options.h"

namespace assay::program {

// Whether a file begins as an image, audio or video that can be read.
bool is_media_file(const std::string& path);

// Throws Error for an image, audio or video of a kind that is not read.
void refuse_media_not_read(const std::string& path);

int inspect_media(const InspectOptions& options);

}  // namespace assay::program
