// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/shown.h"

#include <utility>

namespace assay::cuda {

std::vector<float> Shown::values(const DeviceRows& rows) {
  const auto count = static_cast<std::size_t>(rows.rows);
  const auto columns = static_cast<std::size_t>(rows.columns);
  std::vector<float> values(count * columns);
  if (rows.stride == rows.columns) {
    stream_.download(values.data(), rows.data, values.size() * sizeof(float));
  } else {
    for (std::size_t r = 0; r < count; ++r) {
      stream_.download(values.data() + r * columns, rows.row(static_cast<int>(r)),
                       columns * sizeof(float));
    }
  }
  stream_.synchronize();
  return values;
}

std::vector<int> Shown::values(const int* from, std::size_t count) {
  std::vector<int> values(count);
  stream_.download(values.data(), from, count * sizeof(int));
  stream_.synchronize();
  return values;
}

void Shown::operator()(const cpu::TapScope& tap, const char* name, const DeviceRows& rows,
                       std::vector<std::size_t> shape) {
  if (!tap.wants(name)) {
    return;
  }
  std::vector<float> shown = values(rows);
  const auto columns = static_cast<std::size_t>(rows.columns);
  tap(name, {shown.data(), columns, static_cast<std::size_t>(rows.rows), columns},
      std::move(shape));
}

void Shown::integers(const cpu::TapScope& tap, const char* name, const int* from, std::size_t count,
                     std::vector<std::size_t> shape, TapAxes axes) {
  if (tap.wants(name)) {
    tap.integers(name, values(from, count), std::move(shape), axes);
  }
}

float* Shown::room(const cpu::TapScope& tap, const char* name, std::size_t slot,
                   const DeviceRows& like) {
  return tap.wants(name) ? room(slot, static_cast<std::size_t>(like.rows) *
                                          static_cast<std::size_t>(like.columns))
                         : nullptr;
}

float* Shown::room(std::size_t slot, std::size_t floats) {
  if (rooms_[slot].size() < floats) {
    rooms_[slot] = Buffer<float>(floats);
  }
  return rooms_[slot].data();
}

}  // namespace assay::cuda
