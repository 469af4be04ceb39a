// SPDX-License-Identifier: Apache-2.0
// What may be mended in a call, and what is told of one that the grammar allows. Spec: RN-12.
#pragma once

#include <bitset>
#include <cstddef>

namespace assay {

// In the order in which they are tried.
enum class Repair {
  kOtherQuotes,    // {day:"monday"}, single quotes, back quotes; {"day":1}
  kNullWord,       // nil, none, None, NULL
  kBooleanWord,    // True, FALSE
  kEquals,         // {day=…}
  kMissingComma,   // {a:1 b:2}
  kTrailingComma,  // {a:1,}
  kMissingBrace,   // {a:1
  kTrailingJunk,   // {a:1}};
  kMissingCall,    // :name{…}, name{…}
  kParentheses,    // call:name(a: 1)
  kOneDelimiter,   // <|"|>monday, monday<|"|>
  kRawLastValue,   // {text:anything, at all}, where the tool says that text is a string
  kBareWord,       // {day:monday}
  // Last, and never together with the others: what the template writes of odd names and keys.
  kEmptyKey,  // {:1}
  kOddKey,    // {a,b:1}: up to the first colon with a value after it
  kOddName,   // call:my tool{}: up to the first brace
  // The grammar allows these, and yet they are told.
  kDelimitedKey,     // {<|"|>a<|"|>:1}
  kRepeatedKey,      // {a:1,a:2}
  kNumberAsText,     // 007, 1e999, and 75001 where the tool declares a string
  kNumberRespelled,  // 1e3 is 1000.0
};
constexpr std::size_t kTriedRepairs = 13;  // alone and together
constexpr std::size_t kRepairs = 20;
using RepairSet = std::bitset<kRepairs>;

const char* repair_name(Repair repair);

}  // namespace assay
