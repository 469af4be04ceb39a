// SPDX-License-Identifier: Apache-2.0
// The grammar of a call's body, with the repairs that may be in force.
//
//   body   := "call:" NAME "{" [pairs] "}"            NAME := [A-Za-z0-9_.:-]+
//   pairs  := KEY ":" value ("," KEY ":" value)*      KEY  := characters but : , { }
//   value  := STRING | NUMBER | true | false | null
//           | "[" [value ("," value)*] "]" | "{" [pairs] "}"
//
// White space around punctuation is tolerated.  Spec: prompting 2.8.1 to 2.8.3, RN-5 to RN-9,
// RN-12.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/base/json.h"

namespace assay {

// In the order in which they are tried.
enum class Repair {
  kOtherQuotes,   // {day:"monday"}, single quotes, back quotes; {"day":1}
  kNullWord,      // nil, none, None, NULL
  kEquals,        // {day=…}
  kMissingComma,  // {a:1 b:2}
  kMissingBrace,  // {a:1
  kTrailingJunk,  // {a:1}};
  kMissingCall,   // :name{…}, name{…}
  kParentheses,   // call:name(a: 1)
  kOneDelimiter,  // <|"|>monday, monday<|"|>
  kRawLastValue,  // {text:anything, at all}, where the tool says that text is a string
  kBareWord,      // {day:monday}
  kDelimitedKey,  // {<|"|>a<|"|>:1}: the grammar allows it, and yet it is told
};
constexpr std::size_t kRepairs = 12;
constexpr std::size_t kTriedRepairs = 11;
using RepairSet = std::bitset<kRepairs>;

const char* repair_name(Repair repair);

struct CallReading {
  std::string name;
  Json arguments;
  RepairSet used;
};

// What the tool of this name declares of a key: whether it is a string; nothing for a key, or a
// tool, that is not declared.
using IsString = std::function<std::optional<bool>(std::string_view name, std::string_view key)>;

// The reading of a body, or nothing. `error` gets the first thing that was not understood. Time
// grows with the length of the body.
std::optional<CallReading> read_call(std::string_view body, RepairSet allowed,
                                     const IsString& is_string, std::string& error);

}  // namespace assay
