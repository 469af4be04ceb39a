// SPDX-License-Identifier: Apache-2.0
// One block a row, or a warp where rows are short; elementwise work by blocks of 256.
#include "optimized/kernels/row_ops_cuda.h"

#include "optimized/kernels/warp_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kShort = 256;       // columns that a warp does alone
constexpr int kRowThreads = 256;  // 8 warps hide the latency of a row of a few thousand
constexpr int kElements = 256;    // threads of an elementwise block

// x / sqrt(mean(x^2) + eps), the factor that all columns get.
template <int kThreads>
__device__ __forceinline__ float norm_factor(const float* x, int columns, float eps,
                                             float (&partial)[kThreads / kWarp]) {
  float squares = 0;
  for (int i = static_cast<int>(threadIdx.x); i < columns; i += kThreads) {
    squares += x[i] * x[i];
  }
  const float mean = block_sum<kThreads>(squares, partial) / static_cast<float>(columns);
  return 1.0F / sqrtf(mean + eps);
}

template <int kThreads>
__global__ void __launch_bounds__(kThreads)
    rms_norm_kernel(DeviceRows x, const float* scale, float eps, DeviceRows y) {
  SIMT_SHARED(float, partial, [kThreads / kWarp]);
  const long r = blockIdx.x;
  const float* from = x.data + r * x.stride;
  float* to = y.data + r * y.stride;
  const float factor = norm_factor<kThreads>(from, x.columns, eps, partial);
  for (int i = static_cast<int>(threadIdx.x); i < x.columns; i += kThreads) {
    to[i] = from[i] * factor * (scale == nullptr ? 1.0F : scale[i]);
  }
}

template <int kThreads>
__global__ void __launch_bounds__(kThreads) add_normed_kernel(AddNormed call, float eps) {
  SIMT_SHARED(float, partial, [kThreads / kWarp]);
  SIMT_SHARED(float, next_partial, [kThreads / kWarp]);
  const long r = blockIdx.x;
  const int columns = call.x.columns;
  const float* x = call.x.data + r * call.x.stride;
  float* h = call.h.data + r * call.h.stride;
  const float factor = norm_factor<kThreads>(x, columns, eps, partial);
  float squares = 0;
  for (int i = static_cast<int>(threadIdx.x); i < columns; i += kThreads) {
    const float normed = x[i] * factor * call.scale[i];
    const float sum = h[i] + normed;
    const float scaled = sum * call.factor;
    h[i] = scaled;
    squares += scaled * scaled;
    if (call.normed_out != nullptr) {
      call.normed_out[r * columns + i] = normed;
    }
    if (call.sum_out != nullptr) {
      call.sum_out[r * columns + i] = sum;
    }
  }
  if (call.next_scale == nullptr) {
    return;
  }
  const float mean = block_sum<kThreads>(squares, next_partial) / static_cast<float>(columns);
  const float next_factor = 1.0F / sqrtf(mean + eps);
  for (int i = static_cast<int>(threadIdx.x); i < columns; i += kThreads) {
    call.next[r * columns + i] = h[i] * next_factor * call.next_scale[i];
  }
}

// One warp: a head of a token.
__global__ void __launch_bounds__(kWarp)
    norm_rope_kernel(DeviceRows x, const float* scale, Rotation rotation, float eps,
                     float* normed_out) {
  SIMT_SHARED(float, partial, [1]);
  const int half = rotation.half;
  const long token = blockIdx.x;
  const long at = static_cast<long>(blockIdx.y) * 2 * half;
  float* head = x.data + token * x.stride + at;
  const float factor = norm_factor<kWarp>(head, 2 * half, eps, partial);
  __syncwarp();  // other lanes have read what this one writes
  const float* cos = rotation.cos + token * half;
  const float* sin = rotation.sin + token * half;
  for (int c = static_cast<int>(threadIdx.x); c < half; c += kWarp) {
    const float a = head[c] * factor * scale[c];
    const float b = head[c + half] * factor * scale[c + half];
    if (normed_out != nullptr) {
      normed_out[token * x.columns + at + c] = a;
      normed_out[token * x.columns + at + c + half] = b;
    }
    head[c] = a * cos[c] - b * sin[c];
    head[c + half] = b * cos[c] + a * sin[c];
  }
}

// Element i of row blockIdx.x, for each thread one: of rows there may be more than fit into the
// other axes of a grid.
__device__ __forceinline__ int element() {
  return static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
}
int element_threads(const DeviceRows& x) {
  return x.columns < kElements ? (x.columns + kWarp - 1) / kWarp * kWarp : kElements;
}
dim3 elements(const DeviceRows& x) {
  const int threads = element_threads(x);
  return {static_cast<unsigned>(x.rows),
          static_cast<unsigned>((x.columns + threads - 1) / threads)};
}

