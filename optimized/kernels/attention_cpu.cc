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
// The same of codes: channels of one scale.
constexpr std::size_t kDeepCodes = kLanes == 16 ? kScaledChannels / kKeyGroup : 1;
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

HWY_INLINE Vector load(const std::int8_t* from) {
  const hn::RebindToSigned<F32> wide;
  const hn::Rebind<std::int8_t, decltype(wide)> codes;
  return hn::ConvertTo(F32(), hn::PromoteTo(wide, hn::LoadU(codes, from)));
}

template <class Value>
constexpr bool kScaled = std::is_same_v<Value, std::int8_t>;

// Keys or values of a block as they lie; of codes also their scales, as floats.
template <class Value>
struct Stored {
  const Value* numbers;
  const float* scales = nullptr;

  Stored from(std::size_t number, std::size_t scale) const {
    return {numbers + number, kScaled<Value> ? scales + scale : nullptr};
  }
};

// scores[m][s] = sum_d q[d][m] k[d][s], kWide groups of 16 keys.
template <class Value, std::size_t H>
HWY_INLINE void score_groups(const float* q, Stored<Value> keys, std::size_t head_dim,
                             float* scores) {
  const F32 d;
  constexpr std::size_t kAcross = kWide * kVectors;
  constexpr std::size_t kUnit = unit_of(H);
  const std::size_t blocks = scale_count(head_dim);
  Vector scale[kAcross];
  Vector sum[H][kAcross];
  for (auto& row : sum) {
    for (Vector& value : row) {
      value = hn::Zero(d);
    }
  }
  for (std::size_t c = 0; c < head_dim; ++c) {
    Vector key[kAcross];
    for (std::size_t v = 0; v < kAcross; ++v) {
      const std::size_t group = v / kVectors;
      const std::size_t lane = v % kVectors * kLanes;
      key[v] = load(keys.numbers + (group * head_dim + c) * kKeyGroup + lane);
      if constexpr (kScaled<Value>) {
        if (c % kScaledChannels == 0) {
          const std::size_t block = group * blocks + c / kScaledChannels;
          scale[v] = load(keys.scales + block * kKeyGroup + lane);
        }
        key[v] = hn::Mul(key[v], scale[v]);
      }
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

// out[m][c] += sum_s probs[m][s] v[s][c] for N groups of 16 channels, which share their scales.
template <class Value, std::size_t H, std::size_t N>
HWY_INLINE void mix_groups(const float* probs, Stored<Value> values, std::size_t stride,
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
      const std::size_t lane = v % kVectors * kLanes;
      value[v] = load(values.numbers + v / kVectors * kGroup + s * kKeyGroup + lane);
      if constexpr (kScaled<Value>) {
        value[v] = hn::Mul(value[v], hn::Set(d, values.scales[s]));
      }
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
  Stored<Value> keys;
  Stored<Value> values;
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
        const auto keys = block.keys.from(s * block.head_dim, s * scale_count(block.head_dim));
        score_groups<Value, height>(block.tile.panels + row * block.head_dim, keys, block.head_dim,
                                    block.scores + row * kKeyBlock + s);
      }
    });
  }
}

