// SPDX-License-Identifier: Apache-2.0
// Rows of floats in the memory of a device, `stride` floats from one to the next.
#pragma once

#include <cstddef>

namespace assay::cuda {

struct DeviceRows {
  float* data = nullptr;
  long stride = 0;
  int rows = 0;
  int columns = 0;

  float* row(int r) const { return data + r * stride; }
  DeviceRows from(int first, int count) const { return {row(first), stride, count, columns}; }
  // Some of the columns of every row.
  DeviceRows part(int first, int count) const { return {data + first, stride, rows, count}; }
};

inline DeviceRows device_rows(float* data, std::size_t rows, std::size_t columns) {
  return {data, static_cast<long>(columns), static_cast<int>(rows), static_cast<int>(columns)};
}

}  // namespace assay::cuda
