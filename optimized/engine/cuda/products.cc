// SPDX-License-Identifier: Apache-2.0
// Products and attention of a layer, on the kernels that kernel_choice.h names.
#include "optimized/engine/cuda/engine.h"
#include "optimized/kernels/attention_mma_cuda.h"
#include "optimized/kernels/attention_wgmma_cuda.h"

namespace assay::cuda {

void Engine::tensor_product(KernelSet set, const DeviceWeight& w, RoundRows x, const DeviceRows& y,
                            const ExpertRows* experts) {
  x.stride = static_cast<int>(w.row_stride());
  x.to = scratch_.rounded;
  round_to_bf16(stream_, x);
  Gemm call;
  call.rows = x.rows;
  call.columns = w.rows;
  call.depth = x.stride;
  call.x = x.to;
  call.w = static_cast<const std::uint16_t*>(w.data);
  call.y = y.data;
  if (experts != nullptr) {
    call.experts = experts->experts;
    call.first = experts->first;
    call.most = experts->most;
  }
  set == KernelSet::kWgmma ? gemm_wgmma(stream_, call) : gemm_mma(stream_, call);
}

void Engine::product(const DeviceWeight& w, const DeviceRows& x, const DeviceRows& y) {
  const KernelSet set = rounds(w) ? kernels_.product(x.rows) : KernelSet::kPlain;
  if (set == KernelSet::kPlain || y.stride != y.columns) {
    matmul(stream_, w, x, rounds(w), y);
    return;
  }
  RoundRows rows;
  rows.x = x;
  rows.rows = x.rows;
  tensor_product(set, w, rows, y, nullptr);
}

void Engine::expert_product(const DeviceWeight& w, const ExpertRows& rows, bool gather,
                            const DeviceRows& x, const DeviceRows& y) {
  const int each = rows.choices / rows.experts < 2 ? 2 : rows.choices / rows.experts;
  const KernelSet set = rounds(w) && !rows.by_choice ? kernels_.product(each) : KernelSet::kPlain;
  if (set == KernelSet::kPlain || y.stride != y.columns) {
    expert_matmul(stream_, w, rows, gather, x, rounds(w), y);
    return;
  }
  RoundRows rounded;
  rounded.x = x;
  rounded.rows = rows.choices;
  rounded.sorted = gather ? rows.sorted : nullptr;
  rounded.slots = rows.slots;
  tensor_product(set, w, rounded, y, &rows);
}

void Engine::attend(const AttentionCall& call) {
  switch (options_.round_to_bf16 ? kernels_.attention(call) : KernelSet::kPlain) {
    case KernelSet::kPlain:
      return attention(stream_, call);
    case KernelSet::kMma:
      return attention_mma(stream_, call);
    case KernelSet::kWgmma:
      return attention_wgmma(stream_, call);
  }
}

}  // namespace assay::cuda
