// SPDX-License-Identifier: Apache-2.0
// The reference as a session, in both precisions.
#pragma once

#include <memory>

#include "conformance/interface/session.h"

namespace assay::conformance {

// Throws Error when a folder holds no checkpoint, or a drafter that does not fit.
std::unique_ptr<Session> make_reference_session_f32(const SessionRequest& request);
std::unique_ptr<Session> make_reference_session_f64(const SessionRequest& request);

}  // namespace assay::conformance
