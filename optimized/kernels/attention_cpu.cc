// SPDX-License-Identifier: Apache-2.0
#include "optimized/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "optimized/kernels/attention_tile.h"
#include "reference/family/base/number_formats.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optimized/kernels/attention_cpu.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace assay::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::CappedTag<float, kKeyGroup>;
using Vector = hn::Vec<F32>;

constexpr std::size_t kLanes = hn::MaxLanes(F32());
constexpr std::size_t kVectors = kKeyGroup / kLanes;  // of 16 numbers
constexpr std::size_t kWide = kLanes == 16 ? 2 : 1;   // groups of 16 in one step
constexpr std::size_t kHeight = kLanes == 16 ? 8 : kLanes == 8 ? 4 : kLanes == 4 ? 2 : 1;

HWY_INLINE Vector load(const float* from) {
  return hn::LoadU(F32(), from);
}
HWY_INLINE Vector load(const std::uint16_t* from) {
  const hn::Rebind<hwy::bfloat16_t, F32> half;
  return hn::PromoteTo(F32(), hn::LoadU(half, reinterpret_cast<const hwy::bfloat16_t*>(from)));
}

// scores[m][s] = sum_d q[d][m] k[d][s], kWide groups of 16 keys.
template <class Value, std::size_t H>
HWY_INLINE void score_groups(const float* q, const Value* keys, std::size_t head_dim,
                             float* scores) {
  const F32 d;
  constexpr std::size_t kAcross = kWide * kVectors;
  Vector sum[H][kAcross];
  for (auto& row : sum) {
    for (Vector& value : row) {
      value = hn::Zero(d);
    }
  }
  for (std::size_t c = 0; c < head_dim; ++c) {
    Vector key[kAcross];
    for (std::size_t v = 0; v < kAcross; ++v) {
      key[v] =
          load(keys + v / kVectors * head_dim * kKeyGroup + c * kKeyGroup + v % kVectors * kLanes);
    }
    for (std::size_t m = 0; m < H; ++m) {
      const auto value = hn::Set(d, q[c * H + m]);
      for (std::size_t v = 0; v < kAcross; ++v) {
        sum[m][v] = hn::MulAdd(key[v], value, sum[m][v]);
      }
    }
  }
  for (std::size_t m = 0; m < H; ++m) {
    for (std::size_t v = 0; v < kAcross; ++v) {
      hn::StoreU(sum[m][v], d, scores + m * kKeyBlock + v * kLanes);
    }
  }
}

// Keys of a block that some row sees.
struct KeyRange {
  std::size_t first = 0;
  std::size_t end = kKeyBlock;
};

// out[m][c] += sum_s probs[m][s] v[s][c] for N groups of 16 channels.
template <class Value, std::size_t H, std::size_t N>
HWY_INLINE void mix_groups(const float* probs, const Value* values, std::size_t stride,
                           KeyRange keys, float* out) {
  const F32 d;
  constexpr std::size_t kAcross = N * kVectors;
  Vector sum[H][kAcross];
  for (std::size_t m = 0; m < H; ++m) {
    for (std::size_t v = 0; v < kAcross; ++v) {
      sum[m][v] = hn::LoadU(d, out + m * stride + v * kLanes);
    }
  }
  values += keys.first * stride;
  for (std::size_t s = keys.first; s < keys.end; ++s, values += stride) {
    Vector value[kAcross];
    for (std::size_t v = 0; v < kAcross; ++v) {
      value[v] = load(values + v * kLanes);
    }
    for (std::size_t m = 0; m < H; ++m) {
      const auto weight = hn::Set(d, probs[m * kKeyBlock + s]);
      for (std::size_t v = 0; v < kAcross; ++v) {
        sum[m][v] = hn::MulAdd(value[v], weight, sum[m][v]);
      }
    }
  }
  for (std::size_t m = 0; m < H; ++m) {
    for (std::size_t v = 0; v < kAcross; ++v) {
      hn::StoreU(sum[m][v], d, out + m * stride + v * kLanes);
    }
  }
}

