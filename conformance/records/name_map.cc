// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/name_map.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr std::uintmax_t kMaxBytes = 1 << 20;

constexpr std::array<std::string_view, 5> kPlaceholders = {"{i}", "{s}", "{j}", "{r}", "{k}"};

// The placeholder at the beginning of text, or "".
std::string_view placeholder_at(std::string_view text) {
  const auto found = std::ranges::find_if(
      kPlaceholders, [&](std::string_view placeholder) { return text.starts_with(placeholder); });
  return found == kPlaceholders.end() ? std::string_view() : *found;
}

std::size_t leading_digits(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, [](char c) { return c >= '0' && c <= '9'; });
  return static_cast<std::size_t>(end - text.begin());
}

using Numbers = std::vector<std::pair<std::string_view, std::string>>;

// The numbers that make `name` out of `pattern`, or nothing.
std::optional<Numbers> match(std::string_view pattern, std::string_view name) {
  Numbers numbers;
  while (!pattern.empty()) {
    const std::string_view placeholder = placeholder_at(pattern);
    if (placeholder.empty()) {
      if (name.empty() || name.front() != pattern.front()) {
        return std::nullopt;
      }
      pattern.remove_prefix(1);
      name.remove_prefix(1);
      continue;
    }
    const std::size_t digits = leading_digits(name);
    if (digits == 0) {
      return std::nullopt;
    }
    numbers.emplace_back(placeholder, name.substr(0, digits));
    pattern.remove_prefix(placeholder.size());
    name.remove_prefix(digits);
  }
  return name.empty() ? std::optional(numbers) : std::nullopt;
}

std::string filled(std::string_view pattern, const Numbers& numbers) {
  std::string text(pattern);
  for (const auto& [placeholder, number] : numbers) {
    const std::size_t at = text.find(placeholder);
    if (at != std::string::npos) {
      text.replace(at, placeholder.size(), number);
    }
  }
  return text;
}

std::string trimmed(const std::string& text) {
  const char* blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  const std::size_t last = text.find_last_not_of(blanks);
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

// What `how` may say, as in assay_dump.py. The last four leave an array what it is: its order in
// memory, and whose it is.
constexpr std::array<std::string_view, 24> kWords = {
    "arg",  "axis", "beside", "blocks", "columns", "flat",  "half", "heads_first",
    "if",   "item", "items",  "joined", "keys",    "last",  "mask", "of",
    "real", "row",  "shared", "sizes",  "square",  "stack", "swap", "whole"};
constexpr std::array<std::string_view, 4> kHarmlessWords = {"beside", "flat", "last", "of"};

using Cells = std::vector<std::string>;

// A # at the beginning of a line or after a blank.
std::string without_comment(const std::string& line) {
  for (std::size_t at = line.find('#'); at != std::string::npos; at = line.find('#', at + 1)) {
    if (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') {
      return line.substr(0, at);
    }
  }
  return line;
}

Cells cells_of(const std::string& line) {
  Cells cells;
  std::istringstream text(line + ",");
  for (std::string cell; std::getline(text, cell, ',');) {
    cells.push_back(trimmed(cell));
  }
  return cells;
}

bool is_heading(const Cells& cells) {
  return cells.size() > 1 && cells[0] == "tap" && (cells[1] == "module" || cells[1] == "name");
}

std::vector<std::string> words_of(const std::string& how) {
  std::istringstream text(how);
  return {std::istream_iterator<std::string>(text), {}};
}

std::string_view word_of(std::string_view token) {
  return token.substr(0, token.find('='));
}

std::string known_words() {
  std::string text;
  for (const std::string_view word : kWords) {
    text += (text.empty() ? "" : " ") + std::string(word);
  }
  return text;
}

void check_how(const std::string& how, const std::string& place) {
  for (const std::string& token : words_of(how)) {
    const std::string_view word = word_of(token);
    if (std::ranges::find(kWords, word) == kWords.end()) {
      throw Error(place + "how: got '" + printable(word) + "', expected one of " + known_words());
    }
    const std::string_view value =
        std::string_view(token).substr(std::min(word.size() + 1, token.size()));
    if (word == "half" && !value.empty() && value != "first" && value != "second") {
      throw Error(place + "half: got '" + printable(value) + "', expected first or second");
    }
  }
}

void check_cells(const std::string& line, const Cells& cells, const std::string& place) {
  if (line.find('"') != std::string::npos) {
    throw Error(place + "got a quotation mark, expected plain cells");
  }
  if (cells.size() < 2 || cells.size() > 4) {
    throw Error(place + "got " + std::to_string(cells.size()) +
                " columns, expected tap,name or tap,name,in|out,how");
  }
  if (cells[0].empty() || (cells.size() == 2 && cells[1].empty())) {
    throw Error(place + "got an empty column, expected tap,name");
  }
  if (cells.size() > 2 && !cells[2].empty() && cells[2] != "in" && cells[2] != "out") {
    throw Error(place + "io: got '" + printable(cells[2]) + "', expected in or out");
  }
  check_how(cells.size() > 3 ? cells[3] : "", place);
}

// The placeholder that only one of the columns has; "" where both have the same.
std::string_view lone_placeholder(const std::string& tap, const std::string& name) {
  for (const std::string_view placeholder : kPlaceholders) {
    if ((tap.find(placeholder) != std::string::npos) !=
        (name.find(placeholder) != std::string::npos)) {
      return placeholder;
    }
  }
  return {};
}

// Whether a row says what an array is called: of more than two columns, what a module gives.
bool names_an_array(const Cells& cells) {
  if (cells.size() == 2) {
    return true;
  }
  const auto words = words_of(cells.size() > 3 ? cells[3] : "");
  const bool plain = std::ranges::all_of(words, [](const std::string& token) {
    return std::ranges::find(kHarmlessWords, word_of(token)) != kHarmlessWords.end();
  });
  return plain && cells[2] != "in" && !cells[1].empty() &&
         lone_placeholder(cells[0], cells[1]).empty();
}

}  // namespace

