// SPDX-License-Identifier: Apache-2.0
// A race in words: what met, and the line of the source, which addr2line knows where it is
// installed.
#pragma once

#include <string>

namespace assay::simt {

struct Race {
  std::string what;
  const void* pc = nullptr;  // after the access; null: of an asynchronous part
};

std::string spell_race(const Race& race);

}  // namespace assay::simt