// exp(s - most) of one row, with the larger of the row's and the former maximum; the former sums
// shrink accordingly.
HWY_INLINE void soften_row(float* scores, float* out, std::size_t width, float& most, float& sum) {
  const F32 d;
  auto largest = hn::Set(d, kHidden);
  for (std::size_t s = 0; s < kKeyBlock; s += kLanes) {
    largest = hn::Max(largest, hn::LoadU(d, scores + s));
  }
  const float row_most = hn::GetLane(hn::MaxOfLanes(d, largest));
  if (row_most == kHidden) {  // no key is visible, or only such whose score is no number
    for (std::size_t s = 0; s < kKeyBlock; ++s) {
      scores[s] = std::isnan(scores[s]) ? scores[s] : 0.0F;
      sum += scores[s];
    }
    return;
  }
  const float now = std::max(most, row_most);
  if (now != most) {
    const float shrink = std::exp(most - now);
    const auto by = hn::Set(d, shrink);
    for (std::size_t c = 0; c < width; c += kLanes) {
      hn::StoreU(hn::Mul(hn::LoadU(d, out + c), by), d, out + c);
    }
    sum *= shrink;
    most = now;
  }
  const auto base = hn::Set(d, now);
  const auto least = hn::Set(d, kLeastShare);
  auto total = hn::Zero(d);
  for (std::size_t s = 0; s < kKeyBlock; s += kLanes) {
    const auto below = hn::Sub(hn::LoadU(d, scores + s), base);
    auto value = hn::Exp(d, below);  // of NaN 0
    value = hn::IfThenElseZero(hn::Ge(value, least), value);
    value = hn::IfThenElse(hn::IsNaN(below), below, value);
    hn::StoreU(value, d, scores + s);
    total = hn::Add(total, value);
  }
  sum += hn::GetLane(hn::SumOfLanes(d, total));
}

void hide(const VisibleKeys& visible, std::size_t first, float* scores) {
  const std::size_t end = first + kKeyBlock;
  if (visible.first <= first && visible.last + 1 >= end && visible.mask == nullptr) {
    return;
  }
  for (std::size_t s = first; s < end; ++s) {
    bool seen = visible.first <= s && s <= visible.last;
    if (seen && visible.mask != nullptr) {
      seen = visible.mask[s - visible.mask_first] != 0;
    }
    scores[s - first] = seen ? scores[s - first] : kHidden;
  }
}

// The block that begins at key `first`: where it lies, and which of it the rows of a panel see.
KeyRange seen_keys(const AttentionTile& tile, std::size_t row, std::size_t rows,
                   std::size_t first) {
  KeyRange seen{kKeyBlock, 0};
  for (std::size_t m = row; m < row + rows; ++m) {
    const VisibleKeys& visible = tile.visible[m];
    if (visible.first <= visible.last && visible.first < first + kKeyBlock &&
        visible.last >= first) {
      seen.first = std::min(seen.first, visible.first > first ? visible.first - first : 0);
      seen.end = std::max(seen.end, std::min(kKeyBlock, visible.last + 1 - first));
    }
  }
  return seen;
}

// H rows of the tile with one block of keys and values.
template <class Value, std::size_t H>
HWY_INLINE void panel_block(const AttentionTile& tile, std::size_t head_dim, std::size_t row,
                            std::size_t first, const Value* keys, const Value* values) {
  const std::size_t rows = std::min(H, tile.rows - row);
  const KeyRange seen = seen_keys(tile, row, rows, first);
  if (seen.first >= seen.end) {
    return;
  }
  const std::size_t width = value_stride(head_dim);
  HWY_ALIGN float scores[H * kKeyBlock];
  constexpr std::size_t kStep = kWide * kKeyGroup;
  for (std::size_t s = seen.first / kStep * kStep; s < seen.end; s += kStep) {
    score_groups<Value, H>(tile.panels + row * head_dim, keys + s * head_dim, head_dim, scores + s);
  }
  float* const out = tile.out + row * width;
  for (std::size_t m = 0; m < rows; ++m) {
    hide(tile.visible[row + m], first, scores + m * kKeyBlock);
    soften_row(scores + m * kKeyBlock, out + m * width, width, tile.most[row + m],
               tile.sum[row + m]);
  }
  std::size_t c = 0;
  for (; c + kStep <= width; c += kStep) {
    mix_groups<Value, H, kWide>(scores, values + c, width, seen, out + c);
  }
  if (c < width) {
    mix_groups<Value, H, 1>(scores, values + c, width, seen, out + c);
  }
}

