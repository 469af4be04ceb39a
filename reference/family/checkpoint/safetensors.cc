// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/safetensors_header.h"

namespace assay {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

std::uint64_t header_length(std::span<const std::byte> bytes, const std::string& label) {
  if (bytes.size() < kLengthBytes) {
    throw Error(label + ": got " + std::to_string(bytes.size()) +
                " bytes, expected at least the 8 of a safetensors header's length");
  }
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    length = length << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  const std::uint64_t most = std::min<std::uint64_t>(bytes.size() - kLengthBytes, kMaxHeaderBytes);
  if (length > most) {
    throw Error(label + ": header length: got " + std::to_string(length) + ", expected at most " +
                std::to_string(most));
  }
  return length;
}

std::string range_string(const StoredTensor& tensor) {
  return shape_string(std::array{tensor.begin, tensor.end});
}

void check_tensor(StoredTensor& tensor, std::size_t data_bytes, const std::string& label) {
  const std::string place = label + ": " + printable(tensor.name) + ": ";
  const TensorSize size = tensor_size(tensor.dtype, tensor.shape, place);
  tensor.elements = size.elements;
  if (tensor.end < tensor.begin || tensor.end > data_bytes) {
    throw Error(place + "data_offsets: got " + range_string(tensor) +
                ", expected a range within the " + std::to_string(data_bytes) +
                " bytes of the data section");
  }
  if (tensor.end - tensor.begin != size.bytes) {
    throw Error(place + "data_offsets: got " + std::to_string(tensor.end - tensor.begin) +
                " bytes, expected " + std::to_string(size.bytes) + " for " +
                std::string(dtype_name(tensor.dtype)) + " " + shape_string(tensor.shape));
  }
}

// The ranges, in file order, must follow each other from the first byte to the last.
void check_tiling(const std::vector<StoredTensor>& tensors, std::size_t data_bytes,
                  const std::string& label) {
  std::vector<const StoredTensor*> order;
  order.reserve(tensors.size());
  for (const StoredTensor& tensor : tensors) {
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](const StoredTensor* a, const StoredTensor* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::size_t cursor = 0;
  for (const StoredTensor* tensor : order) {
    if (tensor->begin != cursor) {
      throw Error(label + ": " + printable(tensor->name) + ": data_offsets: got " +
                  range_string(*tensor) + (tensor->begin < cursor ? " (an overlap)" : " (a gap)") +
                  ", expected a begin of " + std::to_string(cursor));
    }
    cursor = tensor->end;
  }
  if (cursor != data_bytes) {
    throw Error(label + ": data section: got " + std::to_string(data_bytes) + " bytes, expected " +
                std::to_string(cursor) + " by the header");
  }
}

}  // namespace

ContainerLayout parse_safetensors(std::span<const std::byte> bytes, const std::string& label) {
  const auto length = static_cast<std::size_t>(header_length(bytes, label));
  const auto* text = reinterpret_cast<const char*>(bytes.data()) + kLengthBytes;
  ContainerLayout layout{kLengthBytes + length, parse_safetensors_header({text, length}, label)};

  std::sort(layout.tensors.begin(), layout.tensors.end(),
            [](const StoredTensor& a, const StoredTensor& b) { return a.name < b.name; });
  const std::size_t data_bytes = bytes.size() - layout.data_begin;
  for (StoredTensor& tensor : layout.tensors) {
    check_tensor(tensor, data_bytes, label);
  }
  check_tiling(layout.tensors, data_bytes, label);
  return layout;
}

}  // namespace assay
