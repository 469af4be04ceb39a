// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/shards.h"

#include <map>
#include <string>
#include <system_error>
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

struct OtherWeights {
  const char* file;
  const char* got;
  const char* expected;
};

constexpr OtherWeights kOtherWeights[] = {
    {"adapter_config.json", "an adapter", "the model that it is merged into"},
    {"pytorch_model.bin", "pickled tensors", "safetensors, as save_pretrained writes them"},
    {"pytorch_model.bin.index.json", "pickled tensors",
     "safetensors, as save_pretrained writes them"},
    {"tf_model.h5", "weights of TensorFlow", "safetensors, as save_pretrained writes them"},
    {"flax_model.msgpack", "weights of Flax", "safetensors, as save_pretrained writes them"},
};

// A directory without the file that transformers would open: what there is instead.
void refuse_other_weights(const std::filesystem::path& directory) {
  for (const OtherWeights& other : kOtherWeights) {
    if (std::filesystem::exists(directory / other.file)) {
      throw Error(std::string(other.file) + ": got " + other.got + ", expected " + other.expected);
    }
  }
  std::error_code problem;
  std::string first;
  for (const auto& entry : std::filesystem::directory_iterator(directory, problem)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".safetensors") && (first.empty() || name < first)) {
      first = name;
    }
  }
  if (!first.empty()) {
    throw Error(printable(first) + ": got weights of another name, expected " + kSingle + " or " +
                kIndex + " beside it");
  }
}

}  // namespace

Shards open_shards(const std::filesystem::path& directory, const std::string& weights_file) {
  const bool indexed =
      !std::filesystem::exists(directory / kSingle) && std::filesystem::exists(directory / kIndex);
  if (weights_file.empty() && !indexed && !std::filesystem::exists(directory / kSingle)) {
    refuse_other_weights(directory);
  }
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