NameMap NameMap::parse(const std::string& text, const std::string& source) {
  NameMap map;
  std::istringstream lines(text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text);
  std::size_t number = 0;
  std::size_t rows = 0;
  bool first = true;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line = trimmed(without_comment(line));
    if (line.empty()) {
      continue;
    }
    const Cells cells = cells_of(line);
    if (std::exchange(first, false) && is_heading(cells)) {
      continue;
    }
    ++rows;
    const std::string place = source + ": line " + std::to_string(number) + ": ";
    check_cells(line, cells, place);
    const std::string_view lone = lone_placeholder(cells[0], cells[1]);
    if (cells.size() == 2 && !lone.empty()) {
      throw Error(place + "got " + std::string(lone) + " in one column, expected it in " +
                  "both or in neither");
    }
    if (names_an_array(cells)) {
      map.rows_.push_back({cells[0], cells[1], number});
    }
  }
  if (map.rows_.empty()) {
    throw Error(source + (rows == 0 ? ": map: got no rows, expected tap,name lines"
                                    : ": map: got rows for hooks alone, expected some that name "
                                      "an array"));
  }
  return map;
}

NameMap NameMap::read(const std::filesystem::path& path) {
  const std::string label = path.filename().string();
  std::error_code error;
  const std::uintmax_t size = std::filesystem::is_regular_file(path, error)
                                  ? std::filesystem::file_size(path, error)
                                  : kMaxBytes + 1;
  if (error || size > kMaxBytes) {
    throw Error(label + ": file: got none or one too large, expected a CSV below 1 MiB");
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse(text, label);
}

std::optional<std::string> NameMap::tap_of(const std::string& name) const {
  for (const MapRow& row : rows_) {
    if (const auto numbers = match(row.name, name)) {
      return filled(row.tap, *numbers);
    }
  }
  return std::nullopt;
}

std::vector<MapRow> NameMap::rows_for(const std::set<std::string>& taps) const {
  std::vector<MapRow> rows;
  std::ranges::copy_if(rows_, std::back_inserter(rows), [&](const MapRow& row) {
    return std::ranges::any_of(
        taps, [&](const std::string& tap) { return match(row.tap, tap).has_value(); });
  });
  return rows;
}

}  // namespace assay::conformance
