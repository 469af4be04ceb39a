// SPDX-License-Identifier: Apache-2.0
// What the encoders of images and audio do to rows on a device, beside row_ops_cuda.h.
//
//   clamp_rows        y = min( max(x, lowest), highest )
//   shift_scale       y = (x - shift) factor
//   standardize       x = (x - bias) .* scale
//   layer_norm        y = weight .* (x - m) / sqrt( v + eps ) + bias          bias: null for none
//                     m = mean(x), v = mean( (x - m)^2 )
//   relu, silu        in place
//   gate_by_sigmoid   y = x .* sigmoid(gate)
//   add_to_each       x += bias
//   scale_columns     x[c] *= scale[c mod period]; scale: null for the factor alone
//   rotate_axes       the pieces of a head turn by themselves, each by the angles of its axis
//   pool              y[cell] = sum of the rows that belong to it, factor times
//   gather_points     the 3 x 3 points around (2t, 2f), zeros beyond the edges
//   depthwise_conv1d  y[t, d] = sum_j weight[j, d] x[t - points + 1 + j, d]
//   local_scores      scores[t, n, w] = q[t, n] . (k[t - w, n] + places[w, n])    0 <= w < keys, t
//   local_softmax     over the keys that there are
//   local_mix         out[t, n] = sum_w probs[t, n, w] v[t - w, n]
//
// A mean is taken twice: the first is off by the rounding of a long sum of large numbers, which in
// a nearly flat patch is as large as the deviations; the second sums what is left. f32 throughout.
// Spec: multimodal 0.1, 3.1, 5.4 to 5.6; RC-7, RC-9, RC-12 to RC-17.
#pragma once

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/device_rows_cuda.h"

namespace assay::cuda {

// x and y may be the same.
void clamp_rows(Stream& stream, const DeviceRows& x, float lowest, float highest,
                const DeviceRows& y);
void shift_scale(Stream& stream, const DeviceRows& x, float shift, float factor,
                 const DeviceRows& y);
void standardize(Stream& stream, const DeviceRows& x, const float* bias, const float* scale);
void layer_norm(Stream& stream, const DeviceRows& x, const float* weight, const float* bias,
                float eps, const DeviceRows& y);
void relu(Stream& stream, const DeviceRows& x);
void silu(Stream& stream, const DeviceRows& x);
void gate_by_sigmoid(Stream& stream, const DeviceRows& x, const DeviceRows& gate,
                     const DeviceRows& y);
void add_to_each(Stream& stream, const DeviceRows& x, const float* bias);
void scale_columns(Stream& stream, const DeviceRows& x, const float* scale, int period,
                   float factor);

// cos and sin [rows, axes, pairs]; the columns are pieces of 2 pairs, axis after axis.
void rotate_axes(Stream& stream, const DeviceRows& x, const float* cos, const float* sin, int axes,
                 int pairs);
// members [cells, count]: rows of x.
void pool(Stream& stream, const DeviceRows& x, const int* members, int count, float factor,
          const DeviceRows& y);

// x [times * frequencies, channels]; y [points, 9 channels] from the point `first` on.
struct Points {
  DeviceRows x;
  int times = 0;
  int frequencies = 0;
  int first = 0;
};
void gather_points(Stream& stream, const Points& points, const DeviceRows& y);

// weight [points, columns]
void depthwise_conv1d(Stream& stream, const DeviceRows& x, const float* weight, int points,
                      const DeviceRows& y);

struct LocalWindow {
  int heads = 0;
  int width = 0;  // of a head
  int keys = 0;   // the row itself and those before it
};
// places: the row of distance w is the one w before the last. scores [T, heads keys], 0 where there
// is no key.
void local_scores(Stream& stream, const LocalWindow& window, const DeviceRows& q,
                  const DeviceRows& k, const DeviceRows& places, const DeviceRows& scores);
void local_softmax(Stream& stream, const LocalWindow& window, const DeviceRows& scores);
void local_mix(Stream& stream, const LocalWindow& window, const DeviceRows& probs,
               const DeviceRows& v, const DeviceRows& out);

}  // namespace assay::cuda
