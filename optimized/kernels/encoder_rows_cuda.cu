// SPDX-License-Identifier: Apache-2.0
// A thread for each number; a block for each row of a layer norm.
#include "optimized/kernels/encoder_rows_cuda.h"

#include "optimized/kernels/warp_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kNormThreads = 128;

// y[r, i] = op(r, i) for every number of y.
template <class Op>
__global__ void __launch_bounds__(kThreads) each_kernel(DeviceRows y, Op op) {
  const int i = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  const int r = static_cast<int>(blockIdx.x);  // there may be more rows than fit into the y axis
  if (i < y.columns) {
    y.data[static_cast<long>(r) * y.stride + i] = op(r, i);
  }
}

template <class Op>
void each(Stream& stream, const DeviceRows& y, const Op& op) {
  const int threads = y.columns < kThreads ? (y.columns + kWarp - 1) / kWarp * kWarp : kThreads;
  const auto across = static_cast<unsigned>((y.columns + threads - 1) / threads);
  SIMT_LAUNCH(stream, dim3(static_cast<unsigned>(y.rows), across), threads, 0, each_kernel<Op>, y,
              op);
}

__device__ __forceinline__ float at(const DeviceRows& x, int r, int i) {
  return x.data[static_cast<long>(r) * x.stride + i];
}

struct Clamp {
  DeviceRows x;
  float lowest, highest;
  __device__ float operator()(int r, int i) const {
    const float v = at(x, r, i);  // a NaN stays one
    return v < lowest ? lowest : v > highest ? highest : v;
  }
};

struct ShiftScale {
  DeviceRows x;
  float shift, factor;
  __device__ float operator()(int r, int i) const { return (at(x, r, i) - shift) * factor; }
};

struct Standardize {
  DeviceRows x;
  const float* bias;
  const float* scale;
  __device__ float operator()(int r, int i) const { return (at(x, r, i) - bias[i]) * scale[i]; }
};

struct Relu {
  DeviceRows x;
  __device__ float operator()(int r, int i) const {
    const float v = at(x, r, i);
    return v < 0 ? 0.0F : v;
  }
};

struct Silu {
  DeviceRows x;
  __device__ float operator()(int r, int i) const { return at(x, r, i) * sigmoid_of(at(x, r, i)); }
};

struct Gate {
  DeviceRows x, gate;
  __device__ float operator()(int r, int i) const {
    return at(x, r, i) * sigmoid_of(at(gate, r, i));
  }
};

struct AddToEach {
  DeviceRows x;
  const float* bias;
  __device__ float operator()(int r, int i) const { return at(x, r, i) + bias[i]; }
};

struct ScaleColumns {
  DeviceRows x;
  const float* scale;
  int period;
  float factor;
  __device__ float operator()(int r, int i) const {
    return at(x, r, i) * factor * (scale == nullptr ? 1.0F : scale[i % period]);
  }
};

struct Pool {
  DeviceRows x;
  const int* members;
  int count;
  float factor;
  __device__ float operator()(int r, int i) const {
    float sum = 0;
    for (int m = 0; m < count; ++m) {
      sum += at(x, members[r * count + m], i);
    }
    return sum * factor;
  }
};

struct GatherPoints {
  Points points;
  __device__ float operator()(int r, int i) const {
    const int channels = points.x.columns;
    const int across = (points.frequencies + 1) / 2;
    const int p = points.first + r;
    const int time = 2 * (p / across) + i / channels / 3 - 1;
    const int frequency = 2 * (p % across) + i / channels % 3 - 1;
    const bool inside =
        time >= 0 && time < points.times && frequency >= 0 && frequency < points.frequencies;
    return inside ? at(points.x, time * points.frequencies + frequency, i % channels) : 0.0F;
  }
};

struct Depthwise {
  DeviceRows x;
  const float* weight;
  int points;
  __device__ float operator()(int r, int i) const {
    float sum = 0;
    for (int j = 0; j < points; ++j) {
      const int row = r - points + 1 + j;
      sum += row < 0 ? 0.0F : weight[j * x.columns + i] * at(x, row, i);
    }
    return sum;
  }
};

struct LocalScores {
  LocalWindow window;
  DeviceRows q, k, places;
  __device__ float operator()(int t, int i) const {
    const int w = i % window.keys;
    const int column = i / window.keys * window.width;
    if (w > t) {
      return 0;
    }
    float by_key = 0;
    float by_place = 0;
    for (int d = column; d < column + window.width; ++d) {
      by_key += at(q, t, d) * at(k, t - w, d);
      by_place += at(q, t, d) * at(places, places.rows - 1 - w, d);
    }
    return by_key + by_place;
  }
};

struct LocalMix {
  LocalWindow window;
  DeviceRows probs, v;
  __device__ float operator()(int t, int i) const {
    const int first = i / window.width * window.keys;
    float sum = 0;
    for (int w = 0; w < window.keys && w <= t; ++w) {
      sum += at(probs, t, first + w) * at(v, t - w, i);
    }
    return sum;
  }
};

// A thread for each head of a row.
__global__ void local_softmax_kernel(LocalWindow window, DeviceRows scores) {
  const int t = static_cast<int>(blockIdx.x);
  const int seen = smaller(t + 1, window.keys);
  for (int n = static_cast<int>(threadIdx.x); n < window.heads; n += static_cast<int>(blockDim.x)) {
    float* const row = scores.data + static_cast<long>(t) * scores.stride + n * window.keys;
    float most = -INFINITY;
    for (int w = 0; w < seen; ++w) {
      most = fmaxf(most, row[w]);
    }
    float sum = 0;
    for (int w = 0; w < seen; ++w) {
      row[w] = expf(row[w] - most);
      sum += row[w];
    }
    for (int w = 0; w < seen; ++w) {
      row[w] /= sum;
    }
  }
}

