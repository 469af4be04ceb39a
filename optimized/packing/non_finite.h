// SPDX-License-Identifier: Apache-2.0
// A quick look for NaN and infinity in stored weights, at the speed of memory.
//
// bf16 values tell by their exponents; blocks of ggml by their scales alone, for with finite scales
// no element of theirs leaves fp32 (MXFP4: with exponents below 253).
#pragma once

#include <cstddef>
#include <span>

#include "reference/family/checkpoint/dtype.h"

namespace assay::cpu {

// False is certain; true means that somebody has to widen the values and look at each.
// `bytes`: whole blocks of `stored`.
bool may_be_non_finite(DType stored, std::span<const std::byte> bytes);

}  // namespace assay::cpu
