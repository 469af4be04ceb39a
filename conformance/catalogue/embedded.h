// SPDX-License-Identifier: Apache-2.0
// The files of data/ as they are, written into the program by scripts/cmake/embed.cmake.
#pragma once

#include <string_view>

namespace assay::conformance::embedded {

extern const std::string_view taps;
extern const std::string_view rules;
extern const std::string_view mistakes;
extern const std::string_view divergences;

}  // namespace assay::conformance::embedded
