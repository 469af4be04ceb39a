// SPDX-License-Identifier: Apache-2.0
// Which experts a token goes to, and what comes back from them, on a device.
//
//   router_norms  n = rms_norm(h);  router_in = n .* router_scale inverse;  expert_in = n .* norm
//   choose        probs = softmax(logits); the `slots` largest, ties to the lower index; their
//                 shares of their own sum, times per_expert_scale
//   group         choices in the order of experts, then of tokens
//   combine       y[t] = sum_x weight[t, x] out[row of choice (t, x)]
//
// Nothing of it comes to the host, so a layer of experts is part of a list of launches.
// Spec.
#pragma once

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/device_rows_cuda.h"
#include "optimized/kernels/matmul_cuda.h"

namespace assay::cuda {

struct RouterNorms {
  DeviceRows h;
  const float* router_scale = nullptr;
  float inverse = 0;
  DeviceRows router_in;
  const float* norm = nullptr;
  DeviceRows expert_in;
  float* normed_out = nullptr;  // n
};
void router_norms(Stream& stream, const RouterNorms& call, float eps);

struct Choice {
  DeviceRows logits;  // [tokens, experts], at most 1024 of them; become probs
  int slots = 0;
  const float* per_expert_scale = nullptr;
  int* expert = nullptr;       // [tokens, slots]
  float* weight = nullptr;     // [tokens, slots]
  float* share_out = nullptr;  // before the scale
};
void choose_experts(Stream& stream, const Choice& call);

// Fills first, sorted and row_of [choices], where a choice stands in `sorted`.
void group_experts(Stream& stream, const ExpertRows& rows, int* first, int* sorted, int* row_of);

void combine_experts(Stream& stream, const ExpertRows& rows, const int* row_of, const float* weight,
                     const DeviceRows& out, const DeviceRows& y);

}  // namespace assay::cuda
