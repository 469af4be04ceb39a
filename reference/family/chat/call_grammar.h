// SPDX-License-Identifier: Apache-2.0
// The grammar of a call's body, with the repairs that may be in force.
//
//   body   := "call:" NAME "{" [pairs] "}"            NAME := letters of any script, digits, _ . :
//   pairs  := KEY ":" value ("," KEY ":" value)*      KEY  := characters but : , { }
//   value  := STRING | NUMBER | true | false | null
//             | "[" [value ("," value)*] "]" | "{" [pairs] "}"
//
// White space around punctuation is tolerated. A name or a key that a tool declares is read
// whatever characters it has.  Spec: prompting 2.8.1 to 2.8.3, RN-5 to RN-9, RN-12.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/base/json.h"
#include "reference/family/chat/call_repairs.h"

namespace assay {

struct CallReading {
  std::string name;
  Json arguments;
  RepairSet used;
};

// How far a reading may go.
struct CallRules {
  RepairSet allowed;
  const Json* tools = nullptr;  // the declared ones; null: none is known
  bool convert = false;         // a number or boolean becomes text where a string is declared
};

// The reading of a body, or nothing. `error` gets the first thing that was not understood, `asked`
// the repairs that would have made a difference: with others allowed the reading is the same. Time
// grows with the length of the body.
std::optional<CallReading> read_call(std::string_view body, const CallRules& rules,
                                     std::string& error, RepairSet& asked);

}  // namespace assay
