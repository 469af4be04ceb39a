// SPDX-License-Identifier: Apache-2.0
// The storage types of tensors, a row of one table each, and how their bytes become floating-point
// numbers.
//
// Elements are stored in blocks, which run along a tensor's last axis: block_elements of them take
// block_bytes bytes. The plain types are blocks of one element. A new type is a row in dtype.cc;
// nothing else in the project lists them.
//
// Every plain type but f64 -> float widens exactly to the nearest Real that holds it; 64-bit
// integers round as the language converts them. The blocks of ggml widen as ggml_blocks.h says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace assay {

struct DTypeInfo {
  std::string_view name;  // "BF16"
  std::size_t block_elements = 1;
  std::size_t block_bytes = 1;
  bool floating = true;         // real numbers, not integers
  bool in_safetensors = false;  // under this name
  int ggml_type = -1;           // its number in a GGUF file; -1: it has none

  // `count` elements, in whole blocks that begin at `bytes` (any alignment).
  void (*to_float)(const std::byte* bytes, std::size_t count, float* out) = nullptr;
  void (*to_double)(const std::byte* bytes, std::size_t count, double* out) = nullptr;
  // The way back, rounded to nearest even (blocks: ggml_blocks.h); null where nothing stores the
  // type.
  void (*from_float)(const float* values, std::size_t count, std::byte* out) = nullptr;
};

constexpr std::size_t kMaxBlockElements = 256;

// A row of the table, by reference.
class DType {
 public:
  constexpr explicit DType(const DTypeInfo& info) : info_(&info) {}
  constexpr const DTypeInfo& info() const { return *info_; }
  friend constexpr bool operator==(DType, DType) = default;

  // Those that the project asks for by name.
  static const DType kBf16, kF16, kF32, kF64, kI64, kI32;

 private:
  const DTypeInfo* info_;
};

std::span<const DTypeInfo> all_dtypes();

std::string_view dtype_name(DType dtype);
std::optional<DType> dtype_from_name(std::string_view name);  // of a safetensors file
std::optional<DType> dtype_from_ggml(std::uint32_t number);   // of a GGUF file
bool is_floating(DType dtype);

// "BF16, F16, …": those that `belongs` picks, for a message.
std::string dtype_names(bool (*belongs)(const DTypeInfo&));

struct TensorSize {
  std::size_t elements = 0;
  std::size_t bytes = 0;
};

// Throws an Error that begins with `place` when a row of the last axis is no number of whole blocks
// or when the elements or bytes do not fit in 64 bits.
TensorSize tensor_size(DType dtype, std::span<const std::size_t> shape, const std::string& place);

// Reads elements [first, first + count) of a tensor whose stored bytes are `bytes` (any alignment)
// into out; the range may begin and end within blocks. The caller has checked it against the
// tensor. Real: float or double.
template <class Real>
void widen(DType dtype, std::span<const std::byte> bytes, std::size_t first, std::size_t count,
           Real* out);

// Stores fp32 values in whole blocks; throws for a type that nothing stores.
void narrow(DType dtype, std::span<const float> values, std::byte* out);

// The index of the first NaN or infinity, or `count`.
template <class Real>
std::size_t first_non_finite(const Real* values, std::size_t count);

extern template void widen<float>(DType, std::span<const std::byte>, std::size_t, std::size_t,
                                  float*);
extern template void widen<double>(DType, std::span<const std::byte>, std::size_t, std::size_t,
                                   double*);
extern template std::size_t first_non_finite<float>(const float*, std::size_t);
extern template std::size_t first_non_finite<double>(const double*, std::size_t);

}  // namespace assay
