// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/container.h"

#include <algorithm>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/base/file_kind.h"
#include "reference/family/checkpoint/gguf.h"
#include "reference/family/checkpoint/safetensors.h"

namespace assay {
namespace {

struct Format {
  bool (*matches)(std::span<const std::byte> bytes);
  ContainerLayout (*parse)(std::span<const std::byte> bytes, const std::string& label);
};

// safetensors has no mark of its own; as the length of its header, GGUF's would be far too large.
constexpr Format kFormats[] = {
    {is_gguf, parse_gguf},
    {[](std::span<const std::byte>) { return true; }, parse_safetensors},
};

bool by_name(const StoredTensor& a, const StoredTensor& b) {
  return a.name < b.name;
}

}  // namespace

Container::Container(MappedFile file, std::string label, ContainerLayout layout)
    : file_(std::move(file)), label_(std::move(label)), layout_(std::move(layout)) {
  std::sort(layout_.tensors.begin(), layout_.tensors.end(), by_name);
}

Container Container::open(const std::filesystem::path& path, std::string_view label) {
  std::string name = label.empty() ? path.filename().string() : std::string(label);
  MappedFile file = MappedFile::open(path, name);
  refuse_other_kinds(file.bytes(), name, "safetensors or GGUF", {"safetensors", "GGUF"});
  const auto* const format =
      std::find_if(std::begin(kFormats), std::end(kFormats),
                   [&](const Format& candidate) { return candidate.matches(file.bytes()); });
  ContainerLayout layout = format->parse(file.bytes(), name);
  return {std::move(file), std::move(name), std::move(layout)};
}

const StoredTensor* Container::find(std::string_view name) const {
  const auto found = std::lower_bound(
      tensors().begin(), tensors().end(), name,
      [](const StoredTensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return found != tensors().end() && found->name == name ? &*found : nullptr;
}

std::span<const std::byte> Container::bytes(const StoredTensor& tensor) const {
  return file_.bytes().subspan(layout_.data_begin + tensor.begin, tensor.end - tensor.begin);
}

std::vector<double> Container::read(std::string_view name) const {
  const StoredTensor* tensor = find(name);
  if (tensor == nullptr) {
    throw Error(label_ + ": " + printable(name) + ": got nothing, expected a tensor");
  }
  std::vector<double> values(tensor->elements);
  read(*tensor, 0, tensor->elements, values.data());
  return values;
}

void Container::release(const StoredTensor& tensor) const {
  file_.release(layout_.data_begin + tensor.begin, tensor.end - tensor.begin);
}

void Container::check_range(const StoredTensor& tensor, std::size_t first,
                            std::size_t count) const {
  if (first > tensor.elements || count > tensor.elements - first) {
    throw Error(label_ + ": " + printable(tensor.name) + ": got a read of " +
                std::to_string(count) + " elements from element " + std::to_string(first) +
                ", expected a range within its " + std::to_string(tensor.elements));
  }
}

}  // namespace assay
