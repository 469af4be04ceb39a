// SPDX-License-Identifier: Apache-2.0
// How a call across the interface ended. Nothing throws there.
#pragma once

#include <string>

namespace assay::conformance {

enum class StatusCode { kOk, kNotSupported, kBadInput, kResourceError, kHarnessError };

struct Status {
  StatusCode code = StatusCode::kOk;
  std::string message;
  bool ok() const { return code == StatusCode::kOk; }
};

}  // namespace assay::conformance
