// SPDX-License-Identifier: Apache-2.0
// Heads of 256. One block: 128 rows of queries; one thread of the first warpgroup loads tiles of
// keys and values, two stages of each; two warpgroups have 64 rows each. The scores of a tile are
// computed while the values of the tile before are gathered.
#include "optimized/kernels/attention_wgmma_cuda.h"

#include <stdexcept>
#include <string>

#include "optimized/kernels/attention_wgmma_512_cuda.h"
#include "optimized/kernels/attention_wgmma_parts_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kDim = 256;
constexpr int kRows = 128;
constexpr int kStages = 2;
constexpr int kQueryBytes = 64 * kDim * 2;  // of one warpgroup
using Tiles = Stages<kTileKeys, kDim / kSlab>;
constexpr std::size_t kBytes = 2 * kQueryBytes + 2 * kStages * Tiles::kBytes + kAlign;

struct Maps {
  simt::TensorMap keys, values;
};

__device__ __forceinline__ void load_tiles(const Tiles& keys, const Tiles& values, const Maps& maps,
                                           const AttentionCall& call, const Span& span) {
  const int column = static_cast<int>(blockIdx.y) * kDim;
  int i = 0;
  for (int first = span.first; first <= span.last; ++i) {
    const int row = first % call.cache.slots;
    keys.load(i % kStages, i / kStages, &maps.keys, column, row);
    values.load(i % kStages, i / kStages, &maps.values, column, row);
    first = tile_from(call, first, span.last).end;
  }
}

// out += shares values
__device__ __forceinline__ void gather(const unsigned (&shares)[4][4], const unsigned char* values,
                                       float (&out)[128]) {
  const simt::Descriptor v = simt::transposed_descriptor(values, Tiles::kSlabBytes);
#pragma unroll
  for (int k = 0; k < kTileKeys / 16; ++k) {
    simt::wgmma_256_transposed(out, shares[k], v + k * simt::kNextTransposedK);
  }
  simt::wgmma_commit();
}

// Shares as the fragments of A: those of 16 keys are four registers.
__device__ __forceinline__ void pack(const float (&s)[32], unsigned (&shares)[4][4]) {
#pragma unroll
  for (int i = 0; i < 16; ++i) {
    shares[i / 4][i % 4] = simt::pack_bf16(s[2 * i], s[2 * i + 1]);
  }
}

// What one warpgroup does with every tile.
__device__ __forceinline__ void attend_rows(const AttentionCall& call, const unsigned char* queries,
                                            const Tiles& keys, const Tiles& values,
                                            const Span& span, const QueryKeys (&rows)[2],
                                            Softmax& softmax, float (&out)[128]) {
  float s[32], most[2], shrink[2];
  unsigned shares[4][4];
  KeyTile tile = tile_from(call, span.first, span.last);
  simt::mbarrier_wait(&keys.full[0], 0);
  simt::wgmma_fence();
  score<kTileKeys, kDim / kSlab>(queries, keys.at(0), s);
  simt::wgmma_wait<0>();
  simt::wgmma_settle(s);
  keys.release(0);
  see(call, rows, tile.first, tile.end, s, most);
  share(softmax, most, s, shrink);
  pack(s, shares);
  int i = 1;
  for (; tile.end <= span.last; ++i) {
    tile = tile_from(call, tile.end, span.last);
    const int stage = i % kStages, before = (i - 1) % kStages;
    simt::mbarrier_wait(&keys.full[stage], (i / kStages) & 1);
    simt::mbarrier_wait(&values.full[before], ((i - 1) / kStages) & 1);
    simt::wgmma_fence();
    score<kTileKeys, kDim / kSlab>(queries, keys.at(stage), s);
    gather(shares, values.at(before), out);
    simt::wgmma_wait<1>();
    simt::wgmma_settle(s);
    keys.release(stage);
    see(call, rows, tile.first, tile.end, s, most);
    share(softmax, most, s, shrink);
    simt::wgmma_wait<0>();
    simt::wgmma_settle(out);
    simt::wgmma_settle(shares);
    values.release(before);
    shrink_by(shrink, out);
    pack(s, shares);
  }
  simt::mbarrier_wait(&values.full[(i - 1) % kStages], ((i - 1) / kStages) & 1);
  simt::wgmma_fence();
  gather(shares, values.at((i - 1) % kStages), out);
  simt::wgmma_wait<0>();
  simt::wgmma_settle(out);
}

