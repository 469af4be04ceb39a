// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding, standard and proportional.
//
//   a[t,c]   = position[t] * frequency[c],                          c = 0 ... H/2 - 1
//   y[c]     = x[c] cos a - x[c+H/2] sin a
//   y[c+H/2] = x[c+H/2] cos a + x[c] sin a                          (half-split pairs)
//   frequency[c] = theta^(-2c/H)  for c < floor(factor * H/2),  else 0
//
// Su et al. 2021. Proportional RoPE, which the full-attention layers use with factor 1/4, turns
// only the first quarter of the pairs but keeps the *full* head width H in the exponent; the other
// channels pass through bit for bit. Angles are evaluated in fp64 and only cos and sin narrowed:
// fp32 angles are off by 5e-3 at position 131071.  Spec.
#pragma once

#include "reference/core/tensor.h"
#include "reference/family/config/config.h"

namespace assay::ASSAY_REFERENCE {

struct RopeTable {
  Tensor<T, C> cos;
  Tensor<T, C> sin;
};

// fp32_angles evaluates the angles in fp32, as most ports do; never in the reference profile.
RopeTable rope_table(const std::vector<std::int32_t>& positions, std::size_t head_dim,
                     const RopeParameters& parameters, bool fp32_angles = false);

Tensor<T, N, H> rope(const Tensor<T, N, H>& x, const RopeTable& table);

}  // namespace assay::ASSAY_REFERENCE
