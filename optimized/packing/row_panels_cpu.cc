// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "optimized/packing/k_blocks.h"
#include "optimized/packing/packed_weight.h"
#include "optimized/packing/row_panels.h"
#include "reference/family/base/number_formats.h"

#ifndef ASSAY_OPTIMIZED_DIGIT_PLACE
#define ASSAY_OPTIMIZED_DIGIT_PLACE
namespace assay::cpu {

// Where one digit of a block of one row lies: codes `height` words apart, and their sums.
struct DigitPlace {
  std::size_t height;
  std::int8_t* codes;
  std::int32_t* sum;
  std::int32_t* half_sum;

  DigitPlace after(std::size_t digits) const {
    const std::size_t count = digits * height;
    return {height, codes + count * kBlock, sum + count, half_sum + count};
  }
};

}  // namespace assay::cpu
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optimized/packing/row_panels_cpu.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace assay::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// max |x| of a block, infinity if any of it is NaN: as integers NaN is above all numbers.
float largest_of(const float* x) {
  const hn::CappedTag<float, 16> d;
  const hn::RebindToSigned<decltype(d)> di;
  auto most = hn::Zero(di);
  for (std::size_t k = 0; k < kBlock; k += hn::Lanes(d)) {
    most = hn::Max(most, hn::BitCast(di, hn::Abs(hn::LoadU(d, x + k))));
  }
  const float largest = std::bit_cast<float>(hn::GetLane(hn::MaxOfLanes(di, most)));
  return largest <= std::numeric_limits<float>::max() ? largest
                                                      : std::numeric_limits<float>::infinity();
}

// Of the codes of a block and of its first half.
struct CodeSums {
  std::int32_t half;
  std::int32_t all;
};

// code[k] = round(x[k] * factor), |code| < 128, and where rest is given, rest[k] = (x[k] * factor -
// code) * 254.
CodeSums round_block(const float* x, float factor, std::int8_t* code, float* rest) {
  const hn::CappedTag<float, 16> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<std::int8_t, decltype(d)> bytes;
  auto first = hn::Zero(di);
  auto sum = hn::Zero(di);
  for (std::size_t k = 0; k < kBlock; k += hn::Lanes(d)) {
    const auto z = hn::Mul(hn::LoadU(d, x + k), hn::Set(d, factor));
    const auto whole = hn::NearestInt(z);
    first = k == kBlock / 2 ? sum : first;
    sum = hn::Add(sum, whole);
    hn::StoreU(hn::DemoteTo(bytes, whole), bytes, code + k);
    if (rest != nullptr) {
      hn::StoreU(hn::Mul(hn::Sub(z, hn::ConvertTo(d, whole)), hn::Set(d, 254.0F)), d, rest + k);
    }
  }
  return {hn::GetLane(hn::SumOfLanes(di, first)), hn::GetLane(hn::SumOfLanes(di, sum))};
}

constexpr float kSmallest = 0x1p-120F;  // 127 / x overflows soon below
alignas(64) constexpr float kNothing[kBlock] = {};

void put_digit(const float* x, float factor, const DigitPlace& to, float* rest) {
  alignas(64) std::int8_t code[kBlock];
  const CodeSums sum = round_block(x, factor, code, rest);
  *to.sum = sum.all;
  *to.half_sum = sum.half;
  for (std::size_t word = 0; word < kBlock / 4; ++word) {
    std::memcpy(to.codes + word * to.height * 4, code + word * 4, 4);
  }
}

// One block of one row: the places are those of its first digit.
void quantise_block(const float* x, std::size_t digits, DigitPlace to, float* scale_out) {
  alignas(64) float rest[kBlock];
  const float largest = largest_of(x);
  const bool finite = largest < std::numeric_limits<float>::infinity();
  const float scale = largest / 127.0F;
  *scale_out = !finite       ? std::numeric_limits<float>::quiet_NaN()
               : digits == 1 ? float_from_f16(f16_from_float(scale))
                             : scale;
  float factor = finite && largest > kSmallest ? 127.0F / largest : 0.0F;
  x = finite ? x : kNothing;
  for (std::size_t digit = 0; digit < digits; ++digit) {
    put_digit(x, factor, to, digit + 1 < digits ? rest : nullptr);
    to = to.after(1);
    x = rest;
    factor = 1;
  }
}