__global__ void __launch_bounds__(kThreads, 1)
    attention_wgmma_256_kernel(const __grid_constant__ Maps maps, AttentionCall call) {
#if defined(SIMT_HOPPER) || !defined(__CUDA_ARCH__)
  SIMT_DYN_SHARED(unsigned char, raw);
  SIMT_SHARED(simt::Mbarrier, full, [2 * kStages]);
  SIMT_SHARED(simt::Mbarrier, empty, [2 * kStages]);
  if (threadIdx.x == 0) {
    init_barriers(full, empty, 2 * kGroup / kWarp);
  }
  __syncthreads();
  unsigned char* const queries = raw + (kAlign - simt::shared_address(raw) % kAlign) % kAlign;
  unsigned char* const tiles = queries + 2 * kQueryBytes;
  const Tiles keys{tiles, full, empty};
  const Tiles values{tiles + kStages * Tiles::kBytes, full + kStages, empty + kStages};
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
    const int t = static_cast<int>(threadIdx.x) % kGroup, mine = row0 + 64 * group;
    unsigned char* const own = queries + group * kQueryBytes;
    put_queries<kDim, kGroup>(own, call, mine, t);
    simt::barrier_sync(static_cast<unsigned>(1 + group), kGroup);
    const int row = mine + t / kWarp * 16 + t % kWarp / 4;
    const QueryKeys rows[2] = {query_row(call, row).keys, query_row(call, row + 8).keys};
    Softmax softmax;
    float out[128];
#pragma unroll
    for (int i = 0; i < 128; ++i) {
      out[i] = 0;
    }
    if (span.first <= span.last) {
      attend_rows(call, own, keys, values, span, rows, softmax, out);
    }
    const float sum[2] = {quad_sum(softmax.sum[0]), quad_sum(softmax.sum[1])};
    store(call, row, kDim, 0, sum, out);
  }
#endif
}

bool aligned(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) % 16 == 0;
}

void attend_256(Stream& stream, const AttentionCall& call) {
  const auto slots = static_cast<unsigned>(call.stored == 0 ? call.cache.slots : call.stored);
  const auto width = static_cast<unsigned>(call.cache.heads * kDim);
  const Maps maps{simt::make_tensor_map(call.cache.keys, slots, width, width, kTileKeys),
                  simt::make_tensor_map(call.cache.values, slots, width, width, kTileKeys)};
  const int rows = call.queries.rows * (call.heads / call.cache.heads);
  const dim3 grid(static_cast<unsigned>((rows + kRows - 1) / kRows),
                  static_cast<unsigned>(call.cache.heads));
  SIMT_LAUNCH(stream, grid, kThreads, kBytes, attention_wgmma_256_kernel, maps, call);
}

}  // namespace

bool attention_wgmma_takes(const AttentionCall& call) {
  const int d = call.cache.head_dim;
  return call.cache.type == KeyType::kBf16 && call.pieces == 1 && (d == 256 || d == 512) &&
         aligned(call.queries.data) && call.queries.stride % 4 == 0 && aligned(call.out.data) &&
         call.out.stride % 4 == 0 && aligned(call.cache.keys) && aligned(call.cache.values);
}

void attention_wgmma(Stream& stream, const AttentionCall& call) {
  if (!attention_wgmma_takes(call)) {
    throw std::invalid_argument("attention_wgmma: got heads of " +
                                std::to_string(call.cache.head_dim) +
                                " numbers, expected 256 or 512, in one piece, of bf16, and rows at "
                                "multiples of 16 bytes");
  }
  if (call.queries.rows == 0) {
    return;
  }
  call.cache.head_dim == kDim ? attend_256(stream, call) : attention_wgmma_512(stream, call);
}

}  // namespace assay::cuda
