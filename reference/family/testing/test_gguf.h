// SPDX-License-Identifier: Apache-2.0
// For tests: GGUF files, well-formed or not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay {

// A GGUF file, field by field.
class GgufFile {
 public:
  explicit GgufFile(std::uint64_t keys, std::uint32_t version = 3, std::uint64_t tensors = 0) {
    text_ = "GGUF";
    number(version);
    number(tensors);
    number(keys);
  }

  template <class Number>
  GgufFile& number(Number value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      text_ += static_cast<char>(value >> (8 * i) & 0xFF);
    }
    return *this;
  }
  GgufFile& string(const std::string& value) {
    number(std::uint64_t{value.size()});
    text_ += value;
    return *this;
  }
  GgufFile& key(const std::string& name, std::uint32_t type) { return string(name).number(type); }
  GgufFile& array(std::uint32_t type, std::uint64_t count) { return number(type).number(count); }
  GgufFile& strings(const std::string& name, const std::vector<std::string>& values) {
    key(name, kArray).array(kString, values.size());
    for (const std::string& value : values) {
      string(value);
    }
    return *this;
  }
  // The description of a tensor; `extents`, the fastest first.
  GgufFile& tensor(const std::string& name, const std::vector<std::uint64_t>& extents,
                   std::uint32_t type, std::uint64_t offset) {
    string(name).number(static_cast<std::uint32_t>(extents.size()));
    for (const std::uint64_t extent : extents) {
      number(extent);
    }
    return number(type).number(offset);
  }
  GgufFile& pad(std::size_t alignment) {
    text_.resize((text_.size() + alignment - 1) / alignment * alignment);
    return *this;
  }
  GgufFile& bytes(const std::string& data) {
    text_ += data;
    return *this;
  }
  const std::string& text() const { return text_; }

  static constexpr std::uint32_t kUint8 = 0;
  static constexpr std::uint32_t kInt8 = 1;
  static constexpr std::uint32_t kUint32 = 4;
  static constexpr std::uint32_t kFloat32 = 6;
  static constexpr std::uint32_t kString = 8;
  static constexpr std::uint32_t kArray = 9;
  static constexpr std::uint32_t kUint64 = 10;

 private:
  std::string text_;
};

}  // namespace assay