// q8_K of 256 elements: their scale, and what makes them codes.
struct SuperScale {
  float scale;
  float factor;
};
SuperScale super_scale(const float* x) {
  float largest = 0;
  for (std::size_t k = 0; k < kSuperBlock; k += kBlock) {
    largest = std::max(largest, largest_of(x + k));
  }
  if (largest == std::numeric_limits<float>::infinity()) {
    return {std::numeric_limits<float>::quiet_NaN(), 0};
  }
  const float factor = largest > kSmallest ? 127.0F / largest : 0.0F;
  return {factor > 0 ? 1.0F / factor : 0.0F, factor};
}

// A row of whole super-blocks as the values of q8_K.
void round_to_q8_k(const float* x, std::size_t columns, float* out) {
  const hn::CappedTag<float, 16> d;
  for (std::size_t first = 0; first < columns; first += kSuperBlock) {
    const SuperScale by = super_scale(x + first);
    for (std::size_t k = first; k < first + kSuperBlock; k += hn::Lanes(d)) {
      const auto z = hn::Mul(hn::LoadU(d, x + k), hn::Set(d, by.factor));
      const auto code = hn::ConvertTo(d, hn::NearestInt(z));
      hn::StoreU(hn::Mul(code, hn::Set(d, by.scale)), d, out + k);
    }
  }
}

void pack_floats(const float* from, std::size_t columns, std::size_t height, bool to_bf16,
                 float* out) {
  for (std::size_t k = 0; k < columns; ++k) {
    out[k * height] = to_bf16 ? round_to_bf16(from[k]) : from[k];
  }
}

// Halves of floats rounded to bf16, each in the low bits of its lane.
template <class D, class V = hn::Vec<hn::RebindToUnsigned<D>>>
HWY_INLINE V rounded_halves(D d, const float* from) {
  const hn::RebindToUnsigned<D> du;
  const auto x = hn::LoadU(d, from);
  const auto bits = hn::BitCast(du, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1U));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFFU)));
  const auto quiet = hn::Or(bits, hn::Set(du, 0x400000U));  // a NaN stays one
  const auto is_nan = hn::RebindMask(du, hn::IsNaN(x));
  return hn::ShiftRight<16>(hn::IfThenElse(is_nan, quiet, rounded));
}

void pack_bf16(const float* from, std::size_t columns, std::size_t height, std::uint16_t* out) {
  const hn::CappedTag<float, 16> d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  std::size_t k = 0;
  if constexpr (kLanes > 1) {
    for (; k + kLanes <= columns; k += kLanes) {
      alignas(64) std::uint32_t half[kLanes];
      hn::Store(rounded_halves(d, from + k), hn::RebindToUnsigned<decltype(d)>(), half);
      for (std::size_t i = 0; i < kLanes; i += 2) {
        const std::uint32_t word = half[i] | half[i + 1] << 16;
        std::memcpy(out + (k + i) * height, &word, sizeof word);
      }
    }
  }
  for (; k < columns; ++k) {
    out[k / 2 * height * 2 + k % 2] = bf16_from_float(from[k]);
  }
  if (columns % 2 != 0) {
    out[columns / 2 * height * 2 + 1] = 0;
  }
}

int panel_height(RowFormat format) {
  if (is_int8(format)) {
    return 4;
  }
  if (format == RowFormat::kBf16) {
    return 8;
  }
  constexpr int kLanes = static_cast<int>(hn::MaxLanes(hn::CappedTag<float, 16>()));
  return kLanes == 16 ? 8 : kLanes == 8 ? 6 : kLanes == 4 ? 3 : 1;
}

