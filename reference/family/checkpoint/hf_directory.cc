// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/hf_directory.h"

#include "reference/family/checkpoint/shards.h"
#include "reference/family/config/load_config.h"

namespace assay {

CheckpointFiles open_hf_directory(const std::filesystem::path& directory) {
  CheckpointFiles files;
  files.config = load_config(directory);
  files.containers = open_shards(directory);
  for (const Container& shard : files.containers) {
    for (const StoredTensor& tensor : shard.tensors()) {
      files.weights.emplace(tensor.name, stored_weight(shard, tensor));
    }
  }
  const std::string file =
      files.containers.size() == 1 ? files.containers[0].label() : "model.safetensors.index.json";
  files.place_of = [file](std::string_view name) { return file + ": " + std::string(name); };
  return files;
}

}  // namespace assay
