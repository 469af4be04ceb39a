// SPDX-License-Identifier: Apache-2.0
// A tile of packed weights as floats [k][16], for products that multiply in f32. Exact.
//
// Included once for each target of Highway, by the kernels that need it.
#if defined(ASSAY_OPTIMIZED_EXPAND_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_OPTIMIZED_EXPAND_TILE_INL_H
#undef ASSAY_OPTIMIZED_EXPAND_TILE_INL_H
#else
#define ASSAY_OPTIMIZED_EXPAND_TILE_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "optimized/packing/k_blocks.h"
#include "optimized/packing/packed_weight.h"

HWY_BEFORE_NAMESPACE();
namespace assay::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::CappedTag<float, kTileRows>;
using U32 = hn::RebindToUnsigned<F32>;
using I32 = hn::RebindToSigned<F32>;

constexpr std::size_t kLanes = hn::MaxLanes(F32());
constexpr std::size_t kVectors = kTileRows / kLanes;  // of a tile's 16 rows

// Scales of the 16 rows of a block.
HWY_INLINE void load_scales(const std::byte* block, float* scales) {
  const F32 d;
  const hn::Rebind<hwy::float16_t, F32> half;
  for (std::size_t r = 0; r < kTileRows; r += kLanes) {
    hn::StoreU(
        hn::PromoteTo(d, hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(block) + r)), d,
        scales + r);
  }
}

// Element k of the rows of a block of q8_0 (offset 128) or q4_0 (offset 8), as codes.
template <bool kEight>
HWY_INLINE hn::Vec<I32> codes_at(const std::byte* block, std::size_t k, std::size_t r) {
  const U32 du;
  const std::size_t j = kEight ? k : k % 16;
  const auto* words = reinterpret_cast<const std::uint32_t*>(block + 32 + j / 4 * 64) + r;
  const int shift = static_cast<int>(j % 4 * 8) + (!kEight && k >= 16 ? 4 : 0);
  const auto bits =
      hn::And(hn::ShiftRightSame(hn::LoadU(du, words), shift), hn::Set(du, kEight ? 255U : 15U));
  return hn::Sub(hn::BitCast(I32(), bits), hn::Set(I32(), kEight ? 128 : 8));
}

// Blocks [first, end) of a tile.
template <bool kEight>
HWY_INLINE void expand_blocks(const std::byte* tile, std::size_t first, std::size_t end,
                              float* out) {
  constexpr std::size_t kBytes = kEight ? 544 : 288;
  const F32 d;
  for (std::size_t b = first; b < end; ++b) {
    const std::byte* const block = tile + b * kBytes;
    HWY_ALIGN float scales[kTileRows];
    load_scales(block, scales);
    for (std::size_t k = 0; k < kBlock; ++k, out += kTileRows) {
      for (std::size_t r = 0; r < kTileRows; r += kLanes) {
        const auto code = hn::ConvertTo(d, codes_at<kEight>(block, k, r));
        hn::StoreU(hn::Mul(code, hn::Load(d, scales + r)), d, out + r);
      }
    }
  }
}

// The two elements of each row in one word, k even.
HWY_INLINE void expand_bf16(const std::byte* tile, std::size_t first, std::size_t end, float* out) {
  const U32 du;
  const F32 d;
  const auto upper = hn::Set(du, 0xFFFF0000U);
  for (std::size_t k = first; k < end; k += 2, out += 2 * kTileRows) {
    const auto* words = reinterpret_cast<const std::uint32_t*>(tile) + k / 2 * kTileRows;
    for (std::size_t r = 0; r < kTileRows; r += kLanes) {
      const auto both = hn::LoadU(du, words + r);
      hn::StoreU(hn::BitCast(d, hn::ShiftLeft<16>(both)), d, out + r);
      hn::StoreU(hn::BitCast(d, hn::And(both, upper)), d, out + kTileRows + r);
    }
  }
}

// Code k of sub-block j of the rows of a super-block of a K type.
template <KType kType>
HWY_INLINE hn::Vec<I32> k_codes_at(const std::byte* block, std::size_t j, std::size_t k,
                                   std::size_t r) {
  constexpr KPlaces kAt = k_places(kType);
  const U32 du;
  const int byte = static_cast<int>(k % 4 * 8);
  const auto bits = [&](std::size_t place, std::size_t word, std::size_t shift,
                        std::uint32_t mask) HWY_ATTR {
    const auto* words =
        reinterpret_cast<const std::uint32_t*>(block + place) + word * kTileRows + r;
    return hn::And(hn::ShiftRightSame(hn::LoadU(du, words), byte + static_cast<int>(shift)),
                   hn::Set(du, mask));
  };
  const KCodes at = k_codes_of(kType, j);
  const std::size_t g = k / 4;
  auto code = bits(kAt.low, at.low + g, at.low_shift, 15);
  if constexpr (kType != KType::kQ4) {
    code = hn::Or(code, hn::ShiftLeft<4>(bits(kAt.high, at.high + g, at.high_shift, at.high_mask)));
  }
  const auto whole = hn::BitCast(I32(), code);
  return kType == KType::kQ6 ? hn::Sub(whole, hn::Set(I32(), 32)) : whole;
}