template <class Value, std::size_t N>
HWY_INLINE void mix_channels(Block<Value>& block, std::size_t c) {
  const std::size_t width = value_stride(block.head_dim);
  const auto values = block.values.from(c * kKeyBlock, c / kScaledChannels * kKeyBlock);
  each_panel<kHeight>(block.tile.rows, 0, [&](std::size_t row, auto height) HWY_ATTR {
    if (!block.seen[row].empty()) {
      mix_groups<Value, height, N>(block.scores + row * kKeyBlock, values, width, block.seen[row],
                                   block.tile.out + row * width + c);
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
                Stored<Value> keys, Stored<Value> values, float* sums) {
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
  mix_block<kScaled<Value> ? kDeepCodes : kDeep>(block, 0);
}

void widen_block(const std::uint16_t* from, std::size_t count, float* to) {
  const F32 d;
  for (std::size_t i = 0; i < count; i += kLanes) {
    hn::StoreU(load(from + i), d, to + i);
  }
}

void attend_bf16(const AttentionTile& tile, std::size_t head_dim, std::size_t first,
                 Stored<std::uint16_t> keys, Stored<std::uint16_t> values, float* sums) {
  if (tile.rows <= 2 * kHeight) {  // each key is read once or twice: widened in the registers
    tile_block(tile, head_dim, first, keys, values, sums);
    return;
  }
  const std::size_t width = value_stride(head_dim);
  float* const wide_values = tile.widened + kKeyBlock * head_dim;
  widen_block(keys.numbers, kKeyBlock * head_dim, tile.widened);
  widen_block(values.numbers, kKeyBlock * width, wide_values);
  tile_block<float>(tile, head_dim, first, {tile.widened}, {wide_values}, sums);
}

void widen_scales(const std::uint16_t* from, std::size_t count, float* to) {
  const F32 d;
  const hn::Rebind<hwy::float16_t, F32> half;
  for (std::size_t i = 0; i < count; i += kLanes) {
    const auto* const at = reinterpret_cast<const hwy::float16_t*>(from + i);
    hn::StoreU(hn::PromoteTo(d, hn::LoadU(half, at)), d, to + i);
  }
}

// [4][head_dim][16] codes, [4][head_dim/32][16] scales.
void widen_keys(Stored<std::int8_t> keys, std::size_t head_dim, float* to) {
  const std::int8_t* codes = keys.numbers;
  const float* scales = keys.scales;
  for (std::size_t group = 0; group < kKeyBlock / kKeyGroup; ++group) {
    for (std::size_t c = 0; c < head_dim; ++c, codes += kKeyGroup, to += kKeyGroup) {
      for (std::size_t i = 0; i < kKeyGroup; i += kLanes) {
        hn::StoreU(hn::Mul(load(codes + i), load(scales + i)), F32(), to + i);
      }
      const bool last = (c + 1) % kScaledChannels == 0 || c + 1 == head_dim;
      scales += last ? kKeyGroup : 0;
    }
  }
}

// [head_dim/16][64][16] codes, [head_dim/32][64] scales.
void widen_values(Stored<std::int8_t> values, std::size_t head_dim, float* to) {
  const std::int8_t* codes = values.numbers;
  for (std::size_t c = 0; c < head_dim; c += kKeyGroup) {
    const float* const scales = values.scales + c / kScaledChannels * kKeyBlock;
    for (std::size_t s = 0; s < kKeyBlock; ++s, codes += kKeyGroup, to += kKeyGroup) {
      const auto scale = hn::Set(F32(), scales[s]);
      for (std::size_t i = 0; i < kKeyGroup; i += kLanes) {
        hn::StoreU(hn::Mul(load(codes + i), scale), F32(), to + i);
      }
    }
  }
}

void attend_q8_0(const AttentionTile& tile, const HeadCache& cache, std::size_t first,
                 float* sums) {
  const std::size_t head_dim = cache.head_dim;
  const std::size_t slot = first % cache.slots;
  const std::size_t count = kKeyBlock * scale_count(head_dim);
  const std::size_t at = slot * scale_count(head_dim);
  float* const wide_values = tile.widened + kKeyBlock * head_dim;
  float* const key_scales = wide_values + kKeyBlock * value_stride(head_dim);
  widen_scales(cache.key_scales + at, count, key_scales);
  widen_scales(cache.value_scales + at, count, key_scales + count);
  const auto* const keys = reinterpret_cast<const std::int8_t*>(cache.keys);
  const auto* const values = reinterpret_cast<const std::int8_t*>(cache.values);
  const Stored<std::int8_t> k{keys + slot * head_dim, key_scales};
  const Stored<std::int8_t> v{values + slot * value_stride(head_dim), key_scales + count};
  if (tile.rows <= 2 * kHeight) {
    tile_block(tile, head_dim, first, k, v, sums);
    return;
  }
  widen_keys(k, head_dim, tile.widened);
  widen_values(v, head_dim, wide_values);
  tile_block<float>(tile, head_dim, first, {tile.widened}, {wide_values}, sums);
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
      attend_bf16(tile, head_dim, first,
                  {reinterpret_cast<const std::uint16_t*>(cache.keys) + keys},
                  {reinterpret_cast<const std::uint16_t*>(cache.values) + values}, sums);
    } else {
      tile_block<float>(tile, head_dim, first, {reinterpret_cast<const float*>(cache.keys) + keys},
                        {reinterpret_cast<const float*>(cache.values) + values}, sums);
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
