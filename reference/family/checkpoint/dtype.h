// SPDX-License-Identifier: Apache-2.0
// The element types of a safetensors file, and how their bytes become floating-point numbers.
//
// Every type but f64 -> float widens exactly to the nearest Real that holds it; 64-bit integers
// round as the language converts them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace assay {

enum class DType { kBf16, kF16, kF32, kF64, kI64, kI32, kI16, kI8, kU64, kU32, kU16, kU8, kBool };

std::size_t dtype_bytes(DType dtype);
std::string_view dtype_name(DType dtype);  // as a file spells it: "BF16"
std::optional<DType> dtype_from_name(std::string_view name);
bool is_floating(DType dtype);

// Reads `count` elements that begin at `bytes` (any alignment) into out. Real: float or double.
template <class Real>
void widen(DType dtype, const std::byte* bytes, std::size_t count, Real* out);

// Stores fp32 values as bf16, f16, f32 or f64, rounded to nearest even; the others throw.
void narrow(DType dtype, const float* values, std::size_t count, std::byte* out);

// The index of the first NaN or infinity, or `count`.
template <class Real>
std::size_t first_non_finite(const Real* values, std::size_t count);

extern template void widen<float>(DType, const std::byte*, std::size_t, float*);
extern template void widen<double>(DType, const std::byte*, std::size_t, double*);
extern template std::size_t first_non_finite<float>(const float*, std::size_t);
extern template std::size_t first_non_finite<double>(const double*, std::size_t);

}  // namespace assay
