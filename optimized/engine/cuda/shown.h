// SPDX-License-Identifier: Apache-2.0
// Rows of a device as taps. What a fusion does not leave is computed into memory of this only when
// somebody wants it.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "optimized/device/cuda/stream.h"
#include "optimized/engine/taps.h"
#include "optimized/kernels/device_rows_cuda.h"

namespace assay::cuda {

class Shown {
 public:
  explicit Shown(Stream& stream) : stream_(stream) {}

  // [rows, columns], or the axes of `shape`.
  void operator()(const cpu::TapScope& tap, const char* name, const DeviceRows& rows,
                  std::vector<std::size_t> shape = {});
  void integers(const cpu::TapScope& tap, const char* name, const int* values, std::size_t count,
                std::vector<std::size_t> shape = {}, TapAxes axes = TapAxes::kRows);

  // Room `slot` for rows [rows, columns]; null where nobody wants the tap.
  float* room(const cpu::TapScope& tap, const char* name, std::size_t slot, const DeviceRows& like);
  float* room(std::size_t slot, std::size_t floats);

  std::vector<float> values(const DeviceRows& rows);
  std::vector<int> values(const int* from, std::size_t count);

 private:
  Stream& stream_;
  std::array<Buffer<float>, 4> rooms_;
};

}  // namespace assay::cuda
