// SPDX-License-Identifier: Apache-2.0
// The safetensors files of a checkpoint: model.safetensors, or the shards that
// model.safetensors.index.json lists.
#pragma once

#include <filesystem>
#include <vector>

#include "reference/family/checkpoint/container.h"

namespace assay {

// Opens all of them. Each name is stored once, in the file that the index gives for it, and the
// index lists every tensor that a shard holds.
std::vector<Container> open_shards(const std::filesystem::path& directory);

}  // namespace assay
