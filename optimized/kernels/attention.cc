// SPDX-License-Identifier: Apache-2.0
#include "optimized/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "optimized/device/pages.h"
#include "optimized/kernels/attention_tile.h"
#include "optimized/kernels/row_ops.h"

namespace assay::cpu {
namespace {

// Up to so many queries of a cache share its keys among threads, in pieces; more are shared
// themselves.
constexpr std::size_t kFewQueries = 32;
static_assert(kFewQueries <= kTileQueries);

// Keys of a piece. One token, which has nothing else to share, in four pieces or more; several in
// long ones, so that up to 512 keys they are summed as in a longer call.
std::size_t piece_keys(std::size_t tokens, std::size_t keys) {
  constexpr std::size_t kLongest = 512;
  constexpr std::size_t kPieces = 4;
  return tokens > 1 ? kLongest
                    : std::clamp(keys / kPieces / kKeyBlock * kKeyBlock, kKeyBlock, kLongest);
}

// What a tile computes, in memory that lives as long as its thread.
struct Scratch {
  PageArray<float> out;  // begins with a line of the cache, as whatever is read in vectors should
  PageArray<float> panels;
  PageArray<float> widened;
  float most[kTileQueries];
  float sum[kTileQueries];

  void clear(std::size_t rows, std::size_t head_dim) {
    const std::size_t width = value_stride(head_dim);
    const std::size_t wide = 2 * kKeyBlock * (width + scale_count(head_dim));
    if (widened.size() < wide) {
      out = PageArray<float>(kTileQueries * width);
      panels = PageArray<float>(kTileQueries * width);
      widened = PageArray<float>(wide);
    }
    std::fill_n(out.data(), rows * width, 0.0F);
    std::fill_n(most, rows, kHidden);
  }
};

Scratch& scratch() {
  static thread_local Scratch mine;
  return mine;
}

// Queries [first, …) of the rows that one cache serves; row i is token i / group, head i % group.
AttentionTile tile_of(const AttentionCall& call, std::size_t cache, std::size_t first,
                      Scratch& memory) {
  const std::size_t head_dim = call.caches[cache].head_dim;
  AttentionTile tile;
  tile.rows = std::min(kTileQueries, call.tokens * call.group - first);
  tile.first = ~std::size_t{0};
  for (std::size_t r = 0; r < tile.rows; ++r) {
    const std::size_t token = (first + r) / call.group;
    const std::size_t head = cache * call.group + (first + r) % call.group;
    tile.queries[r] = call.queries + token * call.stride + head * head_dim;
    const VisibleKeys& visible = call.visible[token];
    tile.visible[r] = visible;
    if (visible.first <= visible.last) {
      tile.first = std::min(tile.first, visible.first);
      tile.end = std::max(tile.end, visible.last + 1);
    }
  }
  tile.first = std::min(tile.first, tile.end);
  memory.clear(tile.rows, head_dim);
  tile.out = memory.out.data();
  tile.panels = memory.panels.data();
  tile.widened = memory.widened.data();
  tile.most = memory.most;
  tile.sum = memory.sum;
  return tile;
}

float* out_row(const AttentionCall& call, std::size_t cache, std::size_t row) {
  const std::size_t head = cache * call.group + row % call.group;
  return call.out + row / call.group * call.out_stride + head * call.caches[cache].head_dim;
}

void write_row(const float* sums, float divisor, std::size_t head_dim, float* out) {
  const float by = divisor > 0 ? 1.0F / divisor : 0.0F;  // no key is visible: 0
  std::copy_n(sums, head_dim, out);
  scale_by(out, by, head_dim);
}

void attend_many(const AttentionCall& call, std::size_t caches, const Threads& threads) {
  const std::size_t rows = call.tokens * call.group;
  const std::size_t tiles = (rows + kTileQueries - 1) / kTileQueries;
  threads.run([&](int thread, int count) {
    // Later tiles see more keys: each thread takes every count-th.
    for (auto unit = static_cast<std::size_t>(thread); unit < caches * tiles;
         unit += static_cast<std::size_t>(count)) {
      const std::size_t cache = unit / tiles;
      const std::size_t first = unit % tiles * kTileQueries;
      Scratch& memory = scratch();
      const AttentionTile tile = tile_of(call, cache, first, memory);
      attend(tile, call.caches[cache]);
      const std::size_t head_dim = call.caches[cache].head_dim;
      for (std::size_t r = 0; r < tile.rows; ++r) {
        write_row(tile.out + r * value_stride(head_dim), tile.sum[r], head_dim,
                  out_row(call, cache, first + r));
      }
    }
  });
}

// Partial results of the pieces of one call, [cache][piece][row].
struct Pieces {
  std::vector<float> out;
  std::vector<float> most;
  std::vector<float> sum;
};

void merge_row(const AttentionCall& call, const Pieces& pieces, std::size_t count,
               std::size_t cache, std::size_t row) {
  const std::size_t rows = call.tokens * call.group;
  const std::size_t head_dim = call.caches[cache].head_dim;
  const std::size_t first = cache * count * rows + row;
  float most = kHidden;
  for (std::size_t p = 0; p < count; ++p) {
    most = std::max(most, pieces.most[first + p * rows]);
  }
  float* const out = out_row(call, cache, row);
  std::fill_n(out, head_dim, 0.0F);
  float sum = 0;
  for (std::size_t p = 0; p < count; ++p) {
    const std::size_t at = first + p * rows;
    const float weight = std::exp(pieces.most[at] - most);
    sum += pieces.sum[at] * weight;
    add_scaled(out, pieces.out.data() + at * value_stride(head_dim), weight, head_dim);
  }
  write_row(out, sum, head_dim, out);
}

void attend_few(const AttentionCall& call, std::size_t caches, const Threads& threads) {
  static thread_local Pieces pieces;  // the caller's
  Pieces& all = pieces;
  const std::size_t rows = call.tokens * call.group;
  const std::size_t width = value_stride(call.caches[0].head_dim);
  const AttentionTile whole = tile_of(call, 0, 0, scratch());
  const std::size_t length = piece_keys(call.tokens, whole.end - whole.first);
  const std::size_t base = whole.first / length;
  const std::size_t count = std::max<std::size_t>(1, (whole.end + length - 1) / length - base);
  all.out.resize(caches * count * rows * width);
  all.most.resize(caches * count * rows);
  all.sum.resize(caches * count * rows);
  threads.run([&](int thread, int team) {
    for (auto unit = static_cast<std::size_t>(thread); unit < caches * count;
         unit += static_cast<std::size_t>(team)) {
      AttentionTile tile = tile_of(call, unit / count, 0, scratch());
      const std::size_t piece = (base + unit % count) * length;
      tile.first = std::max(tile.first, piece);
      tile.end = std::min(tile.end, piece + length);
      attend(tile, call.caches[unit / count]);
      std::copy_n(tile.out, rows * width, all.out.data() + unit * rows * width);
      std::copy_n(tile.most, rows, all.most.data() + unit * rows);
      std::copy_n(tile.sum, rows, all.sum.data() + unit * rows);
    }
  });
  for (std::size_t cache = 0; cache < caches; ++cache) {
    for (std::size_t row = 0; row < rows; ++row) {
      merge_row(call, all, count, cache, row);
    }
  }
}

}  // namespace

void attention(const AttentionCall& call, const Threads& threads) {
  const std::size_t caches = call.heads / call.group;
  if (call.tokens * call.group <= kFewQueries) {
    attend_few(call, caches, threads);
  } else {
    attend_many(call, caches, threads);
  }
}

}  // namespace assay::cpu
