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
constexpr std::size_t kWide = kLanes == 16 ? 2 : 1;   // groups of 16 keys in one step
constexpr std::size_t kDeep = kLanes == 16 ? 3 : 1;   // groups of 16 channels
constexpr std::size_t kHeight = kLanes == 16 ? 8 : kLanes == 8 ? 4 : kLanes == 4 ? 2 : 1;

// Rows of queries that lie interleaved, [H/unit][d][unit], in a panel of H.
constexpr std::size_t unit_of(std::size_t height) {
  return height < 4 ? height : 4;
}

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
  constexpr std::size_t kUnit = unit_of(H);
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
      const auto value = hn::Set(d, q[m / kUnit * head_dim * kUnit + c * kUnit + m % kUnit]);
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
  bool empty() const { return first >= end; }
};

// out[m][c] += sum_s probs[m][s] v[s][c] for N groups of 16 channels.
template <class Value, std::size_t H, std::size_t N>
HWY_INLINE void mix_groups(const float* probs, const Value* values, std::size_t stride,
                           KeyRange keys, float* out) {
  const F32 d;
  constexpr std::size_t kAcross = N * kVectors;
  constexpr std::size_t kGroup = kKeyBlock * kKeyGroup;
  Vector sum[H][kAcross];
  for (std::size_t m = 0; m < H; ++m) {
    for (std::size_t v = 0; v < kAcross; ++v) {
      sum[m][v] = hn::LoadU(d, out + m * stride + v * kLanes);
    }
  }
  for (std::size_t s = keys.first; s < keys.end; ++s) {
    Vector value[kAcross];
    for (std::size_t v = 0; v < kAcross; ++v) {
      value[v] = load(values + v / kVectors * kGroup + s * kKeyGroup + v % kVectors * kLanes);
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
// shrink accordingly. `sum` is kept in lanes.
HWY_INLINE void soften_row(float* scores, float* out, std::size_t width, float& most, float* sum) {
  const F32 d;
  auto largest = hn::Set(d, kHidden);
  for (std::size_t s = 0; s < kKeyBlock; s += kLanes) {
    largest = hn::Max(largest, hn::LoadU(d, scores + s));
  }
  const float row_most = hn::GetLane(hn::MaxOfLanes(d, largest));
  auto total = hn::LoadU(d, sum);
  if (row_most == kHidden) {  // no key is visible, or only such whose score is no number
    for (std::size_t s = 0; s < kKeyBlock; s += kLanes) {
      const auto score = hn::LoadU(d, scores + s);
      const auto value = hn::IfThenElseZero(hn::IsNaN(score), score);
      hn::StoreU(value, d, scores + s);
      total = hn::Add(total, value);
    }
    hn::StoreU(total, d, sum);
    return;
  }
  const float now = std::max(most, row_most);
  if (now != most) {
    const auto by = hn::Exp(d, hn::Set(d, most - now));
    for (std::size_t c = 0; c < width; c += kLanes) {
      hn::StoreU(hn::Mul(hn::LoadU(d, out + c), by), d, out + c);
    }
    total = hn::Mul(total, by);
    most = now;
  }
  const auto base = hn::Set(d, now);
  const auto least = hn::Set(d, kLeastShare);
  for (std::size_t s = 0; s < kKeyBlock; s += kLanes) {
    const auto below = hn::Sub(hn::LoadU(d, scores + s), base);
    auto value = hn::Exp(d, below);  // of NaN 0
    value = hn::IfThenElseZero(hn::Ge(value, least), value);
    value = hn::IfThenElse(hn::IsNaN(below), below, value);
    hn::StoreU(value, d, scores + s);
    total = hn::Add(total, value);
  }
  hn::StoreU(total, d, sum);
}

void hide(const VisibleKeys& visible, std::size_t first, float* scores) {
  const std::size_t end = first + kKeyBlock;
  const std::size_t from = std::clamp(visible.first, first, end);
  const std::size_t to = std::clamp(visible.last + 1, from, end);
  std::fill(scores, scores + (from - first), kHidden);
  std::fill(scores + (to - first), scores + kKeyBlock, kHidden);
  for (std::size_t s = from; s < to && visible.mask != nullptr; ++s) {
    scores[s - first] = visible.mask[s - visible.mask_first] != 0 ? scores[s - first] : kHidden;
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
template <std::size_t H>
HWY_INLINE void pack_panel(const AttentionTile& tile, std::size_t head_dim, std::size_t row) {
  constexpr std::size_t kUnit = unit_of(H);
  for (std::size_t unit = 0; unit < H; unit += kUnit) {
    const float* q[kUnit];
    for (std::size_t m = 0; m < kUnit; ++m) {
      q[m] = tile.queries[std::min(row + unit + m, tile.rows - 1)];
    }
    float* const panel = tile.panels + (row + unit) * head_dim;
    std::size_t c = 0;
    if constexpr (kUnit == 4) {
      const F32 d;
      for (; c + kLanes <= head_dim; c += kLanes) {
        hn::StoreInterleaved4(load(q[0] + c), load(q[1] + c), load(q[2] + c), load(q[3] + c), d,
                              panel + c * kUnit);
      }
    }
    for (; c < head_dim; ++c) {
      for (std::size_t m = 0; m < kUnit; ++m) {
        panel[c * kUnit + m] = q[m][c];
      }
    }
  }
}

// The rows of a tile and one block of keys and values.
template <class Value>
struct Block {
  const AttentionTile& tile;
  std::size_t head_dim;
  const Value* keys;
  const Value* values;
  float* sums;                       // [rows][kKeyGroup], in lanes
  float* scores;                     // [rows][kKeyBlock]
  KeyRange seen[kTileQueries] = {};  // by the panel that begins with this row
};

// A step of keys meets all panels while it is in the first cache.
template <class Value>
HWY_INLINE void score_block(Block<Value>& block) {
  constexpr std::size_t kStep = kWide * kKeyGroup;
  for (std::size_t s = 0; s < kKeyBlock; s += kStep) {
    each_panel<kHeight>(block.tile.rows, 0, [&](std::size_t row, auto height) HWY_ATTR {
      const KeyRange seen = block.seen[row];
      if (s < seen.end && s + kStep > seen.first) {
        score_groups<Value, height>(block.tile.panels + row * block.head_dim,
                                    block.keys + s * block.head_dim, block.head_dim,
                                    block.scores + row * kKeyBlock + s);
      }
    });
  }
}

template <class Value, std::size_t N>
HWY_INLINE void mix_channels(Block<Value>& block, std::size_t c) {
  const std::size_t width = value_stride(block.head_dim);
  each_panel<kHeight>(block.tile.rows, 0, [&](std::size_t row, auto height) HWY_ATTR {
    if (!block.seen[row].empty()) {
      mix_groups<Value, height, N>(block.scores + row * kKeyBlock, block.values + c * kKeyBlock,
                                   width, block.seen[row], block.tile.out + row * width + c);
    }
  });
}

// As many channels at a time as registers hold.
template <std::size_t N, class Value>
HWY_INLINE void mix_block(Block<Value>& block, std::size_t c) {
  const std::size_t width = value_stride(block.head_dim);
  for (; c + N * kKeyGroup <= width; c += N * kKeyGroup) {
    mix_channels<Value, N>(block, c);
  }
  if constexpr (N > 1) {
    mix_block<N - 1>(block, c);
  }
}

template <class Value>
void tile_block(const AttentionTile& tile, std::size_t head_dim, std::size_t first,
                const Value* keys, const Value* values, float* sums) {
  HWY_ALIGN float scores[kTileQueries * kKeyBlock];
  Block<Value> block{tile, head_dim, keys, values, sums, scores};
  each_panel<kHeight>(tile.rows, 0, [&](std::size_t row, auto height) HWY_ATTR {
    block.seen[row] = seen_keys(tile, row, std::min(+height, tile.rows - row), first);
  });
  score_block(block);
  const std::size_t width = value_stride(head_dim);
  each_panel<kHeight>(tile.rows, 0, [&](std::size_t row, auto height) HWY_ATTR {
    for (std::size_t m = row; m < std::min(row + height, tile.rows) && !block.seen[row].empty();
         ++m) {
      hide(tile.visible[m], first, block.scores + m * kKeyBlock);
      soften_row(block.scores + m * kKeyBlock, tile.out + m * width, width, tile.most[m],
                 sums + m * kKeyGroup);
    }
  });
  mix_block<kDeep>(block, 0);
}

void widen_block(const std::uint16_t* from, std::size_t count, float* to) {
  const F32 d;
  for (std::size_t i = 0; i < count; i += kLanes) {
    hn::StoreU(load(from + i), d, to + i);
  }
}

void attend_bf16(const AttentionTile& tile, std::size_t head_dim, std::size_t first,
                 const std::uint16_t* keys, const std::uint16_t* values, float* sums) {
  if (tile.rows <= kHeight) {  // each key is read once: widened in the registers
    tile_block(tile, head_dim, first, keys, values, sums);
    return;
  }
  const std::size_t width = value_stride(head_dim);
  float* const wide_values = tile.widened + kKeyBlock * head_dim;
  widen_block(keys, kKeyBlock * head_dim, tile.widened);
  widen_block(values, kKeyBlock * width, wide_values);
  tile_block<float>(tile, head_dim, first, tile.widened, wide_values, sums);
}

HWY_INLINE Vector load(const std::int8_t* from) {
  const hn::RebindToSigned<F32> wide;
  const hn::Rebind<std::int8_t, decltype(wide)> codes;
  return hn::ConvertTo(F32(), hn::PromoteTo(wide, hn::LoadU(codes, from)));
}

// Of 16 numbers, each times its own scale.
HWY_INLINE void widen_group(const std::int8_t* from, const Vector (&scale)[kVectors], float* to) {
  for (std::size_t v = 0; v < kVectors; ++v) {
    hn::StoreU(hn::Mul(load(from + v * kLanes), scale[v]), F32(), to + v * kLanes);
  }
}

// [4][head_dim][16] codes, [4][head_dim/32][16] scales.
void widen_keys(const std::int8_t* codes, const std::uint16_t* scales, std::size_t head_dim,
                float* to) {
  for (std::size_t group = 0; group < kKeyBlock / kKeyGroup; ++group) {
    Vector scale[kVectors];
    for (std::size_t c = 0; c < head_dim; ++c) {
      if (c % kScaledChannels == 0) {
        HWY_ALIGN float wide[kKeyGroup];
        std::transform(scales, scales + kKeyGroup, wide, float_from_f16);
        scales += kKeyGroup;
        for (std::size_t v = 0; v < kVectors; ++v) {
          scale[v] = load(wide + v * kLanes);
        }
      }
      widen_group(codes, scale, to);
      codes += kKeyGroup;
      to += kKeyGroup;
    }
  }
}

// [head_dim/16][64][16] codes, [head_dim/32][64] scales.
void widen_values(const std::int8_t* codes, const std::uint16_t* scales, std::size_t head_dim,
                  float* to) {
  float wide[kKeyBlock];
  for (std::size_t c = 0; c < head_dim; c += kKeyGroup) {
    if (c % kScaledChannels == 0) {
      std::transform(scales, scales + kKeyBlock, wide, float_from_f16);
      scales += kKeyBlock;
    }
    for (std::size_t s = 0; s < kKeyBlock; ++s) {
      Vector scale[kVectors];
      std::fill_n(scale, kVectors, hn::Set(F32(), wide[s]));
      widen_group(codes, scale, to);
      codes += kKeyGroup;
      to += kKeyGroup;
    }
  }
}

void attend_q8_0(const AttentionTile& tile, const HeadCache& cache, std::size_t first,
                 float* sums) {
  const std::size_t head_dim = cache.head_dim;
  const std::size_t slot = first % cache.slots;
  const std::size_t scales = slot * scale_count(head_dim);
  float* const wide_values = tile.widened + kKeyBlock * head_dim;
  widen_keys(reinterpret_cast<const std::int8_t*>(cache.keys) + slot * head_dim,
             cache.key_scales + scales, head_dim, tile.widened);
  widen_values(reinterpret_cast<const std::int8_t*>(cache.values) + slot * value_stride(head_dim),
               cache.value_scales + scales, head_dim, wide_values);
  tile_block<float>(tile, head_dim, first, tile.widened, wide_values, sums);
}

void attend_tile(const AttentionTile& tile, const HeadCache& cache) {
  const std::size_t head_dim = cache.head_dim;
  HWY_ALIGN float sums[kTileQueries * kKeyGroup] = {};
  each_panel<kHeight>(tile.rows, 0, [&](std::size_t row, auto height) HWY_ATTR {
    pack_panel<height>(tile, head_dim, row);
  });
  for (std::size_t first = tile.first / kKeyBlock * kKeyBlock; first < tile.end;
       first += kKeyBlock) {
    const std::size_t keys = first % cache.slots * head_dim;
    const std::size_t values = first % cache.slots * value_stride(head_dim);
    if (cache.type == CacheType::kQ8_0) {
      attend_q8_0(tile, cache, first, sums);
    } else if (cache.type == CacheType::kBf16) {
      attend_bf16(tile, head_dim, first, reinterpret_cast<const std::uint16_t*>(cache.keys) + keys,
                  reinterpret_cast<const std::uint16_t*>(cache.values) + values, sums);
    } else {
      tile_block(tile, head_dim, first, reinterpret_cast<const float*>(cache.keys) + keys,
                 reinterpret_cast<const float*>(cache.values) + values, sums);
    }
  }
  const F32 d;
  for (std::size_t m = 0; m < tile.rows; ++m) {
    tile.sum[m] = hn::GetLane(hn::SumOfLanes(d, hn::Load(d, sums + m * kKeyGroup)));
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
