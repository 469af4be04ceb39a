// SPDX-License-Identifier: Apache-2.0
// Writes one safetensors file from front to back; the tensors' bytes come in pieces of any size.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "reference/family/base/descriptor.h"
#include "reference/family/checkpoint/stored_tensor.h"

namespace assay {

class SafetensorsWriter {
 public:
  // Name, dtype and shape of each tensor, in the order in which their bytes will come; the offsets
  // are set here. The file must not exist yet. Throws Error when the system cannot write.
  SafetensorsWriter(const std::filesystem::path& path, std::vector<StoredTensor> tensors);

  void append(std::span<const std::byte> bytes);

  // Closes the file; the bytes appended must be those of the header.
  void finish();

 private:
  void write(std::span<const std::byte> bytes);
  [[noreturn]] void fail() const;

  std::string path_;
  Descriptor file_;
  std::size_t expected_ = 0;  // bytes of the data section
  std::size_t appended_ = 0;
};

}  // namespace assay
