// SPDX-License-Identifier: Apache-2.0
// 16-bit floats that a dump keeps as integers, for want of a type: bf16 viewed as uint16, or the
// two bytes without a type that NumPy makes of MLX's bfloat16.
//
// Nothing in the file says which of the two formats the bits are, so the truth is asked: the one
// under which the taps come near it, and that all of the file's have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance/records/tap_set.h"

namespace assay::conformance {

struct WidenedBits {
  std::string format;             // "bf16", "f16"; empty: no such tap
  std::string stored;             // "U16"
  std::vector<std::string> taps;  // that were widened
};

// Widens them in place. Throws Error, beginning with `label`, where neither format or both give the
// truth: integers are no floating-point numbers, and which ones were meant is not guessed.
WidenedBits widen_stored_bits(const TapSet& truth, TapSet& dump, std::string_view label);

}  // namespace assay::conformance
