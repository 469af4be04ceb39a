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
    case WeightLayout::kRows:
      expand_rows(weight, from, first, end, out);
      return;
  }
}

}  // namespace
}  // namespace assay::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
