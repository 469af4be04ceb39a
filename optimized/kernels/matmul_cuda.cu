// SPDX-License-Identifier: Apache-2.0
// A tile of 32 x 32 results for 64 threads, or four results for a warp.
#include "optimized/kernels/matmul_cuda.h"

#include "optimized/kernels/weight_formats_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kTile = 32;         // rows and columns of results of a block
constexpr int kDeep = 16;         // of k at a time
constexpr int kPer = 4;           // rows and columns of results of a thread
constexpr int kTileThreads = 64;  // (kTile / kPer)^2
constexpr int kGemvRows = 4;      // of w, for a warp
constexpr int kGemvWarps = 4;     // of a block

// Which rows a block multiplies: all of them, or those of one expert.
struct Range {
  int first = 0;
  int count = 0;
  const int* sorted = nullptr;  // null: row i of x is row i of y
  int slots = 1;

  __device__ long x_row(int i) const {
    return sorted == nullptr ? first + i : sorted[first + i] / slots;
  }
};

// as[k][m] and ws[k][n] of one step; what lies beyond an edge is 0.
template <WeightFormat kFormat, bool kRound>
__device__ __forceinline__ void load_step(const DeviceWeight& w, long slice, const DeviceRows& x,
                                          const Range& range, int m0, int n0, int k0,
                                          float (&as)[kDeep][kTile + 1],
                                          float (&ws)[kDeep][kTile + 1]) {
  for (int e = static_cast<int>(threadIdx.x); e < kTile * kDeep; e += kTileThreads) {
    const int r = e / kDeep;
    const int k = k0 + e % kDeep;
    float a = 0;
    if (m0 + r < range.count && k < w.columns) {
      a = x.data[range.x_row(m0 + r) * x.stride + k];
      a = kRound ? rounded_to_bf16(a) : a;
    }
    as[e % kDeep][r] = a;
    const bool inside = n0 + r < w.rows && k < w.columns;
    ws[e % kDeep][r] = inside ? element_of<kFormat>(w, slice * w.rows + n0 + r, k) : 0.0F;
  }
}

template <WeightFormat kFormat, bool kRound>
__device__ __forceinline__ void tile_product(const DeviceWeight& w, long slice, const DeviceRows& x,
                                             const Range& range, const DeviceRows& y) {
  SIMT_SHARED(float, as, [kDeep][kTile + 1]);
  SIMT_SHARED(float, ws, [kDeep][kTile + 1]);
  const int column = static_cast<int>(threadIdx.x) % (kTile / kPer) * kPer;
  const int row = static_cast<int>(threadIdx.x) / (kTile / kPer) * kPer;
  const int m0 = static_cast<int>(blockIdx.y) * kTile;
  const int n0 = static_cast<int>(blockIdx.x) * kTile;
  float sum[kPer][kPer] = {};
  for (int k0 = 0; k0 < w.columns; k0 += kDeep) {
    load_step<kFormat, kRound>(w, slice, x, range, m0, n0, k0, as, ws);
    __syncthreads();
    for (int k = 0; k < kDeep; ++k) {
      for (int i = 0; i < kPer; ++i) {
        for (int j = 0; j < kPer; ++j) {
          sum[i][j] += as[k][row + i] * ws[k][column + j];
        }
      }
    }
    __syncthreads();
  }
  for (int i = 0; i < kPer && m0 + row + i < range.count; ++i) {
    for (int j = 0; j < kPer && n0 + column + j < w.rows; ++j) {
      y.data[(range.first + m0 + row + i) * y.stride + n0 + column + j] = sum[i][j];
    }
  }
}

template <WeightFormat kFormat, bool kRound>
__global__ void __launch_bounds__(kTileThreads)
    matmul_kernel(DeviceWeight w, DeviceRows x, DeviceRows y) {
  tile_product<kFormat, kRound>(w, 0, x, Range{0, x.rows}, y);
}

// blockIdx.z: the expert.
template <WeightFormat kFormat, bool kRound>
__global__ void __launch_bounds__(kTileThreads, 8)
    expert_matmul_kernel(DeviceWeight w, ExpertRows rows, bool gather, DeviceRows x, DeviceRows y) {
  const int e = static_cast<int>(blockIdx.z);
  Range range{rows.first[e], rows.first[e + 1] - rows.first[e]};
  if (static_cast<int>(blockIdx.y) * kTile >= range.count) {
    return;
  }
  if (gather) {
    range.sorted = rows.sorted;
    range.slots = rows.slots;
  }
  tile_product<kFormat, kRound>(w, e, x, range, y);
}

