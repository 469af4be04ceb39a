// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/tap_bridge.h"

namespace assay::ASSAY_REFERENCE {
namespace {

using conformance::TensorDtype;
using conformance::TensorView;

constexpr TensorDtype kReal =
    sizeof(Real) == sizeof(double) ? TensorDtype::kF64 : TensorDtype::kF32;

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
  joiner_.add({name, kReal, shape, values.data()}, place.axes, place.keys);
}

void JoiningBridge::integers(const std::string& name, const TapPlace& place,
                             std::span<const std::size_t> shape, std::span<std::int32_t> values) {
  joiner_.add({name, TensorDtype::kI32, shape, values.data()}, place.axes, place.keys);
}

}  // namespace assay::ASSAY_REFERENCE