__global__ void __launch_bounds__(kElements)
    geglu_kernel(DeviceRows gate, DeviceRows up, float* act_out) {
  const int i = element();
  const long r = blockIdx.x;
  if (i >= gate.columns) {
    return;
  }
  const float act = gelu_of(gate.data[r * gate.stride + i]);
  gate.data[r * gate.stride + i] = act * up.data[r * up.stride + i];
  if (act_out != nullptr) {
    act_out[r * gate.columns + i] = act;
  }
}

__global__ void __launch_bounds__(kElements) softcap_kernel(DeviceRows x, float cap) {
  const int i = element();
  if (i < x.columns) {
    float* const at = x.data + static_cast<long>(blockIdx.x) * x.stride + i;
    *at = cap * tanhf(*at / cap);
  }
}

__global__ void __launch_bounds__(kElements)
    add_rows_kernel(DeviceRows y, DeviceRows x, float factor) {
  const int i = element();
  const long r = blockIdx.x;
  if (i < y.columns) {
    y.data[r * y.stride + i] += factor * x.data[r * x.stride + i];
  }
}

// One warp: the part of one layer in a token's row.
__global__ void __launch_bounds__(kWarp) per_layer_kernel(PerLayerInputs call, float eps) {
  const long token = blockIdx.x;
  const long at = static_cast<long>(blockIdx.y) * call.width;
  float* in = call.in.data + token * call.in.stride + at;
  const float* row = call.token.data + token * call.token.stride + at;
  float squares = 0;
  for (int i = static_cast<int>(threadIdx.x); i < call.width; i += kWarp) {
    const float scaled = in[i] * call.inverse;
    squares += scaled * scaled;
  }
  const float mean = warp_sum(squares) / static_cast<float>(call.width);
  const float factor = 1.0F / sqrtf(mean + eps);
  const long out = token * call.in.columns + at;
  for (int i = static_cast<int>(threadIdx.x); i < call.width; i += kWarp) {
    const float context = in[i] * call.inverse * factor * call.scale[i];
    const float embedded = row[i] * call.root;
    if (call.token_out != nullptr) {
      call.token_out[out + i] = embedded;
    }
    if (call.context_out != nullptr) {
      call.context_out[out + i] = context;
    }
    in[i] = (context + embedded) * 0.70710678F;
  }
}

}  // namespace

void rms_norm(Stream& stream, const DeviceRows& x, const float* scale, float eps,
              const DeviceRows& y) {
  if (x.columns <= kShort) {
    SIMT_LAUNCH(stream, x.rows, kWarp, 0, rms_norm_kernel<kWarp>, x, scale, eps, y);
  } else {
    SIMT_LAUNCH(stream, x.rows, kRowThreads, 0, rms_norm_kernel<kRowThreads>, x, scale, eps, y);
  }
}

void add_normed(Stream& stream, const AddNormed& call, float eps) {
  if (call.x.columns <= kShort) {
    SIMT_LAUNCH(stream, call.x.rows, kWarp, 0, add_normed_kernel<kWarp>, call, eps);
  } else {
    SIMT_LAUNCH(stream, call.x.rows, kRowThreads, 0, add_normed_kernel<kRowThreads>, call, eps);
  }
}

void norm_rope(Stream& stream, const DeviceRows& x, const float* scale, const Rotation& rotation,
               float eps, float* normed_out) {
  const dim3 grid(x.rows, x.columns / (2 * rotation.half));
  SIMT_LAUNCH(stream, grid, kWarp, 0, norm_rope_kernel, x, scale, rotation, eps, normed_out);
}

void geglu(Stream& stream, const DeviceRows& gate, const DeviceRows& up, float* act_out) {
  SIMT_LAUNCH(stream, elements(gate), element_threads(gate), 0, geglu_kernel, gate, up, act_out);
}

void softcap(Stream& stream, const DeviceRows& x, float cap) {
  SIMT_LAUNCH(stream, elements(x), element_threads(x), 0, softcap_kernel, x, cap);
}

void add_rows(Stream& stream, const DeviceRows& y, const DeviceRows& x, float factor) {
  SIMT_LAUNCH(stream, elements(y), element_threads(y), 0, add_rows_kernel, y, x, factor);
}

void per_layer_inputs(Stream& stream, const PerLayerInputs& call, float eps) {
  const dim3 grid(call.in.rows, call.in.columns / call.width);
  SIMT_LAUNCH(stream, grid, kWarp, 0, per_layer_kernel, call, eps);
}

}  // namespace assay::cuda
