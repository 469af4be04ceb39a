// SPDX-License-Identifier: Apache-2.0
// Memory for rows of floats, each beginning at a multiple of 16 floats, as products write them.
#pragma once

#include <algorithm>
#include <cstddef>

#include "optimized/device/pages.h"
#include "optimized/engine/taps.h"
#include "optimized/packing/packed_weight.h"

namespace assay::cpu {

class RowBuffer {
 public:
  // The same memory for every shape that fits; grows where one does not.
  Rows shape(std::size_t rows, std::size_t columns) {
    const std::size_t stride = round_up(columns, kTileRows);
    if (memory_.size() < rows * stride) {
      memory_ = PageArray<float>(rows * stride);
    }
    return {memory_.data(), stride, rows, columns};
  }
  float* data() const { return memory_.data(); }
  std::size_t bytes() const { return memory_.bytes(); }

 private:
  PageArray<float> memory_;
};

}  // namespace assay::cpu
