// SPDX-License-Identifier: Apache-2.0
// A named tensor where it lies: nothing is copied or converted to show it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace assay::conformance {

enum class TensorDtype { kF32, kF64, kI32 };  // float, double, std::int32_t

constexpr std::size_t size_of(TensorDtype dtype) {
  return dtype == TensorDtype::kF64 ? sizeof(double) : sizeof(float);
}

// Row-major. Everything it points to lives as long as the call that hands it over.
struct TensorView {
  std::string_view name;
  TensorDtype dtype = TensorDtype::kF32;
  std::span<const std::size_t> shape;
  const void* data = nullptr;
  // Where a listener may write other values, of the same dtype and as many: the run goes on from
  // them. Null: it cannot. It may be `data` itself, and holds the same values when it is handed
  // over.
  void* forced = nullptr;

  std::size_t elements() const {
    std::size_t count = 1;
    for (const std::size_t extent : shape) {
      count *= extent;
    }
    return count;
  }
};

}  // namespace assay::conformance
