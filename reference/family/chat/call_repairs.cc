// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/call_repairs.h"

#include <array>

namespace assay {

const char* repair_name(Repair repair) {
  constexpr std::array<const char*, kRepairs> kNames = {"other quotes",
                                                        "nil or none as null",
                                                        "true or false in other letters",
                                                        "= for :",
                                                        "missing comma",
                                                        "trailing comma",
                                                        "missing closing brace",
                                                        "text after the arguments",
                                                        "missing word call",
                                                        "parentheses for braces",
                                                        "one string delimiter missing",
                                                        "raw text as last string",
                                                        "bare word as string",
                                                        "empty key",
                                                        "punctuation in a key",
                                                        "unusual characters in the name",
                                                        "key in string delimiters",
                                                        "repeated key",
                                                        "number as text",
                                                        "number respelled"};
  return kNames[static_cast<std::size_t>(repair)];
}

}  // namespace assay
