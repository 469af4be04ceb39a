// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/taps.h"

namespace assay::cpu {

void TapScope::operator()(const char* name, const Rows& rows,
                          std::vector<std::size_t> shape) const {
  if (!wants(name)) {
    return;
  }
  const auto values = rows.values<float>();
  if (shape.empty()) {
    shape = {rows.rows, rows.columns};
  }
  taps_->real(prefix_ + name, TapAxes::kRows, {}, shape, values.data());
}

void TapScope::integers(const char* name, std::span<const std::int32_t> values,
                        std::vector<std::size_t> shape, TapAxes axes) const {
  if (!wants(name)) {
    return;
  }
  if (shape.empty()) {
    shape = {values.size()};
  }
  taps_->integers(prefix_ + name, axes, {}, shape, values.data());
}

void TapScope::by_keys(const char* name, std::span<const std::size_t> keys,
                       const std::vector<std::size_t>& shape, const float* values,
                       TapAxes axes) const {
  if (wants(name)) {
    taps_->real(prefix_ + name, axes, keys, shape, values);
  }
}

void TapScope::integers_by_keys(const char* name, std::span<const std::size_t> keys,
                                const std::vector<std::size_t>& shape,
                                const std::int32_t* values) const {
  if (wants(name)) {
    taps_->integers(prefix_ + name, TapAxes::kRowsByKeys, keys, shape, values);
  }
}

}  // namespace assay::cpu
