// SPDX-License-Identifier: Apache-2.0
// UTF-8, as the Unicode standard has it: no surrogates, no overlong forms, nothing past U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace assay {

// Bytes of the scalar value that starts at text[at]; 0 where there is none.
std::size_t utf8_length(std::string_view text, std::size_t at);

bool is_utf8(std::string_view text);

// Throws Error "what: byte 7: got 0xff, expected UTF-8".
void check_utf8(std::string_view text, const std::string& what);

// The bytes of U+FFFD, which stands for what is no text.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

}  // namespace assay
