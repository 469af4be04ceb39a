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

}  // namespace assay::conformance
