// SPDX-License-Identifier: Apache-2.0
// A fault of the suite itself: never reported as the port's failure.
#pragma once

#include <stdexcept>
#include <string>

#include "conformance/interface/implementation.h"
#include "reference/family/base/error.h"

namespace assay::conformance {

class HarnessError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws unless the status is ok: assay::Error for bad input, HarnessError for the rest. `file`:
// what the case was read from, for both; `step`: what the suite was about to do, for its own
// faults.
inline void require_ok(const Status& status, const std::string& file = "",
                       const std::string& step = "") {
  if (status.ok()) {
    return;
  }
  const std::string place = file.empty() ? "" : file + ": ";
  if (status.code == StatusCode::kBadInput) {
    throw Error(place + status.message);
  }
  throw HarnessError(place + (step.empty() ? "" : step + ": ") + status.message);
}

}  // namespace assay::conformance
