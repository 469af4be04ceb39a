// SPDX-License-Identifier: Apache-2.0
// Writes a GGUF file, version 3, from front to back: keys and values, the descriptions of the
// tensors, then their bytes, each tensor at a multiple of 32 (gguf_metadata.h and gguf.h have the
// layout).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/base/new_file.h"
#include "reference/family/checkpoint/stored_tensor.h"

namespace assay {

// Keys and their values, in the order in which they are added; a key is added once.
class GgufKeys {
 public:
  void add_uint32(std::string_view key, std::uint32_t value);
  void add_int32(std::string_view key, std::int32_t value);
  void add_float32(std::string_view key, double value);  // rounded
  void add_bool(std::string_view key, bool value);
  void add_string(std::string_view key, std::string_view value);
  void add_int32s(std::string_view key, std::span<const std::int32_t> values);
  void add_float32s(std::string_view key, std::span<const float> values);
  void add_bools(std::string_view key, const std::vector<bool>& values);
  void add_strings(std::string_view key, std::span<const std::string> values);

  std::uint64_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }  // as the file has them

 private:
  void begin(std::string_view key, std::uint32_t type);
  void begin_array(std::string_view key, std::uint32_t type, std::size_t count);
  void put_string(std::string_view value);
  template <class Number>
  void put(Number value);

  std::uint64_t count_ = 0;
  std::string bytes_;
};

class GgufWriter {
 public:
  // Name, dtype and shape (row-major) of each tensor, in the order in which their bytes will come;
  // the offsets are set here. Throws Error when the file is there or cannot be written, and for a
  // dtype that GGUF does not have.
  GgufWriter(const std::filesystem::path& path, const GgufKeys& keys,
             std::vector<StoredTensor> tensors);

  // Bytes of the tensor that is next, in pieces of any size; none reaches into the one after it.
  void append(std::span<const std::byte> bytes);

  // The bytes appended must be those of all tensors. The file has its name only after publish().
  void finish();
  void publish() { file_.publish(); }

 private:
  NewFile file_;
  std::vector<StoredTensor> tensors_;
  std::size_t data_begin_ = 0;
  std::size_t next_ = 0;  // the tensor that is being written
};

}  // namespace assay
