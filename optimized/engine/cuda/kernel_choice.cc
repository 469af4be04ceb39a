// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/kernel_choice.h"

#include <cstdlib>
#include <string>

#include "optimized/kernels/attention_mma_cuda.h"
#include "optimized/kernels/attention_wgmma_cuda.h"
#include "reference/family/base/error.h"

namespace assay::cuda {
namespace {

constexpr int kWgmmaRows = 65;           // gemm_mma has half of gemm_wgmma's tile
constexpr int kWgmmaAttentionRows = 64;  // rows of queries of one key head

KernelSet of_device(const DeviceFacts& device) {
  // Compute 9 alone has WGMMA; later devices have other instructions in its place.
  return device.major == 9   ? KernelSet::kWgmma
         : device.major >= 8 ? KernelSet::kMma
                             : KernelSet::kPlain;
}

}  // namespace

KernelSet KernelChoice::product(int rows) const {
  if (rows == 1 || most == KernelSet::kPlain) {
    return KernelSet::kPlain;
  }
  return most == KernelSet::kWgmma && (of_few_rows || rows >= kWgmmaRows) ? KernelSet::kWgmma
                                                                          : KernelSet::kMma;
}

KernelSet KernelChoice::attention(const AttentionCall& call) const {
  const int rows = call.queries.rows * (call.heads / call.cache.heads);
  if (call.queries.rows == 1 || most == KernelSet::kPlain) {
    return KernelSet::kPlain;
  }
  if (most == KernelSet::kWgmma && (of_few_rows || rows >= kWgmmaAttentionRows) &&
      attention_wgmma_takes(call)) {
    return KernelSet::kWgmma;
  }
  return attention_mma_takes(call) ? KernelSet::kMma : KernelSet::kPlain;
}

KernelChoice kernels_of(const DeviceFacts& device) {
  const KernelSet has = of_device(device);
  const char* const asked = std::getenv("ASSAY_CUDA_KERNELS");
  if (asked == nullptr) {
    return {has, false};
  }
  const std::string name = asked;
  if (name != "plain" && name != "mma" && name != "wgmma") {
    throw Error("ASSAY_CUDA_KERNELS: got '" + name + "', expected plain, mma or wgmma");
  }
  const KernelSet most = name == "plain" ? KernelSet::kPlain
                         : name == "mma" ? KernelSet::kMma
                                         : KernelSet::kWgmma;
  if (most > has) {
    throw Error("ASSAY_CUDA_KERNELS: got '" + name + "' on a device of compute " +
                std::to_string(device.major) + "." + std::to_string(device.minor) +
                ", which has no such kernels");
  }
  return {most, true};
}

}  // namespace assay::cuda
