// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "optimized/kernels/matmul.h"
#include "optimized/kernels/tile_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optimized/kernels/matmul_cpu.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "optimized/kernels/expand_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace assay::cpu::HWY_NAMESPACE {
namespace {

// Of a piece of k whose weights, 96 or 288 KiB, stay in the second cache. A longer piece reads and
// writes the sums less often, and a row of y lies on a page of its own.
constexpr std::size_t kColumns = 1536;
constexpr std::size_t kRowColumns = 512;        // the same for one row of x: in the first cache
constexpr std::size_t kPrefetch = 4096;         // bytes ahead: past the end of a small page
constexpr std::size_t kAhead = 16 * kTileRows;  // floats of weights, into the first cache
constexpr std::size_t kPanelAhead = 1024;       // floats of x, which may come from further away

// Tiles that one step of k reads: with rows_of_a_panel() as many sums as registers hold.
constexpr std::size_t kTiles = kLanes == 16 ? 3 : 1;
constexpr std::size_t kHeight = kLanes == 16 ? 8 : kLanes == 8 ? 6 : kLanes == 4 ? 3 : 1;

// y[m][n] (+)= sum_k x[k][m] w[k][n] for kHeight rows of x and N tiles, sums in registers.
template <std::size_t N>
HWY_INLINE void panel_product(const float* x, const float* w, std::size_t tile_floats,
                              std::size_t columns, bool add, std::size_t rows, float* y,
                              std::size_t stride) {
  const F32 d;
  constexpr std::size_t kAcross = N * kVectors;
  hn::Vec<F32> sum[kHeight][kAcross];
  for (std::size_t m = 0; m < kHeight; ++m) {
    for (std::size_t v = 0; v < kAcross; ++v) {
      sum[m][v] = hn::Zero(d);
    }
    for (std::size_t n = 0; n < N; ++n) {
      hwy::Prefetch(y + std::min(m, rows - 1) * stride + n * kTileRows);
    }
  }
  for (std::size_t k = 0; k < columns; ++k) {
    hn::Vec<F32> weight[kAcross];
    for (std::size_t v = 0; v < kAcross; ++v) {
      const float* tile = w + v / kVectors * tile_floats + v % kVectors * kLanes;
      weight[v] = hn::LoadU(d, tile + k * kTileRows);
      if (v % kVectors == 0) {
        hwy::Prefetch(tile + k * kTileRows + kAhead);
      }
    }
    hwy::Prefetch(x + k * kHeight + kPanelAhead);
    for (std::size_t m = 0; m < kHeight; ++m) {
      const auto value = hn::Set(d, x[k * kHeight + m]);
      for (std::size_t v = 0; v < kAcross; ++v) {
        sum[m][v] = hn::MulAdd(weight[v], value, sum[m][v]);
      }
    }
  }
  for (std::size_t m = 0; m < std::min(rows, kHeight); ++m) {
    for (std::size_t v = 0; v < kAcross; ++v) {
      float* const place = y + m * stride + v * kLanes;
      hn::StoreU(add ? hn::Add(sum[m][v], hn::LoadU(d, place)) : sum[m][v], d, place);
    }
  }
}

// One row of x, one tile: four sums over k, so that none waits for its own last step.
HWY_INLINE void row_product(const float* x, const float* w, std::size_t columns, bool add,
                            float* y) {
  const F32 d;
  for (std::size_t v = 0; v < kVectors; ++v, w += kLanes, y += kLanes) {
    auto s0 = add ? hn::LoadU(d, y) : hn::Zero(d);
    auto s1 = hn::Zero(d);
    auto s2 = hn::Zero(d);
    auto s3 = hn::Zero(d);
    std::size_t k = 0;
    for (; k + 4 <= columns; k += 4) {
      s0 = hn::MulAdd(hn::LoadU(d, w + k * kTileRows), hn::Set(d, x[k]), s0);
      s1 = hn::MulAdd(hn::LoadU(d, w + (k + 1) * kTileRows), hn::Set(d, x[k + 1]), s1);
      s2 = hn::MulAdd(hn::LoadU(d, w + (k + 2) * kTileRows), hn::Set(d, x[k + 2]), s2);
      s3 = hn::MulAdd(hn::LoadU(d, w + (k + 3) * kTileRows), hn::Set(d, x[k + 3]), s3);
    }
    for (; k < columns; ++k) {
      s0 = hn::MulAdd(hn::LoadU(d, w + k * kTileRows), hn::Set(d, x[k]), s0);
    }
    hn::StoreU(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), d, y);
  }
}

// The same of bf16 weights as they lie, for decoding.
HWY_INLINE void row_product_bf16(const float* x, const std::byte* tile, std::size_t columns,
                                 float* y) {
  const F32 d;
  const U32 du;
  const auto upper = hn::Set(du, 0xFFFF0000U);
  const auto* words = reinterpret_cast<const std::uint32_t*>(tile);
  hn::Vec<F32> even[kVectors];
  hn::Vec<F32> odd[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) {
    even[v] = odd[v] = hn::Zero(d);
  }
  for (std::size_t k = 0; k < columns; k += 2, words += kTileRows) {
    hwy::Prefetch(reinterpret_cast<const std::byte*>(words) + kPrefetch);
    const auto x0 = hn::Set(d, x[k]);
    const auto x1 = hn::Set(d, k + 1 < columns ? x[k + 1] : 0.0F);
    for (std::size_t v = 0; v < kVectors; ++v) {
      const auto both = hn::LoadU(du, words + v * kLanes);
      even[v] = hn::MulAdd(hn::BitCast(d, hn::ShiftLeft<16>(both)), x0, even[v]);
      odd[v] = hn::MulAdd(hn::BitCast(d, hn::And(both, upper)), x1, odd[v]);
    }
  }
  for (std::size_t v = 0; v < kVectors; ++v) {
    hn::StoreU(hn::Add(even[v], odd[v]), d, y + v * kLanes);
  }
}

