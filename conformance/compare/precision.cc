// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/precision.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "conformance/compare/constants.h"

namespace assay::conformance {
namespace {

constexpr Rounding kExact{};
constexpr Rounding kBf16Rounding{
    .bf16_scales = true, .fp32_rope_angles = true, .bf16_weights = true};
constexpr Rounding kFloatRounding{.fp32_rope_angles = true};
constexpr Rounding kF16Rounding{.fp32_rope_angles = true, .f16_weights = true};
// A checkpoint in blocks on ggml's CPU kernels: activations in 8 bits wherever they meet blocks.
constexpr Rounding kBlockRounding{.stored_products = true};
constexpr double kLargestFloat = 0x1.fffffep127;

// clang-format off
constexpr PrecisionClass kClasses[] = {
    // name, bits, min exponent, largest, 16 bit, rounds taps, floor scale, of, least, rounding
    {"f64", 53, -1022, 0x1.fffffffffffffp1023, false, false, kF64PerF32, "f32", kSmallestF64Budget, kExact},
    {"f32", 24, -126, kLargestFloat, false, false, 1, "f32", 0, kExact},
    {"tf32", 11, -126, kLargestFloat, false, true, 1, "tf32", 0, kFloatRounding},
    {"f16", 11, -14, 65504, true, true, 1, "f16", 0, kF16Rounding},
    {"int8", 24, -126, kLargestFloat, false, false, 1, "int8", 0, kBlockRounding},
    {"bf16", 8, -126, 0x1.fep127, true, true, 1, "bf16", 0, kBf16Rounding},
};
// clang-format on

}  // namespace

double PrecisionClass::unit_roundoff() const {
  return std::ldexp(1.0, -bits);
}

double PrecisionClass::smallest_roundoff() const {
  return std::ldexp(1.0, min_exponent - bits);
}

std::span<const PrecisionClass> precision_classes() {
  return kClasses;
}

const PrecisionClass* find_precision(std::string_view name) {
  const auto* found = std::ranges::find(kClasses, name, &PrecisionClass::name);
  return found == std::end(kClasses) ? nullptr : found;
}

double spacing_of_class(double value, const PrecisionClass& precision) {
  const int exponent = std::max(std::ilogb(value), precision.min_exponent);  // of 0: the least int
  return std::ldexp(1.0, exponent - precision.bits + 1);
}

double round_to_class(double value, const PrecisionClass& precision) {
  if (value == 0 || !std::isfinite(value)) {
    return value;
  }
  const double ulp = spacing_of_class(value, precision);
  return std::nearbyint(value / ulp) * ulp;  // both exact: ulp is a power of two
}

double round_stochastic(double value, const PrecisionClass& precision, double uniform) {
  if (value == 0 || !std::isfinite(value)) {
    return value;
  }
  const double ulp = spacing_of_class(value, precision);
  return std::floor(value / ulp + uniform) * ulp;
}

std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15u;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

double Random::uniform() {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

double Random::gaussian() {  // Box and Muller 1958, the cosine half
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

}  // namespace assay::conformance
