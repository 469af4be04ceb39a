// SPDX-License-Identifier: Apache-2.0
// Whether a checkpoint is the one a golden was made from: its fp64 run must give the golden's
// truth. By another one a right dump would fail, step by step, and the port would be blamed.
//
//   relL2 <= 1e-4 at every tap; 1e-2 with media, which others may decode and resize otherwise
//
// Two right fp64 programs agree to 1e-9, an fp32 program that made a golden is 1e-5 off.
#pragma once

#include <string>

#include "conformance/interface/implementation.h"
#include "conformance/records/golden.h"

namespace assay::conformance {

// "" where it does; else how far off it is and where: "1.4 times its size off at
// text.embed_scaled". `f64` has the checkpoint loaded and follows the golden's profile.
std::string other_checkpoint(Implementation& f64, const Golden& golden);

}  // namespace assay::conformance
