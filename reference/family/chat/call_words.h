// SPDX-License-Identifier: Apache-2.0
// The words of a call: names, numbers, strings.  Spec: prompting 2.8.1.
#pragma once

#include <string>
#include <string_view>

#include "reference/family/base/json.h"
#include "reference/family/chat/declared_type.h"

namespace assay {

// Stands for <|"|> in a body: no byte of UTF-8.
inline constexpr char kDelimiterByte = '\xFF';

inline constexpr std::string_view kCall = "call:";
inline constexpr std::string_view kOpeners = " \n\t\r:-.=>*";  // in front of a name without it
inline constexpr std::string_view kSpace = " \n\t\r";          // that the grammar tolerates

// With <|"|> written out again.
std::string with_literals(std::string_view body);

// The length of the plain name that a text begins with: [A-Za-z0-9_.:-] and letters of other
// scripts.
std::size_t name_length(std::string_view text);

// Whether a key reads back as it is: not empty, not in quotes, no punctuation of the grammar in it
// and no white space around it.
bool is_plain_key(std::string_view key);

// Without kSpace at both ends.
std::string_view without_space(std::string_view text);

// -?digits[.digits][(e|E)[+-]digits]
bool is_number(std::string_view text);

// How a number is given out: as it was written, with other characters, or as text.
enum class NumberForm { kAsWritten, kRespelled, kText };
struct NumberReading {
  Json value;
  NumberForm form = NumberForm::kAsWritten;
};

// Of a number: integers stay integers of any length; -0, decimals and exponents become doubles.
// Leading zeros and what no double can hold stay the text they were: 00501 is no 501, unless the
// tool takes numbers only.
NumberReading read_number(std::string_view text, const DeclaredTypes& types);

// Whether a text in single, double or back quotes.
bool is_quoted(std::string_view text);

// Whether there is white space and after it a name and a colon: "x day:" may be two pairs.
bool holds_a_pair(std::string_view text);

// The later of equal keys counts, at the place of the first. `repeated`: whether there were any.
Json::Object without_repeats(Json::Object&& pairs, bool& repeated);

}  // namespace assay
