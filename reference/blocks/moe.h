// SPDX-License-Identifier: Apache-2.0
// Router and experts, in parallel with the dense feed-forward network (26B-A4B).
//
//   u      = rms_norm_unscaled(r) .* router.scale * D^-1/2          r: the residual itself
//   pi     = softmax_E( router.proj u );  the k largest, ties to the lower index
//   omega_e  = pi_e / sum_{chosen} pi;    omega'_e = omega_e * per_expert_scale[e]
//   x2     = rms_norm(r, pre_feedforward_layernorm_2)
//   z_e    = down_e ( gelu(gate_e x2) .* (up_e x2) )
//   y2     = rms_norm( sum_e omega'_e z_e, post_feedforward_layernorm_2 )
//
// The scale of an expert comes after the renormalisation and is not renormalised again.
// Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/_moe.py (see docs/decisions on the router of
// the published package 4.0.1).  Spec.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/config.h"
#include "reference/weights/weights.h"

namespace assay::ASSAY_REFERENCE {

struct Routing {
  IntTensor<T, X> expert;  // chosen experts, by descending probability
  Tensor<T, X> weight;     // omega'
};

Routing route(const MoeWeights& w, const MoeConfig& config, const Tensor<T, D>& residual,
              double eps, const TapScope& tap);

// The expert branch y2 of residual r.
Tensor<T, D> moe(const MoeWeights& w, const MoeConfig& config, const Tensor<T, D>& residual,
                 double eps, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