// The rows from `row` on, in panels as high as registers allow and lower ones for what is left.
// Work: work(row, height).
template <std::size_t H, class Work>
HWY_INLINE void each_panel(std::size_t rows, std::size_t row, const Work& work) {
  for (; row + H / 2 < rows || (H == 1 && row < rows); row += H) {
    work(row, std::integral_constant<std::size_t, H>());
  }
  if constexpr (H > 1) {
    each_panel<H / 2>(rows, row, work);
  }
}

// Queries as the scores read them; rows that are not there are copies of the last.
void pack_queries(const AttentionTile& tile, std::size_t head_dim) {
  each_panel<kHeight>(tile.rows, 0, [&](std::size_t row, auto height) {
    for (std::size_t m = 0; m < height; ++m) {
      const float* const q = tile.queries[std::min(row + m, tile.rows - 1)];
      for (std::size_t c = 0; c < head_dim; ++c) {
        tile.panels[row * head_dim + c * height + m] = q[c];
      }
    }
  });
}

template <class Value>
void tile_block(const AttentionTile& tile, std::size_t head_dim, std::size_t first,
                const Value* keys, const Value* values) {
  each_panel<kHeight>(tile.rows, 0, [&](std::size_t row, auto height) HWY_ATTR {
    panel_block<Value, height>(tile, head_dim, row, first, keys, values);
  });
}

void widen_block(const std::uint16_t* from, std::size_t count, float* to) {
  const F32 d;
  for (std::size_t i = 0; i < count; i += kLanes) {
    hn::StoreU(load(from + i), d, to + i);
  }
}

void attend_bf16(const AttentionTile& tile, std::size_t head_dim, std::size_t first,
                 const std::uint16_t* keys, const std::uint16_t* values) {
  if (tile.rows <= kHeight) {  // each key is read once: widened in the registers
    tile_block(tile, head_dim, first, keys, values);
    return;
  }
  const std::size_t width = value_stride(head_dim);
  float* const wide_values = tile.widened + kKeyBlock * head_dim;
  widen_block(keys, kKeyBlock * head_dim, tile.widened);
  widen_block(values, kKeyBlock * width, wide_values);
  tile_block<float>(tile, head_dim, first, tile.widened, wide_values);
}

void attend_tile(const AttentionTile& tile, const HeadCache& cache) {
  const std::size_t head_dim = cache.head_dim;
  pack_queries(tile, head_dim);
  for (std::size_t first = tile.first / kKeyBlock * kKeyBlock; first < tile.end;
       first += kKeyBlock) {
    const std::size_t keys = first % cache.slots * head_dim;
    const std::size_t values = first % cache.slots * value_stride(head_dim);
    if (cache.type == CacheType::kBf16) {
      attend_bf16(tile, head_dim, first, reinterpret_cast<const std::uint16_t*>(cache.keys) + keys,
                  reinterpret_cast<const std::uint16_t*>(cache.values) + values);
    } else {
      tile_block(tile, head_dim, first, reinterpret_cast<const float*>(cache.keys) + keys,
                 reinterpret_cast<const float*>(cache.values) + values);
    }
  }
}

}  // namespace
}  // namespace assay::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::cpu {

HWY_EXPORT(attend_tile);

void attend(const AttentionTile& tile, const HeadCache& cache) {
  HWY_DYNAMIC_DISPATCH(attend_tile)(tile, cache);
}

}  // namespace assay::cpu
#endif