// A thread for each pair of a row.
__global__ void rotate_kernel(DeviceRows x, const float* cos, const float* sin, int axes,
                              int pairs) {
  const int p = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  const long r = blockIdx.x;
  if (2 * p >= x.columns) {
    return;
  }
  const int piece = p / pairs;
  const long angle = (r * axes + piece % axes) * pairs + p % pairs;
  float* const first = x.data + r * x.stride + piece * 2 * pairs + p % pairs;
  const float a = first[0];
  const float b = first[pairs];
  first[0] = a * cos[angle] - b * sin[angle];
  first[pairs] = b * cos[angle] + a * sin[angle];
}

__global__ void __launch_bounds__(kNormThreads)
    layer_norm_kernel(DeviceRows x, const float* weight, const float* bias, float eps,
                      DeviceRows y) {
  SIMT_SHARED(float, first_sums, [kNormThreads / kWarp]);
  SIMT_SHARED(float, second_sums, [kNormThreads / kWarp]);
  SIMT_SHARED(float, squares, [kNormThreads / kWarp]);
  const long r = blockIdx.x;
  const float* const from = x.data + r * x.stride;
  float* const to = y.data + r * y.stride;
  const auto count = static_cast<float>(x.columns);
  const int t = static_cast<int>(threadIdx.x);
  float sum = 0;
  for (int i = t; i < x.columns; i += kNormThreads) {
    sum += from[i];
  }
  const float first = block_sum<kNormThreads>(sum, first_sums) / count;
  sum = 0;
  for (int i = t; i < x.columns; i += kNormThreads) {
    sum += from[i] - first;
  }
  const float mean = first + block_sum<kNormThreads>(sum, second_sums) / count;
  sum = 0;
  for (int i = t; i < x.columns; i += kNormThreads) {
    sum += (from[i] - mean) * (from[i] - mean);
  }
  const float variance = block_sum<kNormThreads>(sum, squares) / count;
  const float factor = 1.0F / sqrtf(variance + eps);
  for (int i = t; i < x.columns; i += kNormThreads) {
    to[i] = weight[i] * ((from[i] - mean) * factor) + (bias == nullptr ? 0.0F : bias[i]);
  }
}

}  // namespace

void clamp_rows(Stream& stream, const DeviceRows& x, float lowest, float highest,
                const DeviceRows& y) {
  each(stream, y, Clamp{x, lowest, highest});
}

void shift_scale(Stream& stream, const DeviceRows& x, float shift, float factor,
                 const DeviceRows& y) {
  each(stream, y, ShiftScale{x, shift, factor});
}

void standardize(Stream& stream, const DeviceRows& x, const float* bias, const float* scale) {
  each(stream, x, Standardize{x, bias, scale});
}

void layer_norm(Stream& stream, const DeviceRows& x, const float* weight, const float* bias,
                float eps, const DeviceRows& y) {
  SIMT_LAUNCH(stream, x.rows, kNormThreads, 0, layer_norm_kernel, x, weight, bias, eps, y);
}

void relu(Stream& stream, const DeviceRows& x) {
  each(stream, x, Relu{x});
}

void silu(Stream& stream, const DeviceRows& x) {
  each(stream, x, Silu{x});
}

void gate_by_sigmoid(Stream& stream, const DeviceRows& x, const DeviceRows& gate,
                     const DeviceRows& y) {
  each(stream, y, Gate{x, gate});
}

void add_to_each(Stream& stream, const DeviceRows& x, const float* bias) {
  each(stream, x, AddToEach{x, bias});
}

void scale_columns(Stream& stream, const DeviceRows& x, const float* scale, int period,
                   float factor) {
  each(stream, x, ScaleColumns{x, scale, period, factor});
}

void rotate_axes(Stream& stream, const DeviceRows& x, const float* cos, const float* sin, int axes,
                 int pairs) {
  const int threads = 4 * kWarp;
  const dim3 grid(static_cast<unsigned>(x.rows),
                  static_cast<unsigned>((x.columns / 2 + threads - 1) / threads));
  SIMT_LAUNCH(stream, grid, threads, 0, rotate_kernel, x, cos, sin, axes, pairs);
}

void pool(Stream& stream, const DeviceRows& x, const int* members, int count, float factor,
          const DeviceRows& y) {
  each(stream, y, Pool{x, members, count, factor});
}

void gather_points(Stream& stream, const Points& points, const DeviceRows& y) {
  each(stream, y, GatherPoints{points});
}

void depthwise_conv1d(Stream& stream, const DeviceRows& x, const float* weight, int points,
                      const DeviceRows& y) {
  each(stream, y, Depthwise{x, weight, points});
}

void local_scores(Stream& stream, const LocalWindow& window, const DeviceRows& q,
                  const DeviceRows& k, const DeviceRows& places, const DeviceRows& scores) {
  each(stream, scores, LocalScores{window, q, k, places});
}

void local_softmax(Stream& stream, const LocalWindow& window, const DeviceRows& scores) {
  SIMT_LAUNCH(stream, scores.rows, kWarp, 0, local_softmax_kernel, window, scores);
}

void local_mix(Stream& stream, const LocalWindow& window, const DeviceRows& probs,
               const DeviceRows& v, const DeviceRows& out) {
  each(stream, out, LocalMix{window, probs, v});
}

}  // namespace assay::cuda
