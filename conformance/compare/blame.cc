// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/blame.h"

#include <algorithm>

#include "conformance/catalogue/catalogue.h"
#include "conformance/compare/evidence.h"

namespace assay::conformance {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::vector<std::string> failing_taps(const CaseResult& result) {
  std::vector<std::string> names;
  for (const TapResult& tap : result.taps) {
    if (tap.verdict == Verdict::kFail) {
      names.push_back(tap.tap);
    }
  }
  return names;
}

}  // namespace

void conclude(CaseResult& result) {
  const auto any = [&](auto condition) { return std::ranges::any_of(result.taps, condition); };
  if (any([](const TapResult& tap) { return tap.verdict == Verdict::kFail; })) {
    result.verdict = Verdict::kFail;
  } else if (any([](const TapResult& tap) {
               return tap.verdict == Verdict::kWarning && !tap.code.empty();
             })) {
    result.verdict = Verdict::kWarning;
  } else {
    const bool tested = any([](const TapResult& tap) { return is_evidence(tap); });
    result.verdict = tested ? Verdict::kPass : Verdict::kNotTested;
  }
}

void blame(CaseResult& chained, const CaseResult* replay, bool has_checkpoint) {
  std::vector<std::string> failing = failing_taps(chained);
  sort_by_execution(failing);
  chained.introduced_by.clear();
  chained.inherited.clear();
  const bool replayed = replay != nullptr && replay->verdict != Verdict::kHarnessError;
  if (replayed) {
    chained.introduced_by = replay->introduced_by;
  } else if (!failing.empty()) {
    chained.introduced_by = {failing.front()};
    chained.message =
        std::string(has_checkpoint ? "without a replay (--mode replay)"
                                   : "without a checkpoint to replay") +
        ", the first failing tap is named; later faults are not told apart from what it causes";
  }
  for (const std::string& tap : failing) {
    if (!contains(chained.introduced_by, tap)) {
      chained.inherited.push_back(tap);
    }
  }
  if (replayed && !failing.empty() && chained.introduced_by.empty()) {
    chained.message =
        "no single step is beyond its budget: the error enters where the dump has no tap, or is "
        "spread over many steps";
  }
  if (replayed && chained.verdict == Verdict::kPass && !chained.introduced_by.empty()) {
    chained.message = "masked: the steps are wrong, what comes out end to end is within budget";
  }
}

}  // namespace assay::conformance
