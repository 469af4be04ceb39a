// SPDX-License-Identifier: Apache-2.0
// The format of data/: paragraphs of lines `key: value`.
//
//   # a comment               until the end of the line
//   tap: text.ids             the first line of a paragraph says what it is
//   formula: the token ids
//     of the call             a line that begins with a blank goes on with the value before it
//
// A blank line ends a paragraph. Values are views into text that the Paragraphs keep.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay::conformance {

struct Field {
  std::string_view key;
  std::string_view value;
  std::size_t line = 0;
};

class Paragraph {
 public:
  Paragraph(std::string_view file, std::vector<Field> fields)
      : file_(file), fields_(std::move(fields)) {}

  std::string_view kind() const { return fields_.front().key; }
  std::string_view at(std::string_view key) const;  // throws when there is none
  std::string_view get(std::string_view key, std::string_view otherwise = "") const;
  // Throws at a key that is none of these, and at one that stands twice.
  void expect_keys(std::initializer_list<std::string_view> keys) const;
  // Throws "FILE:LINE: key: got 'value', expected ..."; the line is that of the key.
  [[noreturn]] void fail(std::string_view key, const std::string& expected) const;

 private:
  const Field* find(std::string_view key) const;

  std::string_view file_;
  std::vector<Field> fields_;
};

class Paragraphs {
 public:
  // `file` is the name in errors.
  Paragraphs(std::string_view text, std::string file);
  Paragraphs(const Paragraphs&) = delete;
  Paragraphs& operator=(const Paragraphs&) = delete;

  std::span<const Paragraph> all() const { return paragraphs_; }

 private:
  std::string_view keep(std::string_view value);
  void take_line(std::string_view line, std::size_t number, std::vector<Field>& fields);

  std::string file_;
  std::string kept_;  // keys are views into the text, values into this; it never grows
  std::vector<Paragraph> paragraphs_;
};

// "a b c" -> {"a", "b", "c"}.
std::vector<std::string_view> words_of(std::string_view text);

}  // namespace assay::conformance
