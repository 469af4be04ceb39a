// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/verdict.h"

#include <algorithm>

namespace assay::conformance {

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kNotSupported:
      return "not_supported";
    case Verdict::kResourceError:
      return "resource_error";
    case Verdict::kHarnessError:
      return "harness_error";
    case Verdict::kWaived:
      return "waived";
    case Verdict::kNotTested:
      return "not_tested";
  }
  return "harness_error";
}

std::size_t count_cases(const Report& report, Verdict verdict) {
  return static_cast<std::size_t>(std::ranges::count(report.cases, verdict, &CaseResult::verdict));
}

int exit_code(const Report& report) {
  if (count_cases(report, Verdict::kFail) + count_cases(report, Verdict::kResourceError) > 0) {
    return 1;
  }
  if (count_cases(report, Verdict::kHarnessError) > 0) {
    return 3;
  }
  return count_cases(report, Verdict::kNotTested) > 0 ? 1 : 0;
}

std::string describe(const Power& power) {
  constexpr std::size_t kNamed = 6;
  std::string text = "excludes " + std::to_string(power.excluded) + " of " +
                     std::to_string(power.expressible) + " known mistakes";
  for (std::size_t i = 0; i < std::min(power.blind.size(), kNamed); ++i) {
    text += (i == 0 ? "; blind to " : ", ") + power.blind[i];
  }
  if (power.blind.size() > kNamed) {
    text += " and " + std::to_string(power.blind.size() - kNamed) + " more";
  }
  return text;
}

std::string describe(const Diagnosis& diagnosis) {
  std::string text = "this is " + diagnosis.label + ", " + diagnosis.what + "; explains " +
                     std::to_string(diagnosis.explains) + " of " +
                     std::to_string(diagnosis.failing) +
                     (diagnosis.failing == 1 ? " tap" : " taps");
  if (!diagnosis.same_here.empty()) {
    text += " (the same here: ";
    for (std::size_t i = 0; i < diagnosis.same_here.size(); ++i) {
      text += (i == 0 ? "" : ", ") + diagnosis.same_here[i];
    }
    text += ")";
  }
  return text;
}

}  // namespace assay::conformance
