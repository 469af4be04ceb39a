// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/paragraphs.h"

#include <algorithm>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr std::string_view kBlank = " \t";

std::string at_line(std::string_view file, std::size_t line) {
  return std::string(file) + ":" + std::to_string(line) + ": ";
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

const Field* Paragraph::find(std::string_view key) const {
  const auto found = std::ranges::find(fields_, key, &Field::key);
  return found == fields_.end() ? nullptr : &*found;
}

std::string_view Paragraph::at(std::string_view key) const {
  const Field* field = find(key);
  if (field == nullptr) {
    const Field& first = fields_.front();
    throw Error(at_line(file_, first.line) + std::string(first.key) + " '" +
                std::string(first.value) + "': got no " + std::string(key) + ", expected one");
  }
  return field->value;
}

std::string_view Paragraph::get(std::string_view key, std::string_view otherwise) const {
  const Field* field = find(key);
  return field == nullptr ? otherwise : field->value;
}

void Paragraph::expect_keys(std::initializer_list<std::string_view> keys) const {
  for (const Field& field : fields_) {
    if (std::ranges::find(keys, field.key) == keys.end()) {
      std::string known;
      for (const std::string_view key : keys) {
        known.append(known.empty() ? "" : ", ").append(key);
      }
      throw Error(at_line(file_, field.line) + "key: got '" + std::string(field.key) +
                  "', expected one of " + known);
    }
    if (find(field.key) != &field) {
      throw Error(at_line(file_, field.line) + "key: got '" + std::string(field.key) +
                  "' a second time, expected it once");
    }
  }
}

void Paragraph::fail(std::string_view key, const std::string& expected) const {
  const Field* field = find(key);
  const Field& told = field == nullptr ? fields_.front() : *field;
  throw Error(at_line(file_, told.line) + std::string(key) + ": got '" + std::string(get(key)) +
              "', expected " + expected);
}

// The text is joined once: a continued value takes one blank for its line's end and margin.
Paragraphs::Paragraphs(std::string_view text, std::string file) : file_(std::move(file)) {
  kept_.reserve(text.size() + 1);
  std::vector<Field> fields;
  const auto end_paragraph = [&] {
    if (!fields.empty()) {
      paragraphs_.emplace_back(file_, std::move(fields));
      fields.clear();
    }
  };
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    ++number;
    if (trimmed(line).empty()) {
      end_paragraph();
    } else if (line.front() != '#') {
      take_line(line, number, fields);
    }
    begin = end + 1;
  }
  end_paragraph();
}

void Paragraphs::take_line(std::string_view line, std::size_t number, std::vector<Field>& fields) {
  if (kBlank.find(line.front()) != std::string_view::npos) {
    if (fields.empty()) {
      throw Error(at_line(file_, number) + "line: got '" + std::string(line) +
                  "', expected a key before what goes on");
    }
    std::string_view& value = fields.back().value;  // the last that was kept
    const std::size_t more = keep(" ").size();
    value = {value.data(), value.size() + more + keep(trimmed(line)).size()};
    return;
  }
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos || colon == 0) {
    throw Error(at_line(file_, number) + "line: got '" + std::string(line) +
                "', expected key: value");
  }
  fields.push_back({line.substr(0, colon), keep(trimmed(line.substr(colon + 2))), number});
}

std::string_view Paragraphs::keep(std::string_view value) {
  const std::size_t begin = kept_.size();
  kept_ += value;
  return std::string_view(kept_).substr(begin);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) {
      words.push_back(text.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  return words;
}

}  // namespace assay::conformance
