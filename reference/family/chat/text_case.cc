// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/text_case.h"

#include <algorithm>
#include <clocale>
#include <cwctype>

#include "reference/family/chat/characters.h"

namespace assay {
namespace {

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
  std::size_t end = first;  // after the last character that is no space
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
  return changed(text, [](std::string& out, std::uint32_t code) {
    if (code == 0x130) {
      out += "i\u0307";
    } else {
      append_character(out, lower(code));
    }
  });
}

std::string to_upper(std::string_view text) {
  return changed(text, [](std::string& out, std::uint32_t code) {
    if (code == 0xDF) {
      out += "SS";
    } else {
      append_character(out, upper(code));
    }
  });
}

std::vector<const std::pair<std::string, Json>*> sorted_entries(const Json::Object& mapping) {
  std::vector<std::pair<std::string, const std::pair<std::string, Json>*>> keyed;
  keyed.reserve(mapping.size());
  for (const auto& entry : mapping) {
    keyed.emplace_back(to_lower(entry.first), &entry);  // bytes of UTF-8 sort as code points do
  }
  std::ranges::stable_sort(keyed, [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const std::pair<std::string, Json>*> entries;
  entries.reserve(keyed.size());
  for (const auto& [key, entry] : keyed) {
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace assay
