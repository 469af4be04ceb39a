// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/hf_directory.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/hugging_face_names.h"
#include "reference/family/checkpoint/quantised_forms.h"
#include "reference/family/checkpoint/shards.h"
#include "reference/family/checkpoint/tensor_parts.h"
#include "reference/family/config/load_config.h"

namespace assay {

namespace {

std::vector<std::string> names_of(const std::vector<Container>& files) {
  std::vector<std::string> names;
  for (const Container& file : files) {
    for (const StoredTensor& tensor : file.tensors()) {
      names.push_back(tensor.name);
    }
  }
  return names;
}

bool is_same(const TensorPart& a, const TensorPart& b) {
  return a.tensor->dtype == b.tensor->dtype && a.tensor->shape == b.tensor->shape &&
         std::ranges::equal(a.file->bytes(*a.tensor), b.file->bytes(*b.tensor));
}

// Of two names for one tensor transformers takes either, and says nothing.
void check_second(const TensorPart& first, const TensorPart& second) {
  if (!is_same(first, second)) {
    throw Error(second.place() + ": got other values than " + first.place() +
                ", expected the tensor once");
  }
}

TensorParts parts_of(const std::vector<Container>& files, const HuggingFaceNames& names) {
  TensorParts parts;
  for (const Container& file : files) {
    for (const StoredTensor& tensor : file.tensors()) {
      const std::string name = names.canonical(tensor.name);
      if (names.is_ignored(name)) {
        continue;
      }
      const TensorPart part{&file, &tensor};
      const auto [entry, is_new] = parts.emplace(name, part);
      if (!is_new) {
        check_second(entry->second, part);
      }
    }
  }
  return parts;
}

// A config whose type is narrower than a stored matrix: transformers rounds it as it loads.
void note_narrow_dtype(const std::string& dtype, const TensorParts& parts,
                       std::vector<std::string>& notes) {
  if (dtype != "bfloat16" && dtype != "float16") {
    return;
  }
  for (const auto& [name, part] : parts) {
    const DType stored = part.tensor->dtype;
    if (part.tensor->shape.size() > 1 && (stored == DType::kF32 || stored == DType::kF64)) {
      notes.push_back("config.json: dtype: got " + dtype + ", expected a type that holds the " +
                      std::string(dtype_name(stored)) + " of " + printable(name) +
                      ": it is taken as stored");
      return;
    }
  }
}

}  // namespace

CheckpointFiles open_hf_directory(const std::filesystem::path& directory) {
  CheckpointFiles files;
  files.config = load_config(directory);
  files.notes = files.config.notes;
  Shards shards = open_shards(directory, files.config.weights_file);
  files.notes.insert(files.notes.end(), shards.notes.begin(), shards.notes.end());
  files.containers = std::move(shards.files);
  take_text_names(names_of(files.containers), files.config);
  TensorParts parts = parts_of(files.containers, HuggingFaceNames(files.config));
  take_quantised_weights(files.config, parts, files.weights, files.notes);
  note_narrow_dtype(files.config.dtype, parts, files.notes);
  for (const auto& [name, part] : parts) {
    files.weights.emplace(name, stored_weight(*part.file, *part.tensor));
  }
  files.place_of = [file = shards.label](std::string_view name) {
    return file + ": " + std::string(name);
  };
  return files;
}

}  // namespace assay
