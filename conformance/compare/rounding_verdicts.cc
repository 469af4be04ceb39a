// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/rounding_verdicts.h"

#include <algorithm>
#include <cmath>

#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/judge.h"

namespace assay::conformance {

void RoundingVerdicts::judge(const Comparison& step, const RoundingFloor& floor,
                             const PrecisionClass& precision, TapResult& tap) {
  TapResult before = tap;
  judge_roundings(step.roundings, floor, precision, tap);
  if (std::isnan(tap.differing)) {
    return;
  }
  bool& failed = failed_.try_emplace(tap_kind(tap.tap), false).first->second;
  different_ += step.roundings.different;
  toward_zero_ += step.roundings.toward_zero;
  if (tap.verdict == Verdict::kFail) {
    failed = true;
    before.differing = tap.differing;
    before.differing_limit = tap.differing_limit;
    without_.emplace(tap.tap, std::move(before));
  }
}

bool RoundingVerdicts::are_elsewhere() const {
  const auto failed = std::ranges::count_if(failed_, [](const auto& kind) { return kind.second; });
  const bool truncated =
      static_cast<double>(toward_zero_) > kTruncated * static_cast<double>(different_);
  return failed_.size() >= kKindsOfProgram &&
         2 * static_cast<std::size_t>(failed) > failed_.size() && !truncated;
}

void RoundingVerdicts::conclude(CaseResult& result) const {
  if (!are_elsewhere()) {
    return;
  }
  for (TapResult& tap : result.taps) {
    if (const auto found = without_.find(tap.tap); found != without_.end()) {
      tap = found->second;
      add_note(tap, "resolution: low, the program rounds at points of its own");
    }
  }
  std::erase_if(result.introduced_by,
                [&](const std::string& tap) { return without_.contains(tap); });
  result.message =
      "rounds at points of its own, " +
      std::to_string(std::ranges::count_if(failed_, [](const auto& kind) { return kind.second; })) +
      " of " + std::to_string(failed_.size()) +
      " kinds of tap differ: judged by relative error alone (resolution: low)";
}

}  // namespace assay::conformance
