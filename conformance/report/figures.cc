// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/figures.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace assay::conformance {

std::string number(double value, const char* format) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

Nearest nearest_to_limit(const CaseResult& result) {
  Nearest nearest;
  for (const TapResult& tap : result.taps) {
    const double share = tap.rel_l2 / tap.budget;
    if (std::isfinite(share) && tap.verdict != Verdict::kNotTested &&
        (nearest.tap == nullptr || share > nearest.share)) {
      nearest = {&tap, share};
    }
  }
  return nearest;
}

}  // namespace assay::conformance