// Four sums of every lane to one sum a lane: lane l gets that of number l / 8. Half of the numbers
// go to the other half of the lanes in each of the first two steps.
__device__ __forceinline__ float reduce_four(const float (&sum)[kGemvRows]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const bool upper = lane >= 16;
  const float a =
      (upper ? sum[2] : sum[0]) + __shfl_xor_sync(kAllLanes, upper ? sum[0] : sum[2], 16);
  const float b =
      (upper ? sum[3] : sum[1]) + __shfl_xor_sync(kAllLanes, upper ? sum[1] : sum[3], 16);
  const bool odd = lane / 8 % 2 != 0;
  float v = (odd ? b : a) + __shfl_xor_sync(kAllLanes, odd ? a : b, 8);
  for (int o = 4; o > 0; o /= 2) {
    v += __shfl_xor_sync(kAllLanes, v, o);
  }
  return v;
}

// Lane l has elements l, l + 32, … of each of the four rows.
template <WeightFormat kFormat, bool kRound>
__device__ __forceinline__ void sum_elements(const DeviceWeight& w, long row, int rows,
                                             const float* x, float (&sum)[kGemvRows]) {
  for (int k = static_cast<int>(threadIdx.x) % kWarp; k < w.columns; k += kWarp) {
    const float a = kRound ? rounded_to_bf16(x[k]) : x[k];
    for (int i = 0; i < kGemvRows && i < rows; ++i) {
      sum[i] += a * element_of<kFormat>(w, row + i, k);
    }
  }
}

// Lane l has words l, l + 32, … of 16 bytes; those of all four rows are under way at once.
template <WeightFormat kFormat, bool kRound>
__device__ __forceinline__ void sum_words(const DeviceWeight& w, long row, int rows, const float* x,
                                          float (&sum)[kGemvRows]) {
  constexpr int kCount = kWordElements<kFormat>;
  for (int k = static_cast<int>(threadIdx.x) % kWarp * kCount; k < w.columns; k += kWarp * kCount) {
    uint4 words[kGemvRows];
#pragma unroll
    for (int i = 0; i < kGemvRows; ++i) {
      words[i] = word_of<kFormat>(w, row + smaller(i, rows - 1), k);
    }
    float a[kCount];
#pragma unroll
    for (int j = 0; j < kCount; j += 4) {
      const float4 four = *reinterpret_cast<const float4*>(x + k + j);
      a[j] = kRound ? rounded_to_bf16(four.x) : four.x;
      a[j + 1] = kRound ? rounded_to_bf16(four.y) : four.y;
      a[j + 2] = kRound ? rounded_to_bf16(four.z) : four.z;
      a[j + 3] = kRound ? rounded_to_bf16(four.w) : four.w;
    }
#pragma unroll
    for (int i = 0; i < kGemvRows; ++i) {
      sum[i] += word_product<kFormat>(w, words[i], row + smaller(i, rows - 1), k, a);
    }
  }
}

// One warp: rows n0 … n0 + 3 of slice `slice` times one row; `by_words`: both can be read so.
template <WeightFormat kFormat, bool kRound>
__device__ __forceinline__ void gemv_rows(const DeviceWeight& w, long slice, const float* x,
                                          bool by_words, float* y) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int n0 = (static_cast<int>(blockIdx.x) * kGemvWarps + warp) * kGemvRows;
  if (n0 >= w.rows) {
    return;
  }
  float sum[kGemvRows] = {};
  if (by_words) {
    sum_words<kFormat, kRound>(w, slice * w.rows + n0, w.rows - n0, x, sum);
  } else {
    sum_elements<kFormat, kRound>(w, slice * w.rows + n0, w.rows - n0, x, sum);
  }
  const float total = reduce_four(sum);
  if (lane % 8 == 0 && n0 + lane / 8 < w.rows) {
    y[n0 + lane / 8] = total;
  }
}

template <WeightFormat kFormat, bool kRound>
__global__ void __launch_bounds__(kGemvWarps* kWarp)
    gemv_kernel(DeviceWeight w, DeviceRows x, bool by_words, DeviceRows y) {
  gemv_rows<kFormat, kRound>(w, 0, x.data, by_words, y.data);
}

// blockIdx.y: the choice.
template <WeightFormat kFormat, bool kRound>
__global__ void __launch_bounds__(kGemvWarps* kWarp)
    expert_gemv_kernel(DeviceWeight w, ExpertRows rows, bool gather, DeviceRows x, bool by_words,
                       DeviceRows y) {
  const long choice = blockIdx.y;
  const long row = gather ? choice / rows.slots : choice;
  gemv_rows<kFormat, kRound>(w, rows.expert[choice], x.data + row * x.stride, by_words,
                             y.data + choice * y.stride);
}

__device__ __forceinline__ float any_element(const DeviceWeight& w, long row, int k) {
  switch (w.format) {
    case WeightFormat::kF32:
      return element_of<WeightFormat::kF32>(w, row, k);
    case WeightFormat::kBf16:
      return element_of<WeightFormat::kBf16>(w, row, k);
    case WeightFormat::kQ8:
      return element_of<WeightFormat::kQ8>(w, row, k);
    case WeightFormat::kQ4:
      break;
  }
  return element_of<WeightFormat::kQ4>(w, row, k);
}

