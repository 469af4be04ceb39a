// SPDX-License-Identifier: Apache-2.0
// The words of a call: names and numbers.  Spec prompting 2.8.1.
#pragma once

#include <string_view>

#include "reference/prompt/value.h"

namespace assay {

bool is_name_character(char c);  // [A-Za-z0-9_.:-]

// -?digits[.digits][(e|E)[+-]digits]
bool is_number(std::string_view text);

// Of a number: integers stay integers of any length; -0, decimals and exponents become doubles.
// What no double can hold stays the text it was.
Value number_value(std::string_view text);

}  // namespace assay