void multiply_row(const Product& p, TileRange tiles) {
  const WeightView& w = *p.weight;
  HWY_ALIGN static thread_local float buffer[(kRowColumns + 1) * kTileRows];
  const float* const x = p.x->f32(0);
  for (std::size_t tile = tiles.first; tile < tiles.end; ++tile) {
    const std::byte* const from = w.data + tile * w.tile;
    float* const y = p.y + tile * kTileRows;
    if (w.layout == WeightLayout::kF32) {
      row_product(x, reinterpret_cast<const float*>(from), w.columns, false, y);
    } else if (w.layout == WeightLayout::kBf16) {
      row_product_bf16(x, from, w.columns, y);
    } else {
      for (std::size_t k = 0; k < w.columns; k += kRowColumns) {
        const std::size_t end = std::min(w.columns, k + kRowColumns);
        expand_tile(w, tile, k, end, buffer);
        row_product(x + k, buffer, end - k, k > 0, y);
      }
    }
  }
}

template <std::size_t N>
void multiply_panels(const Product& p, std::size_t tile, float* buffer) {
  const WeightView& w = *p.weight;
  for (std::size_t k = 0; k < w.columns; k += kColumns) {
    const std::size_t end = std::min(w.columns, k + kColumns);
    const float* weights = buffer;
    std::size_t tile_floats = (kColumns + 1) * kTileRows;
    if (w.layout == WeightLayout::kF32) {
      weights = reinterpret_cast<const float*>(w.data + tile * w.tile) + k * kTileRows;
      tile_floats = w.columns * kTileRows;
    } else {
      for (std::size_t n = 0; n < N; ++n) {
        expand_tile(w, tile + n, k, end, buffer + n * tile_floats);
      }
    }
    for (std::size_t panel = 0; panel < p.x->panels(); ++panel) {
      panel_product<N>(p.x->f32(panel) + k * kHeight, weights, tile_floats, end - k, k > 0,
                       p.x->rows - panel * kHeight,
                       p.y + panel * kHeight * p.stride + tile * kTileRows, p.stride);
    }
  }
}

void multiply_f32_tiles(const Product& p, TileRange tiles) {
  if (p.x->height == 1 && kHeight != 1) {
    multiply_row(p, tiles);
    return;
  }
  HWY_ALIGN static thread_local float buffer[kTiles * (kColumns + 1) * kTileRows];
  std::size_t tile = tiles.first;
  for (; tile + kTiles <= tiles.end; tile += kTiles) {
    multiply_panels<kTiles>(p, tile, buffer);
  }
  for (; tile < tiles.end; ++tile) {
    multiply_panels<1>(p, tile, buffer);
  }
}

// One block of a tile times one row of codes, in floats: sums of at most 32 products of 7 and 8
// bits are exact in them.
template <bool kEight>
HWY_INLINE void add_block(const std::byte* block, const std::int8_t* codes, std::size_t height,
                          float scale, float* y) {
  const F32 d;
  HWY_ALIGN float scales[kTileRows];
  load_scales(block, scales);
  for (std::size_t r = 0; r < kTileRows; r += kLanes) {
    auto sum = hn::Zero(d);
    for (std::size_t k = 0; k < kBlock; ++k) {
      const auto x = hn::Set(d, static_cast<float>(codes[k / 4 * height * 4 + k % 4]));
      sum = hn::MulAdd(hn::ConvertTo(d, codes_at<kEight>(block, k, r)), x, sum);
    }
    const auto factor = hn::Mul(hn::Load(d, scales + r), hn::Set(d, scale));
    hn::StoreU(hn::MulAdd(sum, factor, hn::LoadU(d, y + r)), d, y + r);
  }
}

template <bool kEight>
void multiply_int8_rows(const Product& p, TileRange tiles) {
  const WeightView& w = *p.weight;
  constexpr std::size_t kBytes = kEight ? 544 : 288;
  const std::size_t height = p.x->height;
  for (std::size_t tile = tiles.first; tile < tiles.end; ++tile) {
    for (std::size_t t = 0; t < p.x->rows; ++t) {
      const std::int8_t* const codes = p.x->int8(t / height) + t % height * 4;
      const float* const scales = p.x->scales(t / height) + t % height;
      float* const y = p.y + t * p.stride + tile * kTileRows;
      std::fill_n(y, kTileRows, 0.0F);
      for (std::size_t b = 0; b < p.x->blocks(); ++b) {
        add_block<kEight>(w.data + tile * w.tile + b * kBytes, codes + b * kBlock * height, height,
                          scales[b * height], y);
      }
    }
  }
}

void multiply_int8_tiles(const Product& p, TileRange tiles) {
  if (p.weight->layout == WeightLayout::kQ8) {
    multiply_int8_rows<true>(p, tiles);
  } else {
    multiply_int8_rows<false>(p, tiles);
  }
}

}  // namespace
}  // namespace assay::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::cpu {

HWY_EXPORT(multiply_f32_tiles);
HWY_EXPORT(multiply_int8_tiles);

void multiply_f32(const Product& product, TileRange tiles) {
  HWY_DYNAMIC_DISPATCH(multiply_f32_tiles)(product, tiles);
}

void multiply_int8(const Product& product, TileRange tiles) {
  HWY_DYNAMIC_DISPATCH(multiply_int8_tiles)(product, tiles);
}

}  // namespace assay::cpu
#endif
