// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/call_words.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <unordered_map>
#include <utility>

#include "reference/family/base/python_number.h"
#include "reference/family/chat/characters.h"

namespace assay {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == ':' || c == '-';
}

// Beyond ASCII: what is no white space, no control and none of the punctuation that East Asian
// text has in place of ASCII's.
bool is_letter_of_a_script(std::uint32_t code) {
  const bool punctuation =
      (code >= 0x2010 && code <= 0x206F) || (code >= 0x3000 && code <= 0x303F) ||
      (code >= 0xFF01 && code <= 0xFF0F) || (code >= 0xFF1A && code <= 0xFF20) ||
      (code >= 0xFF3B && code <= 0xFF40) || (code >= 0xFF5B && code <= 0xFF65);
  return !punctuation && !is_space(code) && is_printable(code);
}

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

std::string with_literals(std::string_view body) {
  std::string text;
  for (const char c : body) {
    if (c == kDelimiterByte) {
      text += "<|\"|>";
    } else {
      text += c;
    }
  }
  return text;
}

std::size_t name_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] != kDelimiterByte) {
    const Character c = character_at(text, at);
    if (c.code < 0x80 ? !is_name_character(text[at]) : !is_letter_of_a_script(c.code)) {
      break;
    }
    at += c.bytes;
  }
  return at;
}

std::string_view without_space(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

bool is_plain_key(std::string_view key) {
  return !key.empty() && !is_quoted(key) &&
         key.find_first_of(":,{}\xFF") == std::string_view::npos &&
         without_space(key).size() == key.size();
}

bool is_number(std::string_view text) {
  std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  const auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && is_digit(text[at])) {
      ++at;
    }
    return at > first;
  };
  if (!digits()) {
    return false;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) {
      return false;
    }
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    at += at < text.size() && (text[at] == '+' || text[at] == '-') ? 1 : 0;
    if (!digits()) {
      return false;
    }
  }
  return at == text.size();
}

NumberReading read_number(std::string_view text, const DeclaredTypes& types) {
  const std::size_t first = text[0] == '-' ? 1 : 0;
  const auto changed = [text](std::string printed) {
    const bool same = printed == text;
    return NumberReading{Json(Json::Number{std::move(printed)}),
                         same ? NumberForm::kAsWritten : NumberForm::kRespelled};
  };
  const bool zeros = text[first] == '0' && first + 1 < text.size() && is_digit(text[first + 1]);
  if (zeros && !types.numbers_only()) {
    return {Json(std::string(text)), NumberForm::kText};
  }
  if (text.find_first_of(".eE") == std::string_view::npos) {
    const std::size_t digits = std::min(text.find_first_not_of('0', first), text.size() - 1);
    if (text[digits] != '0') {
      return changed(std::string(text.substr(0, first)) + std::string(text.substr(digits)));
    }
    return changed(first == 1 && !types.integers_only() ? "-0.0" : "0");
  }
  double value = 0;
  const auto [end, state] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (state != std::errc()) {  // out of a double's range: kept as what was said
    return {Json(std::string(text)), NumberForm::kText};
  }
  return changed(python_number(value));
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && text.front() == text.back() &&
         (text.front() == '"' || text.front() == '\'' || text.front() == '`');
}

bool holds_a_pair(std::string_view text) {
  bool in_name = false;
  char before = 'x';
  for (const char c : text) {
    if (in_name && c == ':') {
      return true;
    }
    const bool begins = (before == ' ' || before == '\n' || before == '\t') && begins_name(c);
    in_name = begins || (in_name && (begins_name(c) || is_digit(c)));
    before = c;
  }
  return false;
}

Json::Object without_repeats(Json::Object&& pairs, bool& repeated) {
  Json::Object kept;
  std::unordered_map<std::string, std::size_t> positions;
  for (auto& [key, value] : pairs) {
    const auto [position, is_new] = positions.emplace(key, kept.size());
    if (is_new) {
      kept.emplace_back(key, std::move(value));
    } else {
      kept[position->second].second = std::move(value);
      repeated = true;
    }
  }
  return kept;
}

}  // namespace assay
