// SPDX-License-Identifier: Apache-2.0
// What a layer does to single rows between its products, on a device.
//
//   rms_norm    y = x / sqrt( mean(x^2) + eps ) .* scale                   scale: null for all ones
//   add_normed  h = (h + rms_norm(x) .* scale) factor, and where a next scale is given
//               next = rms_norm(h) .* next_scale
//   norm_rope   each head normed and rotated, first and second halves as pairs   
//   geglu       gate = gelu(gate) .* up
//   softcap     x = cap tanh( x / cap )
//   per_layer   in = (rms_norm(in inverse) .* scale + token root) sqrt(1/2)   for each layer's part
//
// f32 throughout. A mean is summed by the threads of a block and across them, so rounding differs
// from the reference within its f32 floor. Arrays called `…_out` may be null; they get what a
// fusion does not leave.  Spec.
#pragma once

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/device_rows_cuda.h"

namespace assay::cuda {

// x and y may be the same.
void rms_norm(Stream& stream, const DeviceRows& x, const float* scale, float eps,
              const DeviceRows& y);

struct AddNormed {
  DeviceRows x;
  const float* scale = nullptr;
  DeviceRows h;
  float factor = 1;
  const float* next_scale = nullptr;
  float* next = nullptr;        // [rows, columns]
  float* normed_out = nullptr;  // rms_norm(x) .* scale
  float* sum_out = nullptr;     // before the factor
};
void add_normed(Stream& stream, const AddNormed& call, float eps);

// Cosines and sines [tokens, half] of each token.
struct Rotation {
  const float* cos = nullptr;
  const float* sin = nullptr;
  int half = 0;
};
// x [tokens, heads 2 half], in place.
void norm_rope(Stream& stream, const DeviceRows& x, const float* scale, const Rotation& rotation,
               float eps, float* normed_out);

// `act_out`: gelu(gate), as many columns as the gate.
void geglu(Stream& stream, const DeviceRows& gate, const DeviceRows& up, float* act_out);
void softcap(Stream& stream, const DeviceRows& x, float cap);

struct PerLayerInputs {
  DeviceRows in;     // [tokens, layers width]: the projection of the model's rows
  DeviceRows token;  // rows of the table, not scaled
  const float* scale = nullptr;
  int width = 0;
  float inverse = 0;
  float root = 0;
  float* token_out = nullptr;
  float* context_out = nullptr;
};
void per_layer_inputs(Stream& stream, const PerLayerInputs& call, float eps);

void add_rows(Stream& stream, const DeviceRows& y, const DeviceRows& x, float factor);

}  // namespace assay::cuda
