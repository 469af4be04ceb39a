// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <unordered_set>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/byte_reader.h"
#include "reference/family/checkpoint/ggml_blocks.h"
#include "reference/family/checkpoint/gguf_metadata.h"

namespace assay {
namespace {

constexpr std::size_t kMaxAxes = 4;                       // ggml's own limit
constexpr std::size_t kLeastTensorBytes = 8 + 4 + 4 + 8;  // of a description
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kMaxAlignment = 1u << 20;

std::size_t read_alignment(const GgufMetadata& metadata, const std::string& label) {
  const std::uint64_t alignment = metadata.integer_or("general.alignment", kDefaultAlignment);
  if (!std::has_single_bit(alignment) || alignment > kMaxAlignment) {
    throw Error(label + ": general.alignment: got " + std::to_string(alignment) +
                ", expected a power of two of at most " + std::to_string(kMaxAlignment));
  }
  return alignment;
}

DType read_dtype(ByteReader& reader, const std::string& where) {
  const auto number = reader.number<std::uint32_t>(where + "type");
  const auto dtype = dtype_from_ggml(number);
  if (!dtype) {
    throw Error(reader.source() + ": " + where + "type: got " + ggml_type_name(number) +
                ", expected that of one of " +
                dtype_names([](const DTypeInfo& row) { return row.ggml_type >= 0; }));
  }
  return *dtype;
}

StoredTensor read_tensor(ByteReader& reader) {
  StoredTensor tensor;
  const auto length = reader.number<std::uint64_t>("length of a tensor's name");
  tensor.name = reader.text(length, "a tensor's name");
  const std::string where = printable(tensor.name) + ": ";
  const auto axes = reader.number<std::uint32_t>(where + "number of axes");
  if (axes > kMaxAxes) {
    throw Error(reader.source() + ": " + where + "number of axes: got " + std::to_string(axes) +
                ", expected at most " + std::to_string(kMaxAxes));
  }
  for (std::uint32_t axis = 0; axis < axes; ++axis) {
    tensor.shape.push_back(reader.number<std::uint64_t>(where + "an extent"));
  }
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  tensor.dtype = read_dtype(reader, where);
  tensor.begin = reader.number<std::uint64_t>(where + "offset");
  return tensor;
}

void place_tensor(StoredTensor& tensor, std::size_t alignment, std::size_t data_bytes,
                  const std::string& label) {
  const std::string place = label + ": " + printable(tensor.name) + ": ";
  const TensorSize size = tensor_size(tensor.dtype, tensor.shape, place);
  tensor.elements = size.elements;
  if (tensor.begin % alignment != 0) {
    throw Error(place + "offset: got " + std::to_string(tensor.begin) +
                ", expected a multiple of the alignment " + std::to_string(alignment));
  }
  if (tensor.begin > data_bytes || size.bytes > data_bytes - tensor.begin) {
    throw Error(place + "offset: got " + std::to_string(size.bytes) + " bytes from byte " +
                std::to_string(tensor.begin) + ", expected a range within the " +
                std::to_string(data_bytes) + " bytes of the data section");
  }
  tensor.end = tensor.begin + size.bytes;
}

void check_overlaps(const std::vector<StoredTensor>& tensors, const std::string& label) {
  std::vector<const StoredTensor*> order;
  order.reserve(tensors.size());
  for (const StoredTensor& tensor : tensors) {
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](const StoredTensor* a, const StoredTensor* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i]->begin < order[i - 1]->end) {
      throw Error(label + ": " + printable(order[i]->name) + ": offset: got " +
                  std::to_string(order[i]->begin) + " (an overlap), expected at least " +
                  std::to_string(order[i - 1]->end) + ", the end of " +
                  printable(order[i - 1]->name));
    }
  }
}

}  // namespace

bool is_gguf(std::span<const std::byte> bytes) {
  constexpr std::string_view kMagic = "GGUF";
  return bytes.size() >= kMagic.size() &&
         std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

ContainerLayout parse_gguf(std::span<const std::byte> bytes, const std::string& label) {
  const GgufMetadata metadata(bytes, label);
  const std::size_t alignment = read_alignment(metadata, label);
  ByteReader reader(bytes, label, metadata.end());
  if (metadata.num_tensors() > reader.left() / kLeastTensorBytes) {
    throw Error(label + ": number of tensors: got " + std::to_string(metadata.num_tensors()) +
                ", expected at most " + std::to_string(reader.left() / kLeastTensorBytes) +
                ", no more than the file holds");
  }
  ContainerLayout layout;
  std::unordered_set<std::string> names;
  for (std::uint64_t i = 0; i < metadata.num_tensors(); ++i) {
    layout.tensors.push_back(read_tensor(reader));
    if (!names.insert(layout.tensors.back().name).second) {
      throw Error(label + ": " + printable(layout.tensors.back().name) +
                  ": got the name twice, expected it once");
    }
  }
  // A file without tensors may end before the data section begins.
  const std::size_t begin = (reader.at() + alignment - 1) / alignment * alignment;
  layout.data_begin = std::min(begin, bytes.size());
  for (StoredTensor& tensor : layout.tensors) {
    place_tensor(tensor, alignment, bytes.size() - layout.data_begin, label);
  }
  check_overlaps(layout.tensors, label);
  return layout;
}

}  // namespace assay
