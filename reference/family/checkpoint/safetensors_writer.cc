// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/safetensors_writer.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/base/json_library.h"

namespace assay {
namespace {

std::string describe_tensor(const StoredTensor& tensor) {
  std::string text = json_quote(tensor.name);
  text += ":{\"dtype\":\"";
  text += dtype_name(tensor.dtype);
  text += "\",\"shape\":" + shape_string(tensor.shape);
  text += ",\"data_offsets\":" + shape_string(std::array{tensor.begin, tensor.end});
  text += '}';
  return text;
}

std::string describe_tensors(const std::vector<StoredTensor>& tensors) {
  std::string header = "{\"__metadata__\":{\"format\":\"pt\"}";
  for (const StoredTensor& tensor : tensors) {
    header += ',';
    header += describe_tensor(tensor);
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');  // the data section begins aligned
  return header;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path,
                                     std::vector<StoredTensor> tensors)
    : path_(path.string()),
      file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
  if (file_.number() < 0) {
    fail();
  }
  for (StoredTensor& tensor : tensors) {
    tensor.begin = expected_;
    expected_ += tensor_bytes(tensor);
    tensor.end = expected_;
  }
  const std::string header = describe_tensors(tensors);
  std::array<unsigned char, 8> length = {};
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<unsigned char>(std::uint64_t{header.size()} >> (8 * i));
  }
  write(std::as_bytes(std::span(length)));
  write(std::as_bytes(std::span(header)));
}

void SafetensorsWriter::append(std::span<const std::byte> bytes) {
  write(bytes);
  appended_ += bytes.size();
}

void SafetensorsWriter::finish() {
  if (appended_ != expected_) {
    throw Error(path_ + ": data section: got " + std::to_string(appended_) + " bytes, expected " +
                std::to_string(expected_));
  }
  if (!file_.close()) {
    fail();
  }
}

void SafetensorsWriter::write(std::span<const std::byte> bytes) {
  if (!file_.write(bytes)) {
    fail();
  }
}

void SafetensorsWriter::fail() const {
  throw Error(path_ + ": got \"" + std::strerror(errno) + "\", expected to write the file");
}

}  // namespace assay
