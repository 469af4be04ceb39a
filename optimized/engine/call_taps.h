// SPDX-License-Identifier: Apache-2.0
// Taps of what all layers of a call share: positions, angles, masks.
#pragma once

#include "optimized/engine/call.h"
#include "optimized/engine/taps.h"

namespace assay::cpu {

void emit_call(const TapScope& tap, const Tokens& tokens, Call& call);

}  // namespace assay::cpu
