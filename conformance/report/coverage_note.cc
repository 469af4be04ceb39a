// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/coverage_note.h"

#include <algorithm>
#include <vector>

#include "conformance/catalogue/catalogue.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kLittle = 4;  // one of so many kinds
constexpr std::size_t kNamed = 6;

std::vector<std::string> judged_kinds(const CaseResult& result) {
  std::vector<std::string> kinds;
  for (const TapResult& tap : result.taps) {
    const auto match = find_tap(tap.tap);
    const std::string kind = match ? std::string(match->entry->pattern) : tap.tap;
    if (tap.verdict != Verdict::kNotTested && std::ranges::find(kinds, kind) == kinds.end()) {
      kinds.push_back(kind);
    }
  }
  return kinds;
}

}  // namespace

std::string coverage_note(const CaseResult& result) {
  const auto kinds = judged_kinds(result);
  if (kinds.empty() || kinds.size() * kLittle >= result.coverage.kinds_known) {
    return "";
  }
  std::string text = "rests on";
  for (std::size_t i = 0; i < std::min(kinds.size(), kNamed); ++i) {
    text += (i == 0 ? " " : ", ") + kinds[i];
  }
  if (kinds.size() > kNamed) {
    text += " and " + std::to_string(kinds.size() - kNamed) + " more";
  }
  return text + " alone, " + std::to_string(result.coverage.kinds_judged) + " of " +
         std::to_string(result.coverage.kinds_known) +
         " kinds of tap: no step between them is judged by itself";
}

}  // namespace assay::conformance