// One block: the row of a token.
__global__ void embed_kernel(Embedding call, DeviceRows h) {
  const long token = blockIdx.x;
  const long id = call.ids[token];
  const bool soft = call.is_soft != nullptr && call.is_soft[token] != 0;
  for (int i = static_cast<int>(threadIdx.x); i < h.columns; i += static_cast<int>(blockDim.x)) {
    const float value = any_element(call.table, id, i);
    const float scaled = value * call.scale;
    const long at = token * h.columns + i;
    if (call.row_out != nullptr) {
      call.row_out[at] = value;
    }
    if (call.scaled_out != nullptr) {
      call.scaled_out[at] = scaled;
    }
    h.data[token * h.stride + i] = soft ? call.soft[at] : scaled;
  }
}

// work.run<format, round>() for the format of a weight.
template <bool kRound, class Work>
void with_format(WeightFormat format, const Work& work) {
  switch (format) {
    case WeightFormat::kF32:
      return work.template run<WeightFormat::kF32, kRound>();
    case WeightFormat::kBf16:
      return work.template run<WeightFormat::kBf16, kRound>();
    case WeightFormat::kQ8:
      return work.template run<WeightFormat::kQ8, kRound>();
    case WeightFormat::kQ4:
      return work.template run<WeightFormat::kQ4, kRound>();
  }
}
template <class Work>
void with_format(WeightFormat format, bool round, const Work& work) {
  round ? with_format<true>(format, work) : with_format<false>(format, work);
}

unsigned blocks(int count, int per) {
  return static_cast<unsigned>((count + per - 1) / per);
}

// Whether rows can be read by words: they begin at multiples of 16 bytes, and are full of them.
template <WeightFormat kFormat>
bool has_words(const DeviceWeight& w, const DeviceRows& x) {
  const auto aligned = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; };
  return w.columns % kWordElements<kFormat> == 0 && w.row_stride() % kWordElements<kFormat> == 0 &&
         aligned(w.data) && aligned(x.data) && (x.rows == 1 || x.stride % 4 == 0);
}

struct Plain {
  Stream& stream;
  const DeviceWeight& w;
  const DeviceRows& x;
  const DeviceRows& y;

  template <WeightFormat kFormat, bool kRound>
  void run() const {
    if (x.rows == 1) {
      SIMT_LAUNCH(stream, blocks(w.rows, kGemvRows * kGemvWarps), kGemvWarps * kWarp, 0,
                  gemv_kernel<kFormat, kRound>, w, x, has_words<kFormat>(w, x), y);
    } else {
      SIMT_LAUNCH(stream, dim3(blocks(w.rows, kTile), blocks(x.rows, kTile)), kTileThreads, 0,
                  matmul_kernel<kFormat, kRound>, w, x, y);
    }
  }
};

struct Grouped {
  Stream& stream;
  const DeviceWeight& w;
  const ExpertRows& rows;
  bool gather;
  const DeviceRows& x;
  const DeviceRows& y;

  template <WeightFormat kFormat, bool kRound>
  void run() const {
    if (rows.by_choice) {
      const dim3 grid(blocks(w.rows, kGemvRows * kGemvWarps), static_cast<unsigned>(rows.choices));
      SIMT_LAUNCH(stream, grid, kGemvWarps * kWarp, 0, expert_gemv_kernel<kFormat, kRound>, w, rows,
                  gather, x, has_words<kFormat>(w, x), y);
    } else {
      const dim3 grid(blocks(w.rows, kTile), blocks(rows.most, kTile),
                      static_cast<unsigned>(rows.experts));
      SIMT_LAUNCH(stream, grid, kTileThreads, 0, expert_matmul_kernel<kFormat, kRound>, w, rows,
                  gather, x, y);
    }
  }
};

}  // namespace

std::size_t weight_code_bytes(WeightFormat format, std::size_t rows, std::size_t columns) {
  switch (format) {
    case WeightFormat::kF32:
      return rows * columns * 4;
    case WeightFormat::kBf16:
      return rows * columns * 2;
    case WeightFormat::kQ8:
      return rows * columns;
    case WeightFormat::kQ4:
      break;
  }
  return rows * columns / 2;
}

std::size_t weight_scales(WeightFormat format, std::size_t rows, std::size_t columns) {
  const bool blocks = format == WeightFormat::kQ8 || format == WeightFormat::kQ4;
  return blocks ? rows * columns / kWeightBlock : 0;
}

void matmul(Stream& stream, const DeviceWeight& w, const DeviceRows& x, bool round,
            const DeviceRows& y) {
  with_format(w.format, round, Plain{stream, w, x, y});
}

void expert_matmul(Stream& stream, const DeviceWeight& w, const ExpertRows& rows, bool gather,
                   const DeviceRows& x, bool round, const DeviceRows& y) {
  with_format(w.format, round, Grouped{stream, w, rows, gather, x, y});
}

void embed(Stream& stream, const Embedding& call, const DeviceRows& h) {
  SIMT_LAUNCH(stream, h.rows, 4 * kWarp, 0, embed_kernel, call, h);
}

}  // namespace assay::cuda
