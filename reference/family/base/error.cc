// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/error.h"

namespace assay {

std::string shape_string(std::span<const std::size_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLimit = 120;
  std::size_t end = text.size() > kLimit ? kLimit : text.size();
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) {
    --end;  // a character of UTF-8 stays whole
  }
  std::string out(text.substr(0, end));
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      c = '?';
    }
  }
  return text.size() > kLimit ? out + "..." : out;
}

}  // namespace assay
