// SPDX-License-Identifier: Apache-2.0
// A product by TMA and WGMMA over a ring of two stages, right and with what is easily done wrongly.
#pragma once

#include <cstdint>

#include "optimized/device/cuda/stream.h"

namespace assay::cuda {

enum class PipelineFault {
  kNone,
  kOverwrites,         // the loader does not wait until a stage is released
  kNeverReleased,      // the readers do not release stages
  kReleasedEarly,      // a stage is released before the products that read it are over
  kDescriptorStands,   // the descriptor does not go along K
  kNoWaitForLanding,   // products do not wait for the tiles
  kNoWaitForProducts,  // the sums are stored before the products are over
  kTooManyArrivals,    // every thread releases where each warp should
  kFewerBytes,         // half of the bytes are announced
};

// y [64, 128] = x [64, depth] w [128, depth]^T; the depth is a multiple of 64.
void run_pipeline(Stream& stream, PipelineFault fault, const std::uint16_t* x,
                  const std::uint16_t* w, int depth, float* y);

}  // namespace assay::cuda
