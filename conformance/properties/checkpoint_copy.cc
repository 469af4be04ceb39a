// SPDX-License-Identifier: Apache-2.0
#include "conformance/properties/checkpoint_copy.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <regex>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/container.h"
#include "reference/family/checkpoint/safetensors_writer.h"

namespace assay::conformance {
namespace {

namespace fs = std::filesystem;

fs::path fresh_directory() {
  static int count = 0;
  const std::string name =
      "assay-cases-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
  fs::path path = fs::temp_directory_path() / name;
  fs::create_directories(path);
  return path;
}

void copy_tensors(const fs::path& from, const fs::path& to, const CheckpointCopy::Edit& edit) {
  const Container source = Container::open(from);
  SafetensorsWriter writer(to, source.tensors());
  for (const StoredTensor& tensor : source.tensors()) {
    const auto stored = source.bytes(tensor);
    std::vector<std::byte> bytes(stored.begin(), stored.end());
    if (is_floating(tensor.dtype)) {
      std::vector<float> values(tensor.elements);
      widen(tensor.dtype, bytes, 0, values.size(), values.data());
      edit(tensor.name, tensor.shape, values);
      narrow(tensor.dtype, values, bytes.data());
    }
    writer.append(bytes);
  }
  writer.finish();
}

void copy_config(const fs::path& from, const fs::path& to, const std::string& eps) {
  std::ifstream file(from);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::regex line("\"rms_norm_eps\": [^,\n]*");
  if (!std::regex_search(text, line)) {
    throw Error(from.string() + ": got no rms_norm_eps, expected one");
  }
  std::ofstream(to) << std::regex_replace(text, line, "\"rms_norm_eps\": " + eps);
}

}  // namespace

CheckpointCopy::CheckpointCopy(const std::string& original, const std::string& eps,
                               const Edit& edit)
    : path_(fresh_directory()) {
  for (const auto& entry : fs::directory_iterator(original)) {
    const fs::path to = path_ / entry.path().filename();
    if (entry.path().extension() == ".safetensors") {
      copy_tensors(entry.path(), to, edit);
    } else if (!eps.empty() && entry.path().filename() == "config.json") {
      copy_config(entry.path(), to, eps);
    } else {
      fs::copy_file(entry.path(), to);
    }
  }
}

CheckpointCopy::~CheckpointCopy() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace assay::conformance
