// SPDX-License-Identifier: Apache-2.0
// The reference as a session, in both precisions.
#pragma once

#include <memory>
#include <string>

#include "conformance/interface/session.h"

namespace assay::conformance {

struct SessionRequest {
  std::string checkpoint;
  std::string drafter;  // folder; empty: none
  std::size_t draft_steps = 0;
  std::string profile = "REF";
  bool standard_window = false;  // of drafts: false: the last W + 1 keys (HF); true: s > p - W
};

// Throws Error when a folder holds no checkpoint, or a drafter that does not fit.
std::unique_ptr<Session> make_reference_session_f32(const SessionRequest& request);
std::unique_ptr<Session> make_reference_session_f64(const SessionRequest& request);

}  // namespace assay::conformance
