// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/call_words.h"
#include "reference/family/base/python_number.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <unordered_map>
#include <utility>

namespace assay {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
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

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == ':' || c == '-';
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

Json number_value(std::string_view text) {
  const bool negative = text[0] == '-';
  if (text.find_first_of(".eE") == std::string_view::npos) {
    const std::size_t first = std::min(text.find_first_not_of('0', negative ? 1 : 0), text.size());
    const std::string digits(text.substr(first));
    if (!digits.empty()) {
      return Json(Json::Number{(negative ? "-" : "") + digits});
    }
    return Json(Json::Number{negative ? "-0.0" : "0"});
  }
  double value = 0;
  const auto [end, state] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (state != std::errc()) {  // out of a double's range: kept as what was said
    return Json(std::string(text));
  }
  return Json(Json::Number{python_number(value)});
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

Json::Object without_repeats(Json::Object&& pairs) {
  Json::Object kept;
  std::unordered_map<std::string, std::size_t> positions;
  for (auto& [key, value] : pairs) {
    const auto [position, is_new] = positions.emplace(key, kept.size());
    if (is_new) {
      kept.emplace_back(key, std::move(value));
    } else {
      kept[position->second].second = std::move(value);
    }
  }
  return kept;
}

}  // namespace assay
