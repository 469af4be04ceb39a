// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/dtype.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "reference/family/base/error.h"
#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/ggml_blocks.h"

namespace assay {
namespace {

template <class Stored>
Stored as_stored(Stored value) {
  return value;
}

// A plain loop over unaligned elements; the compiler turns it into vector loads and stores.
template <class Stored, auto kConvert, class Real>
void widen_each(const std::byte* bytes, std::size_t count, Real* out) {
  for (std::size_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, bytes + i * sizeof(Stored), sizeof(Stored));
    out[i] = static_cast<Real>(kConvert(stored));
  }
}

template <class Stored, auto kConvert>
void store_each(const float* values, std::size_t count, std::byte* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const Stored stored = kConvert(values[i]);
    std::memcpy(out + i * sizeof(Stored), &stored, sizeof(Stored));
  }
}

// A type of one element a block.
template <class Stored, auto kConvert = as_stored<Stored>>
constexpr DTypeInfo plain(std::string_view name, int ggml_type) {
  return {.name = name,
          .block_bytes = sizeof(Stored),
          .floating = false,
          .in_safetensors = true,
          .ggml_type = ggml_type,
          .to_float = widen_each<Stored, kConvert, float>,
          .to_double = widen_each<Stored, kConvert, double>};
}

template <auto kFrom>
constexpr DTypeInfo byte_float(std::string_view name) {
  DTypeInfo info = plain<std::uint8_t, kFrom>(name, -1);
  info.floating = true;
  return info;
}

template <class Stored, auto kFrom, auto kTo>
constexpr DTypeInfo plain_float(std::string_view name, int ggml_type) {
  DTypeInfo info = plain<Stored, kFrom>(name, ggml_type);
  info.floating = true;
  info.from_float = store_each<Stored, kTo>;
  return info;
}

double double_of(float value) {
  return value;
}

// A type of many elements a block, which only GGUF files have.
template <GgmlBlock kBlock>
constexpr DTypeInfo block(std::string_view name, std::size_t elements, std::size_t bytes,
                          decltype(DTypeInfo::from_float) from_float = nullptr) {
  return {.name = name,
          .block_elements = elements,
          .block_bytes = bytes,
          .ggml_type = static_cast<int>(kBlock),
          .to_float = widen_ggml<kBlock, float>,
          .to_double = widen_ggml<kBlock, double>,
          .from_float = from_float};
}

constexpr int kNone = -1;  // GGUF has no such type

constexpr std::array kDTypes = {
    plain_float<std::uint16_t, float_from_bf16, bf16_from_float>("BF16", 30),
    plain_float<std::uint16_t, float_from_f16, f16_from_float>("F16", 1),
    plain_float<float, as_stored<float>, as_stored<float>>("F32", 0),
    plain_float<double, as_stored<double>, double_of>("F64", 28),
    byte_float<float_from_e4m3>("F8_E4M3"),
    byte_float<float_from_e5m2>("F8_E5M2"),
    byte_float<float_from_e8m0>("F8_E8M0"),
    plain<std::int64_t>("I64", 27),
    plain<std::int32_t>("I32", 26),
    plain<std::int16_t>("I16", 25),
    plain<std::int8_t>("I8", 24),
    plain<std::uint64_t>("U64", kNone),
    plain<std::uint32_t>("U32", kNone),
    plain<std::uint16_t>("U16", kNone),
    plain<std::uint8_t>("U8", kNone),
    plain<std::uint8_t>("BOOL", kNone),
    block<GgmlBlock::kQ8_0>("Q8_0", 32, 34, store_q8_0),
    block<GgmlBlock::kQ4_0>("Q4_0", 32, 18, store_q4_0),
    block<GgmlBlock::kQ4_1>("Q4_1", 32, 20),
    block<GgmlBlock::kQ5_0>("Q5_0", 32, 22),
    block<GgmlBlock::kQ5_1>("Q5_1", 32, 24),
    block<GgmlBlock::kQ4K>("Q4_K", 256, 144),
    block<GgmlBlock::kQ5K>("Q5_K", 256, 176),
    block<GgmlBlock::kQ6K>("Q6_K", 256, 210),
    block<GgmlBlock::kIq4Nl>("IQ4_NL", 32, 18),
    block<GgmlBlock::kMxfp4>("MXFP4", 32, 17),
    block<GgmlBlock::kNvfp4>("NVFP4", 64, 36),
};

constexpr const DTypeInfo& row(std::string_view name) {
  return *std::find_if(kDTypes.begin(), kDTypes.end(),
                       [name](const DTypeInfo& info) { return info.name == name; });
}

