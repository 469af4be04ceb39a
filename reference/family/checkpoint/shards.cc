// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/shards.h"

#include <map>
#include <string>

#include "reference/family/base/directory.h"
#include "reference/family/base/error.h"
#include "reference/family/base/json_object.h"

namespace assay {
namespace {

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr std::size_t kMaxIndexBytes = 16u << 20;
constexpr std::size_t kMaxShards = 4096;

using WeightMap = std::map<std::string, std::string>;  // tensor -> file

WeightMap read_weight_map(const std::filesystem::path& directory) {
  const Json document = parse_json_file(file_inside(directory, kIndex), kIndex, kMaxIndexBytes);
  const JsonObject map = JsonObject(&document, kIndex, "").object("weight_map");
  WeightMap result;
  for (const auto& [tensor, file] : map.value().object()) {
    if (!file.is_string()) {
      map.fail(tensor, "a string");
    }
    result[tensor] = file.string();
  }
  if (result.empty()) {
    throw Error(std::string(kIndex) + ": weight_map: got an empty object, expected tensors");
  }
  return result;
}

std::map<std::string, Container> open_files(const std::filesystem::path& directory,
                                            const WeightMap& weight_map) {
  std::map<std::string, Container> files;
  for (const auto& [tensor, file] : weight_map) {
    if (files.contains(file)) {
      continue;
    }
    if (files.size() == kMaxShards) {
      throw Error(std::string(kIndex) + ": weight_map: got more than " +
                  std::to_string(kMaxShards) + " files, expected fewer");
    }
    files.emplace(file, Container::open(file_inside(directory, file), file));
  }
  return files;
}

void check_listed(const WeightMap& weight_map, const std::map<std::string, Container>& files) {
  for (const auto& [tensor, file] : weight_map) {
    if (files.at(file).find(tensor) == nullptr) {
      throw Error(printable(file) + ": " + printable(tensor) +
                  ": got nothing, expected the tensor that " + kIndex + " lists");
    }
  }
  for (const auto& [file, shard] : files) {
    for (const StoredTensor& tensor : shard.tensors()) {
      const auto entry = weight_map.find(tensor.name);
      if (entry == weight_map.end() || entry->second != file) {
        throw Error(printable(file) + ": " + printable(tensor.name) + ": got a tensor that " +
                    kIndex +
                    (entry == weight_map.end()
                         ? std::string(" does not list, expected only listed ones")
                         : " also finds in " + printable(entry->second) + ", expected it once"));
      }
    }
  }
}

}  // namespace

std::vector<Container> open_shards(const std::filesystem::path& directory) {
  std::vector<Container> shards;
  if (std::filesystem::exists(directory / kSingle) ||
      !std::filesystem::exists(directory / kIndex)) {
    shards.push_back(Container::open(file_inside(directory, kSingle), kSingle));
    return shards;
  }
  const WeightMap weight_map = read_weight_map(directory);
  auto files = open_files(directory, weight_map);
  check_listed(weight_map, files);
  for (auto& [file, shard] : files) {
    shards.push_back(std::move(shard));
  }
  return shards;
}

}  // namespace assay
