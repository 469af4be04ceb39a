// SPDX-License-Identifier: Apache-2.0
// A released Hugging Face directory: config.json and the safetensors files of its tensors.
#pragma once

#include <filesystem>

#include "reference/family/checkpoint/checkpoint_files.h"

namespace assay {

CheckpointFiles open_hf_directory(const std::filesystem::path& directory);

}  // namespace assay
