// SPDX-License-Identifier: Apache-2.0
// Taps of values that preprocessing keeps in types of its own: bytes, fp32 and fp64 in both builds.
//
// What a listener overwrote is taken over; every other value stays as it was, unrounded.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "reference/core/taps.h"

namespace assay::ASSAY_REFERENCE {

template <std::size_t kRank, class Value>
void emit_values(const TapScope& tap, const char* name, const std::array<std::size_t, kRank>& shape,
                 std::vector<Value>& values) {
  if (!tap.wants(name)) {
    return;
  }
  using Shown = std::conditional_t<std::is_integral_v<Value>, std::int32_t, Real>;
  auto shown = xt::xtensor<Shown, kRank>::from_shape(shape);
  std::transform(values.begin(), values.end(), shown.begin(),
                 [](Value value) { return static_cast<Shown>(value); });
  const auto before = shown;
  tap.whole(name, shown);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (shown.data()[i] != before.data()[i]) {
      values[i] = static_cast<Value>(shown.data()[i]);
    }
  }
}

}  // namespace assay::ASSAY_REFERENCE
