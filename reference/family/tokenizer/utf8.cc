// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/utf8.h"

#include "reference/family/base/error.h"

namespace assay {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool continues(unsigned byte) {
  return byte >= 0x80 && byte <= 0xBF;
}

// What the first byte announces; 0 for bytes that start nothing.
std::size_t announced_length(unsigned first) {
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return 2;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    return 3;
  }
  return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

// Overlong forms, surrogates and values past the last plane show in the second byte.
bool second_byte_fits(unsigned first, unsigned second) {
  switch (first) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return continues(second);
  }
}

// Whether text[at, end) is a proper beginning of a scalar value of `length` bytes.
bool begins(std::string_view text, std::size_t at, std::size_t end) {
  if (end - at >= 2 && !second_byte_fits(byte_at(text, at), byte_at(text, at + 1))) {
    return false;
  }
  for (std::size_t i = at + 2; i < end; ++i) {
    if (!continues(byte_at(text, i))) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
  if (at >= text.size()) {
    return 0;
  }
  const std::size_t length = announced_length(byte_at(text, at));
  return length != 0 && length <= text.size() - at && begins(text, at, at + length) ? length : 0;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      return false;
    }
    at += length;
  }
  return true;
}

void check_utf8(std::string_view text, const std::string& what) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      constexpr char kHex[] = "0123456789abcdef";
      const unsigned byte = byte_at(text, at);
      throw Error(what + ": byte " + std::to_string(at) + ": got 0x" + kHex[byte >> 4] +
                  kHex[byte & 15] + ", expected UTF-8");
    }
    at += length;
  }
}

}  // namespace assay
