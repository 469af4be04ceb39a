// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/tap_bridge.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace assay::ASSAY_REFERENCE {
namespace {

template <class Value>
void hand_over(conformance::TapListener& listener, const std::string& name,
               std::span<const std::size_t> shape, std::span<Value> values, bool integer) {
  conformance::Tap tap{name, {shape.begin(), shape.end()}, {values.begin(), values.end()}, integer};
  listener.on_tap(tap);
  if (tap.values.size() != values.size()) {
    throw Error(name + ": got " + std::to_string(tap.values.size()) + " forced values, expected " +
                std::to_string(values.size()));
  }
  std::transform(tap.values.begin(), tap.values.end(), values.begin(), [&name](double value) {
    if constexpr (std::is_integral_v<Value>) {
      if (!(std::abs(value) <= std::numeric_limits<Value>::max())) {
        throw Error(name + ": got a forced value of " + std::to_string(value) +
                    ", expected a 32-bit integer");
      }
    }
    return static_cast<Value>(value);
  });
}

}  // namespace

void DirectBridge::real(const std::string& name, const TapPlace& /*place*/,
                        std::span<const std::size_t> shape, std::span<Real> values) {
  hand_over(*listener_, name, shape, values, false);
}

void DirectBridge::integers(const std::string& name, const TapPlace& /*place*/,
                            std::span<const std::size_t> shape, std::span<std::int32_t> values) {
  hand_over(*listener_, name, shape, values, true);
}

void JoiningBridge::real(const std::string& name, const TapPlace& place,
                         std::span<const std::size_t> shape, std::span<Real> values) {
  join<Real>(name, place, shape, values, false);
}

void JoiningBridge::integers(const std::string& name, const TapPlace& place,
                             std::span<const std::size_t> shape, std::span<std::int32_t> values) {
  join<std::int32_t>(name, place, shape, values, true);
}

conformance::Tap& JoiningBridge::joined(const std::string& name, const TapPlace& place,
                                        std::span<const std::size_t> shape, bool integer) {
  const auto [found, fresh] = index_.try_emplace(name, taps_.size());
  if (fresh) {
    conformance::Tap tap{name, {shape.begin(), shape.end()}, {}, integer};
    if (place.axes != TapAxes::kWhole) {
      tap.shape.front() = tokens_;
    }
    if (place.axes == TapAxes::kRowsByKeys) {
      tap.shape.back() = tokens_;
    }
    std::size_t count = 1;
    for (const std::size_t extent : tap.shape) {
      count *= extent;
    }
    tap.values.assign(count, 0.0);
    taps_.push_back(std::move(tap));
  }
  return taps_[found->second];
}

template <class Value>
void JoiningBridge::join(const std::string& name, const TapPlace& place,
                         std::span<const std::size_t> shape, std::span<const Value> values,
                         bool integer) {
  conformance::Tap& tap = joined(name, place, shape, integer);
  if (place.axes == TapAxes::kWhole) {
    tap.shape.assign(shape.begin(), shape.end());
    tap.values.assign(values.begin(), values.end());
    return;
  }
  const std::size_t rows = shape.front();
  const std::size_t width = rows == 0 ? 0 : values.size() / rows;
  for (std::size_t r = 0; r < rows; ++r) {
    const auto from = values.subspan(r * width, width);
    if (place.axes != TapAxes::kRowsByKeys) {
      const std::size_t to = place.axes == TapAxes::kKeys ? place.keys[r] : first_token_ + r;
      std::copy(from.begin(), from.end(),
                tap.values.begin() + static_cast<std::ptrdiff_t>(to * width));
      continue;
    }
    const std::size_t keys = place.keys.size();
    const std::size_t lines = width / keys;  // 1, or one for each head
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t line = (first_token_ + r) * lines + i / keys;
      tap.values[line * tokens_ + place.keys[i % keys]] = static_cast<double>(from[i]);
    }
  }
}

void JoiningBridge::finish() {
  for (conformance::Tap& tap : taps_) {
    listener_->on_tap(tap);
  }
}

}  // namespace assay::ASSAY_REFERENCE
