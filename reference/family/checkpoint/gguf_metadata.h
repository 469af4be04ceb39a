// SPDX-License-Identifier: Apache-2.0
// The head of a GGUF file, little-endian, versions 2 and 3:
//
//   "GGUF"   u32 version   u64 tensors   u64 keys
//   keys x   string key, u32 type, value
//   tensors  gguf.h
//
//   string   u64 length, bytes               array   u32 type, u64 count, values
//
// Every key and value is checked against the file's end before it is read; an array says how many
// values it has before memory is taken for them. Keys are unique. Source: ggml/docs/gguf.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

enum class GgufType : std::uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

// Points into the file.
struct GgufValue {
  GgufType type = GgufType::kUint8;
  std::span<const std::byte> bytes;     // as stored: of a string and an array with what leads them
  GgufType element = GgufType::kUint8;  // of an array
  std::uint64_t count = 1;              // values; of an array its elements
};

class GgufMetadata {
 public:
  // `bytes`: of the whole file, which must outlive this. `label` is the file's name in messages.
  GgufMetadata(std::span<const std::byte> bytes, const std::string& label);

  std::uint64_t num_tensors() const { return num_tensors_; }
  std::size_t end() const { return end_; }  // the byte after the last value

  // In name order; they point into the file.
  std::vector<std::string_view> keys() const;

  // Null when absent.
  const GgufValue* find(std::string_view key) const;

  // The integer of any width that `key` names, or `fallback` where it is absent.
  std::uint64_t integer_or(std::string_view key, std::uint64_t fallback) const;
  std::uint64_t integer(std::string_view key) const;

  // The non-negative integers or booleans of an array; a number by itself is an array of one.
  std::vector<std::uint64_t> integers(std::string_view key, std::size_t most) const;

  // A number of any type. Of a 32-bit float the shortest decimal that rounds to it: the float
  // nearest to 1e-6 stands for 1e-6.
  double number(std::string_view key) const;
  double number_or(std::string_view key, double fallback) const;

  std::string text(std::string_view key) const;

  // The strings of an array, at most `most`. Throws when it is absent, or something else.
  std::vector<std::string> strings(std::string_view key, std::size_t most) const;

  // "model.gguf: key: got …, expected …"
  [[noreturn]] void fail(std::string_view key, const std::string& got,
                         const std::string& expected) const;

 private:
  const GgufValue& at(std::string_view key, const char* expected) const;

  std::string label_;
  std::uint64_t num_tensors_ = 0;
  std::size_t end_ = 0;
  std::map<std::string_view, GgufValue> values_;
};

}  // namespace assay
