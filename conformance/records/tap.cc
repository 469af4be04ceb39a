// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/tap.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

template <class Value>
std::vector<double> widened(const TensorView& view) {
  const auto* first = static_cast<const Value*>(view.data);
  return {first, first + view.elements()};
}

template <class Value>
void narrow(const Tap& tap, void* to) {
  std::ranges::transform(tap.values, static_cast<Value*>(to),
                         [](double value) { return static_cast<Value>(value); });
}

void check_integers(const Tap& tap) {
  for (const double value : tap.values) {
    if (!(std::abs(value) <= std::numeric_limits<std::int32_t>::max())) {  // NaN, too
      throw Error(tap.name + ": got a forced value of " + std::to_string(value) +
                  ", expected a 32-bit integer");
    }
  }
}

}  // namespace

Tap to_tap(const TensorView& view) {
  Tap tap;
  tap.name = view.name;
  tap.shape.assign(view.shape.begin(), view.shape.end());
  tap.integer = view.dtype == TensorDtype::kI32;
  tap.values = view.dtype == TensorDtype::kF32   ? widened<float>(view)
               : view.dtype == TensorDtype::kF64 ? widened<double>(view)
                                                 : widened<std::int32_t>(view);
  return tap;
}

void write_forced(const Tap& tap, const TensorView& view) {
  if (view.forced == nullptr) {
    return;
  }
  if (tap.values.size() != view.elements()) {
    throw Error(tap.name + ": got " + std::to_string(tap.values.size()) +
                " forced values, expected " + std::to_string(view.elements()));
  }
  switch (view.dtype) {
    case TensorDtype::kF32:
      return narrow<float>(tap, view.forced);
    case TensorDtype::kF64:
      return narrow<double>(tap, view.forced);
    case TensorDtype::kI32:
      check_integers(tap);
      return narrow<std::int32_t>(tap, view.forced);
  }
}

void hand_over(TapListener& listener, Tap& tap) {
  if (!tap.integer) {
    listener.on_tap({tap.name, TensorDtype::kF64, tap.shape, tap.values.data(), tap.values.data()});
    return;
  }
  check_integers(tap);
  std::vector<std::int32_t> integers(tap.values.size());
  narrow<std::int32_t>(tap, integers.data());
  listener.on_tap({tap.name, TensorDtype::kI32, tap.shape, integers.data(), integers.data()});
  tap.values.assign(integers.begin(), integers.end());
}

}  // namespace assay::conformance
