// SPDX-License-Identifier: Apache-2.0
// The words of a call: names, numbers, strings.  Spec: prompting 2.8.1.
#pragma once

#include <string>
#include <string_view>

#include "reference/family/base/json.h"

namespace assay {

// Stands for <|"|> in a body: no byte of UTF-8.
inline constexpr char kDelimiterByte = '\xFF';

// With <|"|> written out again.
std::string with_literals(std::string_view body);

bool is_name_character(char c);  // [A-Za-z0-9_.:-]

// -?digits[.digits][(e|E)[+-]digits]
bool is_number(std::string_view text);

// Of a number: integers stay integers of any length; -0, decimals and exponents become doubles.
// What no double can hold stays the text it was.
Json number_value(std::string_view text);

// Whether a text in single, double or back quotes.
bool is_quoted(std::string_view text);

// Whether there is white space and after it a name and a colon: "x day:" may be two pairs.
bool holds_a_pair(std::string_view text);

// The later of equal keys counts, at the place of the first.
Json::Object without_repeats(Json::Object&& pairs);

}  // namespace assay
