// SPDX-License-Identifier: Apache-2.0
// Little-endian fields of an untrusted file, each checked against what is left of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "reference/family/base/error.h"

namespace assay {

class ByteReader {
 public:
  // From byte `at` on, which is at most their number.
  ByteReader(std::span<const std::byte> bytes, std::string source, std::size_t at = 0)
      : bytes_(bytes), source_(std::move(source)), at_(at) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }
  const std::string& source() const { return source_; }

  // A number of the file's byte order, which is little-endian as is every machine we build for.
  template <class Number>
  Number number(std::string_view what) {
    static_assert(std::is_trivially_copyable_v<Number>);
    Number value;
    std::memcpy(&value, take(sizeof(Number), what).data(), sizeof(Number));
    return value;
  }

  std::string_view text(std::size_t size, std::string_view what) {
    const auto bytes = take(size, what);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes to characters
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  std::span<const std::byte> take(std::size_t size, std::string_view what) {
    if (size > left()) {
      throw Error(source_ + ": " + std::string(what) + ": got " + std::to_string(left()) +
                  " bytes, expected at least " + std::to_string(size) + " (byte " +
                  std::to_string(at_) + ")");
    }
    const auto bytes = bytes_.subspan(at_, size);
    at_ += size;
    return bytes;
  }

 private:
  std::span<const std::byte> bytes_;
  std::string source_;
  std::size_t at_;
};

}  // namespace assay
