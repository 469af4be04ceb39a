// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/tap_bridge.h"

namespace assay::ASSAY_REFERENCE {
namespace {

using conformance::TensorDtype;
using conformance::TensorView;
using conformance::TokenAxes;

constexpr TensorDtype kReal =
    sizeof(Real) == sizeof(double) ? TensorDtype::kF64 : TensorDtype::kF32;

TokenAxes token_axes(const TapPlace& place) {
  switch (place.axes) {
    case TapAxes::kRows:
      return TokenAxes::kRows;
    case TapAxes::kKeys:
      return TokenAxes::kKeys;
    case TapAxes::kRowsByKeys:
      return TokenAxes::kRowsByKeys;
    case TapAxes::kWhole:
      break;
  }
  return TokenAxes::kWhole;
}

}  // namespace

void DirectBridge::real(const std::string& name, const TapPlace& /*place*/,
                        std::span<const std::size_t> shape, std::span<Real> values) {
  listener_->on_tap({name, kReal, shape, values.data(), values.data()});
}

void DirectBridge::integers(const std::string& name, const TapPlace& /*place*/,
                            std::span<const std::size_t> shape, std::span<std::int32_t> values) {
  listener_->on_tap({name, TensorDtype::kI32, shape, values.data(), values.data()});
}

void JoiningBridge::real(const std::string& name, const TapPlace& place,
                         std::span<const std::size_t> shape, std::span<Real> values) {
  joiner_.add({name, kReal, shape, values.data()}, token_axes(place), place.keys);
}

void JoiningBridge::integers(const std::string& name, const TapPlace& place,
                             std::span<const std::size_t> shape, std::span<std::int32_t> values) {
  joiner_.add({name, TensorDtype::kI32, shape, values.data()}, token_axes(place), place.keys);
}

}  // namespace assay::ASSAY_REFERENCE