void quantise_row(const float* x, std::size_t blocks, std::size_t digits, DigitPlace to,
                  float* scales) {
  for (std::size_t b = 0; b < blocks; ++b) {
    quantise_block(x + b * kBlock, digits, to.after(b * digits), scales + b * to.height);
  }
}

// As q8_K: eight blocks share a scale.
void quantise_row_k(const float* x, std::size_t blocks, DigitPlace to, float* scales) {
  SuperScale by{};
  for (std::size_t b = 0; b < blocks; ++b) {
    const float* from = x + b * kBlock;
    by = b % (kSuperBlock / kBlock) == 0 ? super_scale(from) : by;
    put_digit(std::isnan(by.scale) ? kNothing : from, by.factor, to.after(b), nullptr);
    scales[b * to.height] = by.scale;
  }
}

}  // namespace
}  // namespace assay::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::cpu {

HWY_EXPORT(panel_height);
HWY_EXPORT(quantise_row);
HWY_EXPORT(quantise_row_k);
HWY_EXPORT(round_to_q8_k);
HWY_EXPORT(pack_floats);
HWY_EXPORT(pack_bf16);

void RowPanels::reserve(std::size_t most_rows, std::size_t most_columns) {
  const std::size_t all = round_up(most_rows, 24) * round_up(most_columns, 2);
  const std::size_t blocks = all / kBlock + 24;
  if (values_.size() < all) {
    values_.resize(all);
  }
  if (scales_.size() < blocks) {
    scales_.resize(blocks);
    sums_.resize(blocks * 3);
    half_sums_.resize(blocks * 3);
  }
  if (zeros_.size() < most_columns) {
    zeros_.resize(most_columns);
  }
}

void RowPanels::pack(const RowsView& x, RowFormat to, const Threads& threads) {
  format = to;
  rows = x.rows;
  columns = x.columns;
  height = x.rows == 1 ? 1 : static_cast<std::size_t>(HWY_DYNAMIC_DISPATCH(panel_height)(to));
  reserve(rows, columns);
  threads.split(panels() * height, height, [&](std::size_t first, std::size_t end) {
    for (std::size_t row = first; row < end; ++row) {
      pack_row(row < x.rows ? x.row(row) : zeros_.data(), row / height, row % height);
    }
  });
}

void RowPanels::pack_row(const float* x, std::size_t panel, std::size_t r) {
  if (is_int8(format)) {
    pack_codes(x, panel, r);
    return;
  }
  if (format == RowFormat::kBf16) {
    HWY_DYNAMIC_DISPATCH(pack_bf16)
    (x, columns, height, const_cast<std::uint16_t*>(bf16(panel)) + 2 * r);
    return;
  }
  if (format == RowFormat::kF32RoundedToInt8K) {
    static thread_local std::vector<float> values;
    values.resize(columns);
    HWY_DYNAMIC_DISPATCH(round_to_q8_k)(x, columns, values.data());
    x = values.data();
  }
  HWY_DYNAMIC_DISPATCH(pack_floats)
  (x, columns, height, format == RowFormat::kF32RoundedToBf16, const_cast<float*>(f32(panel)) + r);
}

void RowPanels::pack_codes(const float* x, std::size_t panel, std::size_t r) {
  const DigitPlace to{height, const_cast<std::int8_t*>(int8(panel)) + 4 * r,
                      const_cast<std::int32_t*>(sums(panel)) + r,
                      const_cast<std::int32_t*>(half_sums(panel)) + r};
  float* const scale = const_cast<float*>(scales(panel)) + r;
  if (format == RowFormat::kInt8K) {
    HWY_DYNAMIC_DISPATCH(quantise_row_k)(x, blocks(), to, scale);
  } else {
    HWY_DYNAMIC_DISPATCH(quantise_row)(x, blocks(), digits_of(format), to, scale);
  }
}

}  // namespace assay::cpu
#endif
