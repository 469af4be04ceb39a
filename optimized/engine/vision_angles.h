// SPDX-License-Identifier: Apache-2.0
// By what the vision encoder turns the heads of its patches: each half of a head by its own axis.
// Spec: RV-9 to RV-11.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "optimized/engine/taps.h"
#include "reference/family/config/config.h"

namespace assay::cpu {

struct VisionAngles {
  std::vector<double> frequencies;  // of the pairs of an axis
  std::vector<float> cos, sin;      // [T, 2, pairs], of x and of y
};

// positions [T, 2]
VisionAngles vision_angles(const VisionConfig& config, std::span<const std::int32_t> positions);

// Tap rope.angles: as they lie in a head, those of x twice, those of y twice.
void emit_angles(const TapScope& tap, std::span<const std::int32_t> positions,
                 const std::vector<double>& frequencies);

}  // namespace assay::cpu
