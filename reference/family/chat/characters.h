// SPDX-License-Identifier: Apache-2.0
// The characters of well-formed UTF-8, and what Python thinks of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace assay {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
};

// Of well-formed UTF-8, which all text here is: it came through a JSON parser.
Character character_at(std::string_view text, std::size_t at);

void append_character(std::string& text, std::uint32_t code);

bool is_space(std::uint32_t code);      // str.isspace
bool is_printable(std::uint32_t code);  // str.isprintable, but for unassigned codes

}  // namespace assay
