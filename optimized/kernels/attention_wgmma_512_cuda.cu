// SPDX-License-Identifier: Apache-2.0
// Heads of 512. One block: 64 rows of queries, whose 512 columns of the result two warpgroups
// share. Warpgroup g computes the scores of half of a tile's keys, tells the other the largest, and
// puts its shares, rounded to bf16, where both read them; then it gathers columns 256 g to 256 g +
// 255 of the values of the whole tile. So each has a stage of keys and a stage of values of its
// own, and the loader refills each when its reader has released it. Scores of a tile are computed
// while values of the tile before are gathered.
#include "optimized/kernels/attention_wgmma_512_cuda.h"

#include "optimized/kernels/attention_wgmma_parts_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kDim = 512;
constexpr int kRows = 64;
constexpr int kOut = 256;                // columns of the result of a warpgroup
constexpr int kOwnKeys = kTileKeys / 2;  // whose scores a warpgroup computes
constexpr unsigned kBoth = 2 * kGroup;   // threads that meet at kMeet
constexpr unsigned kMeet = 1;            // a named barrier
constexpr int kShareBytes = kRows * kTileKeys * 2;
using KeyStages = Stages<kOwnKeys, kDim / kSlab>;
using ValueStages = Stages<kTileKeys, kOut / kSlab>;
constexpr int kQueryBytes = kRows * kDim * 2;
constexpr std::size_t kBytes =
    kQueryBytes + 2 * KeyStages::kBytes + 2 * ValueStages::kBytes + 2 * kShareBytes + kAlign;

struct Maps {
  simt::TensorMap keys, values;
};

// Stage g is warpgroup g's.
__device__ __forceinline__ void load_tiles(const KeyStages& keys, const ValueStages& values,
                                           const Maps& maps, const AttentionCall& call,
                                           const Span& span) {
  const int column = static_cast<int>(blockIdx.y) * kDim;
  int i = 0;
  for (int first = span.first; first <= span.last; ++i) {
    const int row = first % call.cache.slots;
    for (int g = 0; g < 2; ++g) {
      keys.load(g, i, &maps.keys, column, row + g * kOwnKeys);
    }
    for (int g = 0; g < 2; ++g) {
      values.load(g, i, &maps.values, column + g * kOut, row);
    }
    first = tile_from(call, first, span.last).end;
  }
}

// Shared by both warpgroups.
struct Exchange {
  float (*most)[kRows];   // [2]: of each warpgroup
  unsigned char* shares;  // two buffers of [64][64] bf16, a tile as tile_descriptor has it
};

// What one warpgroup brings along.
struct Reader {
  int group;  // 0 or 1
  int row;    // of the block: lane / 4 of its warp; the other is 8 below
  QueryKeys rows[2];
};

// The largest of both halves of the tile, of each row.
__device__ __forceinline__ void agree(const Exchange& exchange, const Reader& reader,
                                      float (&most)[2]) {
  if (threadIdx.x % 4 == 0) {
    exchange.most[reader.group][reader.row] = most[0];
    exchange.most[reader.group][reader.row + 8] = most[1];
  }
  simt::barrier_sync(kMeet, kBoth);
  most[0] = fmaxf(most[0], exchange.most[1 - reader.group][reader.row]);
  most[1] = fmaxf(most[1], exchange.most[1 - reader.group][reader.row + 8]);
}

// Shares of this warpgroup's keys into the tile of both.
__device__ __forceinline__ void put_shares(unsigned char* to, const Reader& reader,
                                           const float (&s)[16]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
#pragma unroll
    for (int j = 0; j < kOwnKeys / 8; ++j) {
      const int chunk = reader.group * kOwnKeys / 8 + j;
      *reinterpret_cast<unsigned*>(to + chunk_in_slab(reader.row + 8 * half, chunk) +
                                   lane % 4 * 4) =
          simt::pack_bf16(s[4 * j + 2 * half], s[4 * j + 2 * half + 1]);
    }
  }
  simt::fence_for_async();
  simt::barrier_sync(kMeet, kBoth);
}

// out += shares values, for the columns of this warpgroup.
__device__ __forceinline__ void gather(const unsigned char* shares, const unsigned char* values,
                                       float (&out)[128]) {
  const simt::Descriptor p = simt::tile_descriptor(shares);
  const simt::Descriptor v = simt::transposed_descriptor(values, ValueStages::kSlabBytes);
#pragma unroll
  for (int k = 0; k < kTileKeys / 16; ++k) {
    simt::wgmma<kOut, true>(out, p + k * simt::kNextK, v + k * simt::kNextTransposedK);
  }
  simt::wgmma_commit();
}

