// SPDX-License-Identifier: Apache-2.0
// What a form of checkpoint finds in its files, before it is matched with the config.
//
//   form                                        opened by
//   a Hugging Face directory, safetensors       hf_directory.h
//   files in GGUF                               gguf_checkpoint.h
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/checkpoint/weight_source.h"
#include "reference/family/config/config.h"

namespace assay {

struct CheckpointFiles {
  ModelConfig config;
  std::vector<Container> containers;

  // Every weight, under its full Hugging Face name ("model.language_model.norm.weight"); what the
  // form cannot name stands under the file's name. They point into the containers.
  std::map<std::string, std::unique_ptr<WeightSource>, std::less<>> weights;

  // "model.safetensors: model.norm.weight", where a weight of that Hugging Face name would be.
  std::function<std::string(std::string_view name)> place_of;

  // What a user should hear of: keys that the config has and nobody reads, and so on.
  std::vector<std::string> notes;
};

// In whichever form `checkpoint` is.
CheckpointFiles open_checkpoint_files(const std::filesystem::path& checkpoint);

// The config alone; of a directory its config.json, whatever else is there.
ModelConfig read_model_config(const std::filesystem::path& checkpoint);

}  // namespace assay
