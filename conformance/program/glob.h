// SPDX-License-Identifier: Apache-2.0
// Shell patterns with * and ? over names.
#pragma once

#include <string_view>

namespace assay::program {

// Linear in the text for each star: no pattern takes exponential time.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace assay::program
