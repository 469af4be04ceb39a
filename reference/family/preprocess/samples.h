// SPDX-License-Identifier: Apache-2.0
// What every way of samples to soft tokens asks of them.
#pragma once

#include <span>

namespace assay {

// Throws Error for the first sample that is not a finite number.
void check_finite(std::span<const float> samples);

}  // namespace assay