__device__ __forceinline__ void attend_rows(const AttentionCall& call, const unsigned char* queries,
                                            const KeyStages& keys, const ValueStages& values,
                                            const Exchange& exchange, const Span& span,
                                            const Reader& reader, Softmax& softmax,
                                            float (&out)[128]) {
  const int g = reader.group;
  float s[16], most[2], shrink[2];
  KeyTile tile = tile_from(call, span.first, span.last);
  simt::mbarrier_wait(&keys.full[g], 0);
  simt::wgmma_fence();
  score<kOwnKeys, kDim / kSlab>(queries, keys.at(g), s);
  simt::wgmma_wait<0>();
  simt::wgmma_settle(s);
  keys.release(g);
  see(call, reader.rows, tile.first + g * kOwnKeys, tile.end, s, most);
  agree(exchange, reader, most);
  share(softmax, most, s, shrink);
  put_shares(exchange.shares, reader, s);
  int i = 1;
  for (; tile.end <= span.last; ++i) {
    tile = tile_from(call, tile.end, span.last);
    simt::mbarrier_wait(&keys.full[g], i & 1);
    simt::mbarrier_wait(&values.full[g], (i - 1) & 1);
    simt::wgmma_fence();
    score<kOwnKeys, kDim / kSlab>(queries, keys.at(g), s);
    gather(exchange.shares + (i - 1) % 2 * kShareBytes, values.at(g), out);
    simt::wgmma_wait<1>();
    simt::wgmma_settle(s);
    keys.release(g);
    see(call, reader.rows, tile.first + g * kOwnKeys, tile.end, s, most);
    agree(exchange, reader, most);
    share(softmax, most, s, shrink);
    simt::wgmma_wait<0>();
    simt::wgmma_settle(out);
    values.release(g);
    shrink_by(shrink, out);
    put_shares(exchange.shares + i % 2 * kShareBytes, reader, s);
  }
  simt::mbarrier_wait(&values.full[g], (i - 1) & 1);
  simt::wgmma_fence();
  gather(exchange.shares + (i - 1) % 2 * kShareBytes, values.at(g), out);
  simt::wgmma_wait<0>();
  simt::wgmma_settle(out);
}

// The shares of both halves of all tiles, of each row.
__device__ __forceinline__ void total(const Exchange& exchange, const Reader& reader,
                                      const Softmax& softmax, float (&sum)[2]) {
  sum[0] = quad_sum(softmax.sum[0]);
  sum[1] = quad_sum(softmax.sum[1]);
  simt::barrier_sync(kMeet, kBoth);  // nobody reads the largest any more
  if (threadIdx.x % 4 == 0) {
    exchange.most[reader.group][reader.row] = sum[0];
    exchange.most[reader.group][reader.row + 8] = sum[1];
  }
  simt::barrier_sync(kMeet, kBoth);
  sum[0] += exchange.most[1 - reader.group][reader.row];
  sum[1] += exchange.most[1 - reader.group][reader.row + 8];
}

__global__ void __launch_bounds__(kThreads, 1)
    attention_wgmma_512_kernel(const __grid_constant__ Maps maps, AttentionCall call) {
#if defined(SIMT_HOPPER) || !defined(__CUDA_ARCH__)
  SIMT_DYN_SHARED(unsigned char, raw);
  SIMT_SHARED(simt::Mbarrier, full, [4]);
  SIMT_SHARED(simt::Mbarrier, empty, [4]);
  SIMT_SHARED(float, most, [2][kRows]);
  if (threadIdx.x == 0) {
    init_barriers(full, empty, kGroup / kWarp);
  }
  __syncthreads();
  unsigned char* const queries = raw + (kAlign - simt::shared_address(raw) % kAlign) % kAlign;
  const KeyStages keys{queries + kQueryBytes, full, empty};
  const ValueStages values{keys.at(2), full + 2, empty + 2};
  const Exchange exchange{most, values.at(2)};
  const int row0 = static_cast<int>(blockIdx.x) * kRows;
  const Span span = span_of(call, row0, kRows);
  const int group = static_cast<int>(threadIdx.x) / kGroup - 1;
  if (group < 0) {
    simt::fewer_registers<kLoaderRegisters>();
    if (threadIdx.x == 0) {
      load_tiles(keys, values, maps, call, span);
    }
  } else {
    simt::more_registers<kReaderRegisters>();
    const int t = static_cast<int>(threadIdx.x) % kGroup;
    put_queries<kDim, 2 * kGroup>(queries, call, row0, t + group * kGroup);
    simt::barrier_sync(kMeet, kBoth);
    const int row = t / kWarp * 16 + t % kWarp / 4;
    const Reader reader{
        group, row, {query_row(call, row0 + row).keys, query_row(call, row0 + row + 8).keys}};
    Softmax softmax;
    float out[128], sum[2];
#pragma unroll
    for (int i = 0; i < 128; ++i) {
      out[i] = 0;
    }
    if (span.first <= span.last) {
      attend_rows(call, queries, keys, values, exchange, span, reader, softmax, out);
    }
    total(exchange, reader, softmax, sum);
    store(call, row0 + row, kDim, group * kOut, sum, out);
  }
#endif
}

}  // namespace

void attention_wgmma_512(Stream& stream, const AttentionCall& call) {
  const auto slots = static_cast<unsigned>(call.stored == 0 ? call.cache.slots : call.stored);
  const auto width = static_cast<unsigned>(call.cache.heads * kDim);
  const Maps maps{simt::make_tensor_map(call.cache.keys, slots, width, width, kOwnKeys),
                  simt::make_tensor_map(call.cache.values, slots, width, width, kTileKeys)};
  const int rows = call.queries.rows * (call.heads / call.cache.heads);
  const dim3 grid(static_cast<unsigned>((rows + kRows - 1) / kRows),
                  static_cast<unsigned>(call.cache.heads));
  SIMT_LAUNCH(stream, grid, kThreads, kBytes, attention_wgmma_512_kernel, maps, call);
}

}  // namespace assay::cuda
