// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/shards.h"

#include <map>
#include <string>
#include <utility>

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

WeightMap read_weight_map(const std::filesystem::path& directory, const std::string& index) {
  const Json document = parse_json_file(file_inside(directory, index), index, kMaxIndexBytes);
  const JsonObject map = JsonObject(&document, index, "").object("weight_map");
  WeightMap result;
  for (const auto& [tensor, file] : map.value().object()) {
    if (!file.is_string()) {
      map.fail(tensor, "a string");
    }
    result[tensor] = file.string();
  }
  if (result.empty()) {
    throw Error(index + ": weight_map: got an empty object, expected tensors");
  }
  return result;
}

std::map<std::string, Container> open_files(const std::filesystem::path& directory,
                                            const WeightMap& weight_map, const std::string& index) {
  std::map<std::string, Container> files;
  for (const auto& [tensor, file] : weight_map) {
    if (files.contains(file)) {
      continue;
    }
    if (files.size() == kMaxShards) {
      throw Error(index + ": weight_map: got more than " + std::to_string(kMaxShards) +
                  " files, expected fewer");
    }
    files.emplace(file, Container::open(file_inside(directory, file), file));
  }
  return files;
}

// The first place where the index does not say what the files hold.
std::vector<std::string> wrong_places(const WeightMap& weight_map,
                                      const std::map<std::string, Container>& files,
                                      const std::string& index) {
  for (const auto& [tensor, file] : weight_map) {
    if (files.at(file).find(tensor) == nullptr) {
      return {index + ": " + printable(tensor) + ": got " + printable(file) +
              ", expected a file that has it"};
    }
  }
  for (const auto& [file, shard] : files) {
    for (const StoredTensor& tensor : shard.tensors()) {
      if (!weight_map.contains(tensor.name)) {
        return {index + ": got no entry, expected one for " + printable(tensor.name) + " of " +
                printable(file)};
      }
    }
  }
  return {};
}

Shards open_indexed(const std::filesystem::path& directory, const std::string& index) {
  const WeightMap weight_map = read_weight_map(directory, index);
  auto files = open_files(directory, weight_map, index);
  Shards shards;
  shards.notes = wrong_places(weight_map, files, index);
  for (auto& [file, shard] : files) {
    shards.files.push_back(std::move(shard));
  }
  shards.label = shards.files.size() == 1 ? shards.files[0].label() : index;
  return shards;
}

}  // namespace

Shards open_shards(const std::filesystem::path& directory, const std::string& weights_file) {
  const bool indexed =
      !std::filesystem::exists(directory / kSingle) && std::filesystem::exists(directory / kIndex);
  const std::string name = !weights_file.empty() ? weights_file : indexed ? kIndex : kSingle;
  if (name.ends_with(".index.json")) {
    return open_indexed(directory, name);
  }
  Shards shards;
  shards.files.push_back(Container::open(file_inside(directory, name), name));
  shards.label = name;
  return shards;
}

}  // namespace assay
