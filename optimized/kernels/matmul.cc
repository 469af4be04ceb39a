// SPDX-License-Identifier: Apache-2.0
#include "optimized/kernels/matmul.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <vector>

#include "optimized/device/features.h"
#include "optimized/kernels/tile_kernels.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kFewRows = 4;  // a panel of int8

TileKernel kernel_for(WeightLayout layout, RowFormat format) {
  const Features has = features();
  if (layout == WeightLayout::kK && is_int8(format)) {
    return multiply_k_vnni;
  }
  if (format == RowFormat::kBf16) {
    return multiply_bf16_dot;
  }
  if (!is_int8(format)) {
    return multiply_f32;
  }
  if (has.avx512_vnni) {
    return multiply_int8_vnni;
  }
  if (has.avx_vnni) {
    return multiply_int8_avx_vnni;
  }
  if (has.neon_dotprod) {
    return multiply_int8_dotprod;
  }
  return has.avx2 ? multiply_int8_avx2 : multiply_int8;
}

// A product in chunks of tiles.
struct Share {
  const Product* product;
  TileKernel kernel;
  std::size_t tiles;  // of a chunk
  std::size_t first;  // of its chunks, among those of all products
};

void run_chunk(const std::vector<Share>& shares, std::size_t chunk) {
  const auto after = std::ranges::upper_bound(shares, chunk, {}, &Share::first);
  const Share& share = *(after - 1);
  const std::size_t first = (chunk - share.first) * share.tiles;
  const std::size_t end = std::min(first + share.tiles, share.product->weight->tiles());
  share.kernel(*share.product, {first, end});
}

// Each thread begins with chunks of its own, one after another in memory, which is read fastest in
// order, and then takes what others have left: one that is held up holds up no other.
struct alignas(64) Queue {
  std::atomic<std::size_t> next{0};
  std::size_t end = 0;
};

// Long enough to be read as one stream, and a multiple of what kernels take at a time; with many
// rows of x, where arithmetic decides, a small part of the work.
std::size_t tiles_of_chunk(const Product& product, const Threads& threads) {
  constexpr std::size_t kStep = 3;
  constexpr std::size_t kStream = std::size_t{128} << 10;
  constexpr std::size_t kParts = 8;  // for each thread
  const std::size_t stream = kStream / product.weight->tile;
  const std::size_t parts =
      product.weight->tiles() / (kParts * static_cast<std::size_t>(threads.count()));
  const std::size_t tiles = product.x->rows == 1 ? stream : parts;
  return threads.count() == 1 ? product.weight->tiles()
                              : round_up(std::max<std::size_t>(tiles, 1), kStep);
}

}  // namespace

RowFormat row_format(WeightLayout layout, Arithmetic arithmetic, std::size_t rows) {
  const Features has = features();
  switch (layout) {
    case WeightLayout::kBf16:
      if (arithmetic == Arithmetic::kBf16) {
        const bool dot =
            rows == 1 ? has.avx512_bf16 : has.fast_bf16_dot;  // one row: memory decides
        return dot ? RowFormat::kBf16 : RowFormat::kF32RoundedToBf16;
      }
      return RowFormat::kF32;
    case WeightLayout::kQ8:
    case WeightLayout::kQ4:
      if (arithmetic == Arithmetic::kInt8) {
        return RowFormat::kInt8;
      }
      // A few rows wait for memory, and digits need no conversion; for many FMAs are as fast.
      return rows <= kFewRows && has.int8_dot() ? RowFormat::kInt8Digits : RowFormat::kF32;
    case WeightLayout::kK: {
      const bool rounds = arithmetic == Arithmetic::kInt8;
      if (rows == 1 && has.avx512_vnni) {
        return rounds ? RowFormat::kInt8K : RowFormat::kInt8Digits;
      }
      return rounds ? RowFormat::kF32RoundedToInt8K : RowFormat::kF32;
    }
    case WeightLayout::kF32:
    case WeightLayout::kRows:
      break;
  }
  return RowFormat::kF32;
}

void multiply(std::span<const Product> products, const Threads& threads) {
  std::vector<Share> shares;
  std::size_t chunks = 0;
  for (const Product& product : products) {
    assert(product.weight->columns == product.x->columns);
    assert(product.stride >= product.weight->tiles() * kTileRows);
    const std::size_t tiles = tiles_of_chunk(product, threads);
    shares.push_back(
        {&product, kernel_for(product.weight->layout, product.x->format), tiles, chunks});
    chunks += (product.weight->tiles() + tiles - 1) / tiles;
  }
  static thread_local std::vector<Queue> mine;  // the caller's
  const auto team = static_cast<std::size_t>(threads.count());
  if (mine.size() < team) {
    mine = std::vector<Queue>(team);
  }
  const std::span<Queue> queues(mine.data(), team);
  for (std::size_t t = 0; t < team; ++t) {
    queues[t].next = chunks * t / team;
    queues[t].end = chunks * (t + 1) / team;
  }
  threads.run([&](int thread, int) {
    for (std::size_t turn = 0; turn < team; ++turn) {
      Queue& queue = queues[(static_cast<std::size_t>(thread) + turn) % team];
      for (std::size_t chunk = queue.next++; chunk < queue.end; chunk = queue.next++) {
        run_chunk(shares, chunk);
      }
    }
  });
}

}  // namespace assay::cpu