template <class Real>
void widen_blocks(const DTypeInfo& info, const std::byte* bytes, std::size_t count, Real* out) {
  if constexpr (std::is_same_v<Real, float>) {
    info.to_float(bytes, count, out);
  } else {
    info.to_double(bytes, count, out);
  }
}

// Elements [skipped, skipped + count) of one block.
template <class Real>
void widen_part(const DTypeInfo& info, const std::byte* block, std::size_t skipped,
                std::size_t count, Real* out) {
  assert(info.block_elements <= kMaxBlockElements);
  std::array<Real, kMaxBlockElements> values = {};
  widen_blocks(info, block, info.block_elements, values.data());
  std::copy_n(values.data() + skipped, count, out);
}

}  // namespace

constinit const DType DType::kBf16{row("BF16")};
constinit const DType DType::kF16{row("F16")};
constinit const DType DType::kF32{row("F32")};
constinit const DType DType::kF64{row("F64")};
constinit const DType DType::kI64{row("I64")};
constinit const DType DType::kI32{row("I32")};

std::span<const DTypeInfo> all_dtypes() {
  return kDTypes;
}

std::string_view dtype_name(DType dtype) {
  return dtype.info().name;
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DTypeInfo& info : kDTypes) {
    if (info.in_safetensors && info.name == name) {
      return DType(info);
    }
  }
  return std::nullopt;
}

std::optional<DType> dtype_from_ggml(std::uint32_t number) {
  for (const DTypeInfo& info : kDTypes) {
    if (info.ggml_type >= 0 && static_cast<std::uint32_t>(info.ggml_type) == number) {
      return DType(info);
    }
  }
  return std::nullopt;
}

bool is_floating(DType dtype) {
  return dtype.info().floating;
}

std::string dtype_names(bool (*belongs)(const DTypeInfo&)) {
  std::string names;
  for (const DTypeInfo& info : kDTypes) {
    if (belongs(info)) {
      names += (names.empty() ? "" : ", ") + std::string(info.name);
    }
  }
  return names;
}

TensorSize tensor_size(DType dtype, std::span<const std::size_t> shape, const std::string& place) {
  const std::size_t block_elements = dtype.info().block_elements;
  const std::size_t block_bytes = dtype.info().block_bytes;
  const std::size_t row = shape.empty() ? 1 : shape.back();
  if (row % block_elements != 0) {
    throw Error(place + "shape: got " + shape_string(shape) +
                ", expected rows of whole blocks of " + std::to_string(block_elements) +
                " elements, as " + std::string(dtype_name(dtype)) + " has them");
  }
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  const std::size_t most_blocks = kMost / std::max(block_bytes, block_elements);
  const std::size_t most = most_blocks * block_elements;
  std::size_t elements = 1;
  for (const std::size_t extent : shape) {
    if (extent != 0 && elements > most / extent) {
      throw Error(place + "shape: got " + shape_string(shape) +
                  ", expected a product of fewer than 2^64 bytes");
    }
    elements *= extent;
  }
  return {elements, elements / block_elements * block_bytes};
}

template <class Real>
void widen(DType dtype, std::span<const std::byte> bytes, std::size_t first, std::size_t count,
           Real* out) {
  const DTypeInfo& info = dtype.info();
  const std::size_t size = info.block_elements;
  for (const std::size_t end = first + count; first < end;) {
    const std::byte* block = bytes.data() + first / size * info.block_bytes;
    const std::size_t skipped = first % size;
    const std::size_t whole = (end - first) / size * size;
    const std::size_t done =
        skipped == 0 && whole > 0 ? whole : std::min(size - skipped, end - first);
    if (done == whole) {
      widen_blocks(info, block, whole, out);
    } else {
      widen_part(info, block, skipped, done, out);
    }
    first += done;
    out += done;
  }
}

void narrow(DType dtype, std::span<const float> values, std::byte* out) {
  const DTypeInfo& info = dtype.info();
  if (info.from_float == nullptr) {
    throw Error("dtype: got " + std::string(info.name) + ", expected one of " +
                dtype_names([](const DTypeInfo& row) { return row.from_float != nullptr; }));
  }
  assert(values.size() % info.block_elements == 0);
  info.from_float(values.data(), values.size(), out);
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

template void widen<float>(DType, std::span<const std::byte>, std::size_t, std::size_t, float*);
template void widen<double>(DType, std::span<const std::byte>, std::size_t, std::size_t, double*);
template std::size_t first_non_finite<float>(const float*, std::size_t);
template std::size_t first_non_finite<double>(const double*, std::size_t);

}  // namespace assay
