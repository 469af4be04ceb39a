// SPDX-License-Identifier: Apache-2.0
#include "reference/prompt/text_case.h"

#include <algorithm>
#include <clocale>
#include <cstddef>
#include <cstdint>
#include <cwctype>

namespace assay {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
};

// Of well-formed UTF-8, which all text here is: it came through a JSON parser.
Character character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) {
    return {first, 1};
  }
  if (first < 0xE0) {
    return {(first & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  }
  if (first < 0xF0) {
    return {(first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  }
  return {(first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F),
          4};
}

void append(std::string& text, std::uint32_t code) {
  const auto put = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

// Python's str.isspace.
bool is_space(std::uint32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 ||
         code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

// The tables of the C library for Unicode, whatever the user's locale is.
locale_t unicode() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

template <class Change>
std::string changed(std::string_view text, Change change) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    change(out, c.code);
    at += c.bytes;
  }
  return out;
}

std::uint32_t ascii_or(std::uint32_t code, wint_t other, char from, char to, int shift) {
  if (code >= 0x80) {
    return static_cast<std::uint32_t>(other);
  }
  const bool letter =
      code >= static_cast<unsigned char>(from) && code <= static_cast<unsigned char>(to);
  return letter ? static_cast<std::uint32_t>(static_cast<int>(code) + shift) : code;
}

std::uint32_t lower(std::uint32_t code) {
  const wint_t other =
      unicode() == nullptr ? static_cast<wint_t>(code) : towlower_l(code, unicode());
  return ascii_or(code, other, 'A', 'Z', 'a' - 'A');
}

std::uint32_t upper(std::uint32_t code) {
  const wint_t other =
      unicode() == nullptr ? static_cast<wint_t>(code) : towupper_l(code, unicode());
  return ascii_or(code, other, 'a', 'z', 'A' - 'a');
}

}  // namespace

std::string_view trim(std::string_view text) {
  std::size_t first = 0;
  while (first < text.size()) {
    const Character c = character_at(text, first);
    if (!is_space(c.code)) {
      break;
    }
    first += c.bytes;
  }
  std::size_t end = first;  // behind the last character that is no space
  for (std::size_t at = first; at < text.size();) {
    const Character c = character_at(text, at);
    at += c.bytes;
    if (!is_space(c.code)) {
      end = std::min(at, text.size());
    }
  }
  return text.substr(first, end - first);
}

std::string to_lower(std::string_view text) {
  return changed(text, [](std::string& out, std::uint32_t code) { append(out, lower(code)); });
}

std::string to_upper(std::string_view text) {
  return changed(text, [](std::string& out, std::uint32_t code) {
    if (code == 0xDF) {
      out += "SS";
    } else {
      append(out, upper(code));
    }
  });
}

std::vector<const std::pair<std::string, Value>*> sorted_entries(const Value::Mapping& mapping) {
  std::vector<std::pair<std::string, const std::pair<std::string, Value>*>> keyed;
  keyed.reserve(mapping.size());
  for (const auto& entry : mapping) {
    keyed.emplace_back(to_lower(entry.first), &entry);  // bytes of UTF-8 sort as code points do
  }
  std::ranges::stable_sort(keyed, [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const std::pair<std::string, Value>*> entries;
  entries.reserve(keyed.size());
  for (const auto& [key, entry] : keyed) {
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace assay