// The 16 small integers of the rows, times what load_scales makes of f16s.
template <class Integer>
HWY_INLINE void scaled_integers(const float* scales, const std::byte* integers, float* out) {
  const F32 d;
  const hn::Rebind<Integer, I32> narrow;
  for (std::size_t r = 0; r < kTileRows; r += kLanes) {
    const auto* at = reinterpret_cast<const Integer*>(integers) + r;
    const auto wide = hn::PromoteTo(I32(), hn::LoadU(narrow, at));
    hn::StoreU(hn::Mul(hn::Load(d, scales + r), hn::ConvertTo(d, wide)), d, out + r);
  }
}

// Sub-block j: d sc[j] code - dmin mn[j].
template <KType kType>
HWY_INLINE void expand_sub_block(const std::byte* block, const float* d_all, const float* dmin_all,
                                 std::size_t j, float* out) {
  constexpr KPlaces kAt = k_places(kType);
  constexpr std::size_t kPart = kType == KType::kQ6 ? 16 : 32;  // elements of one scale
  const F32 d;
  HWY_ALIGN float scale[kTileRows];
  HWY_ALIGN float minimum[kTileRows] = {};
  for (std::size_t part = 0; part < 32; part += kPart) {
    if constexpr (kType == KType::kQ6) {
      scaled_integers<std::int8_t>(d_all, block + kAt.scales + (2 * j + part / 16) * kTileRows,
                                   scale);
    } else {
      scaled_integers<std::uint8_t>(d_all, block + kAt.scales + j * kTileRows, scale);
      scaled_integers<std::uint8_t>(dmin_all, block + kAt.minima + j * kTileRows, minimum);
    }
    for (std::size_t k = part; k < part + kPart; ++k, out += kTileRows) {
      for (std::size_t r = 0; r < kTileRows; r += kLanes) {
        const auto code = hn::ConvertTo(d, k_codes_at<kType>(block, j, k, r));
        const auto product = hn::Mul(code, hn::Load(d, scale + r));  // exact
        hn::StoreU(hn::Sub(product, hn::Load(d, minimum + r)), d, out + r);
      }
    }
  }
}

// Sub-blocks [first, end) of a tile.
template <KType kType>
HWY_INLINE void expand_k(const std::byte* tile, std::size_t first, std::size_t end, float* out) {
  constexpr KPlaces kAt = k_places(kType);
  for (std::size_t b = first; b < end; ++b, out += kBlock * kTileRows) {
    const std::byte* const block = tile + b / 8 * kAt.bytes;
    HWY_ALIGN float d_all[kTileRows];
    HWY_ALIGN float dmin_all[kTileRows];
    load_scales(block, d_all);
    load_scales(block + kAt.minimum, dmin_all);
    expand_sub_block<kType>(block, d_all, dmin_all, b % 8, out);
  }
}

inline void expand_k(KType type, const std::byte* tile, std::size_t first, std::size_t end,
                     float* out) {
  switch (type) {
    case KType::kQ4:
      expand_k<KType::kQ4>(tile, first, end, out);
      return;
    case KType::kQ5:
      expand_k<KType::kQ5>(tile, first, end, out);
      return;
    case KType::kQ6:
      expand_k<KType::kQ6>(tile, first, end, out);
      return;
  }
}

inline void expand_rows(const WeightView& weight, const std::byte* tile, std::size_t first,
                        std::size_t end, float* out) {
  const std::size_t row_bytes = weight.tile / kTileRows;
  constexpr std::size_t kPiece = 512;
  float values[kPiece];
  for (; first < end; first += kPiece, out += kPiece * kTileRows) {
    const std::size_t count = std::min(kPiece, end - first);
    for (std::size_t r = 0; r < kTileRows; ++r) {
      widen(weight.stored, {tile + r * row_bytes, row_bytes}, first, count, values);
      for (std::size_t k = 0; k < count; ++k) {
        out[k * kTileRows + r] = values[k];
      }
    }
  }
}

// Columns [first, end) of tile `tile`, both multiples of 32 or the last column. `out` has room for
// one column more.
inline void expand_tile(const WeightView& weight, std::size_t tile, std::size_t first,
                        std::size_t end, float* out) {
  const std::byte* const from = weight.data + tile * weight.tile;
  switch (weight.layout) {
    case WeightLayout::kF32:
      std::memcpy(out, from + first * kTileRows * 4, (end - first) * kTileRows * 4);
      return;
    case WeightLayout::kBf16:
      expand_bf16(from, first, end, out);
      return;
    case WeightLayout::kQ8:
      expand_blocks<true>(from, first / kBlock, end / kBlock, out);
      return;
    case WeightLayout::kQ4:
      expand_blocks<false>(from, first / kBlock, end / kBlock, out);
      return;
    case WeightLayout::kK:
      expand_k(*k_type(weight.stored), from, first / kBlock, end / kBlock, out);
      return;
    case WeightLayout::kRows:
      expand_rows(weight, from, first, end, out);
      return;
  }
}

}  // namespace
}  // namespace assay::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
