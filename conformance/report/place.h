// SPDX-License-Identifier: Apache-2.0
// Where an error sits, in words for people.
#pragma once

#include <string>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

// Which rows are wrong, and what the error looks like; or "".
std::string place_of(const TapResult& tap);

// Where the step begins, which taps it holds that the dump lacks, and which mistakes may be in it:
// "since text.layer.4.attn.v_norm, over attn.scores; mistakes that live there: M-60 …"; or "".
std::string step_of(const TapResult& tap);

}  // namespace assay::conformance
