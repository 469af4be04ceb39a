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

// Throws unless the status is ok: assay::Error for bad input, HarnessError for the rest.
inline void require_ok(const Status& status, const std::string& what) {
  if (status.code == StatusCode::kBadInput) {
    throw Error(status.message);
  }
  if (!status.ok()) {
    throw HarnessError(what + ": " + status.message);
  }
}

}  // namespace assay::conformance
