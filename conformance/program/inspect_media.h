// SPDX-License-Identifier: Apache-2.0
// What the model makes of a picture, a sound or a video: sizes and soft tokens in words, and the
// picture that a person would want of it.
#pragma once

#include "conformance/program/options.h"

namespace assay::program {

// Whether a file begins as a picture, sound or video that can be read.
bool is_media_file(const std::string& path);

int inspect_media(const InspectOptions& options);

}  // namespace assay::program
