// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/dtype.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "reference/family/base/error.h"
#include "reference/family/base/number_formats.h"

namespace assay {
namespace {

struct DTypeFacts {
  DType dtype;
  std::string_view name;
  std::size_t bytes;
};

// In the order of the enumeration.
constexpr std::array<DTypeFacts, 13> kDTypes = {{
    {DType::kBf16, "BF16", 2},
    {DType::kF16, "F16", 2},
    {DType::kF32, "F32", 4},
    {DType::kF64, "F64", 8},
    {DType::kI64, "I64", 8},
    {DType::kI32, "I32", 4},
    {DType::kI16, "I16", 2},
    {DType::kI8, "I8", 1},
    {DType::kU64, "U64", 8},
    {DType::kU32, "U32", 4},
    {DType::kU16, "U16", 2},
    {DType::kU8, "U8", 1},
    {DType::kBool, "BOOL", 1},
}};

// A plain loop over unaligned elements; the compiler turns it into vector loads and stores.
template <class Stored, class Real, class Convert>
void widen_each(const std::byte* bytes, std::size_t count, Real* out, Convert convert) {
  for (std::size_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, bytes + i * sizeof(Stored), sizeof(Stored));
    out[i] = static_cast<Real>(convert(stored));
  }
}

template <class Stored, class Real>
void widen_plain(const std::byte* bytes, std::size_t count, Real* out) {
  widen_each<Stored>(bytes, count, out, [](Stored value) { return value; });
}

template <class Stored, class Convert>
void store_each(const float* values, std::size_t count, std::byte* out, Convert convert) {
  for (std::size_t i = 0; i < count; ++i) {
    const Stored stored = convert(values[i]);
    std::memcpy(out + i * sizeof(Stored), &stored, sizeof(Stored));
  }
}

}  // namespace

std::size_t dtype_bytes(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)].bytes;
}

std::string_view dtype_name(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)].name;
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DTypeFacts& facts : kDTypes) {
    if (facts.name == name) {
      return facts.dtype;
    }
  }
  return std::nullopt;
}

bool is_floating(DType dtype) {
  return dtype == DType::kBf16 || dtype == DType::kF16 || dtype == DType::kF32 ||
         dtype == DType::kF64;
}

template <class Real>
void widen(DType dtype, const std::byte* bytes, std::size_t count, Real* out) {
  switch (dtype) {
    case DType::kBf16:
      return widen_each<std::uint16_t>(bytes, count, out, float_from_bf16);
    case DType::kF16:
      return widen_each<std::uint16_t>(bytes, count, out, float_from_f16);
    case DType::kF32:
      return widen_plain<float>(bytes, count, out);
    case DType::kF64:
      return widen_plain<double>(bytes, count, out);
    case DType::kI64:
      return widen_plain<std::int64_t>(bytes, count, out);
    case DType::kI32:
      return widen_plain<std::int32_t>(bytes, count, out);
    case DType::kI16:
      return widen_plain<std::int16_t>(bytes, count, out);
    case DType::kI8:
      return widen_plain<std::int8_t>(bytes, count, out);
    case DType::kU64:
      return widen_plain<std::uint64_t>(bytes, count, out);
    case DType::kU32:
      return widen_plain<std::uint32_t>(bytes, count, out);
    case DType::kU16:
      return widen_plain<std::uint16_t>(bytes, count, out);
    case DType::kU8:
    case DType::kBool:
      return widen_plain<std::uint8_t>(bytes, count, out);
  }
}

void narrow(DType dtype, const float* values, std::size_t count, std::byte* out) {
  switch (dtype) {
    case DType::kBf16:
      return store_each<std::uint16_t>(values, count, out, bf16_from_float);
    case DType::kF16:
      return store_each<std::uint16_t>(values, count, out, f16_from_float);
    case DType::kF32:
      return store_each<float>(values, count, out, [](float value) { return value; });
    case DType::kF64:
      return store_each<double>(values, count, out, [](float value) { return double{value}; });
    default:
      throw Error("dtype: got " + std::string(dtype_name(dtype)) +
                  ", expected one of BF16, F16, F32, F64");
  }
}

template <class Real>
std::size_t first_non_finite(const Real* values, std::size_t count) {
  using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
  const Bits exponent_bits = std::bit_cast<Bits>(std::numeric_limits<Real>::infinity());
  // Added to the exponent, its lowest bit carries into the sign only where all its bits are set.
  const Bits lowest = exponent_bits & (~exponent_bits + 1);
  Bits carried = 0;
  for (std::size_t i = 0; i < count; ++i) {
    carried |= (std::bit_cast<Bits>(values[i]) & exponent_bits) + lowest;
  }
  if ((carried & ~(~Bits{0} >> 1)) == 0) {
    return count;
  }
  std::size_t i = 0;
  while (std::isfinite(values[i])) {
    ++i;
  }
  return i;
}

template void widen<float>(DType, const std::byte*, std::size_t, float*);
template void widen<double>(DType, const std::byte*, std::size_t, double*);
template std::size_t first_non_finite<float>(const float*, std::size_t);
template std::size_t first_non_finite<double>(const double*, std::size_t);

}  // namespace assay
