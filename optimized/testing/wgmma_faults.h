// SPDX-License-Identifier: Apache-2.0
// A product whose A threads wrote, to shared memory or to registers, and whose B lies transposed:
// as shares of attention meet values. Right, and with what is easily done wrongly.
#pragma once

#include <cstdint>

#include "optimized/device/cuda/stream.h"

namespace assay::cuda {

enum class WgmmaFault {
  kNone,           // A from shared memory
  kFromRegisters,  // no fault either
  kNoFence,        // shared memory was written and not fenced
  kRewritten,      // a register of A is written before the product is over
  kNotTransposed,  // B is taken as K-major
  kWrongSlab,      // the next 64 columns are looked for elsewhere
};

// y [64, 256] = a [64, 64] b [64, 256]
void run_wgmma(Stream& stream, WgmmaFault fault, const std::uint16_t* a, const std::uint16_t* b,
               float* y);

}  // namespace assay::cuda
