// SPDX-License-Identifier: Apache-2.0
// The safetensors files of a checkpoint: model.safetensors, or those of
// model.safetensors.index.json, or what the config's transformers_weights names, a file of either
// kind.
//
// An index says which files there are. As in transformers, each of them is read whole, whatever the
// index says about the places of single tensors; where it is wrong, a note says so.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reference/family/checkpoint/container.h"

namespace assay {

struct Shards {
  std::vector<Container> files;  // in name order
  std::string label;             // of the file, or of the index
  std::vector<std::string> notes;
};

// `weights_file`: transformers_weights of the config, or empty.
Shards open_shards(const std::filesystem::path& directory, const std::string& weights_file = {});

}  // namespace assay
