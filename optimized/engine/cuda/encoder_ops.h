// SPDX-License-Identifier: Apache-2.0
// What the layers of both encoders are made of, on a device: products between clamps, norms, sums
// of rows.
//
// Encoders are computed in f32 arithmetic in every precision class. Their weights are those of the
// CPU engine, which knows their names and how they lie; each goes over, as f32, when it is met
// first, and stays.
#pragma once

#include <initializer_list>
#include <span>
#include <unordered_map>
#include <vector>

#include "optimized/engine/cuda/shown.h"
#include "optimized/engine/taps.h"
#include "optimized/engine/weight_packer.h"
#include "optimized/kernels/matmul_cuda.h"
#include "reference/family/config/profile.h"

namespace assay::cuda {

// Memory for rows: the same for every shape that fits; grows where one does not.
class Room {
 public:
  DeviceRows shape(std::size_t rows, std::size_t columns) {
    if (memory_.size() < rows * columns) {
      memory_ = Buffer<float>(rows * columns);
    }
    return device_rows(memory_.data(), rows, columns);
  }
  DeviceRows like(const DeviceRows& rows) {
    return shape(static_cast<std::size_t>(rows.rows), static_cast<std::size_t>(rows.columns));
  }

 private:
  Buffer<float> memory_;
};

class EncoderOps {
 public:
  // Keeps the reference.
  explicit EncoderOps(Stream& stream) : show(stream), stream_(stream) {}

  Stream& stream() const { return stream_; }

  // Of the device; the values must stay where they are.
  const float* of(const cpu::Vector& values);
  const DeviceWeight& of(const cpu::WeightView& weight);
  // Of one call: uploaded anew.
  template <class Value>
  const Value* bring(Buffer<Value>& to, std::span<const Value> values);
  DeviceRows bring(Room& to, const cpu::Rows& rows);

  void linear(const DeviceRows& x, const cpu::WeightView& w, const DeviceRows& y);
  struct Output {
    const cpu::ClippedWeight* weight;
    DeviceRows y;
  };
  // y = clip( clip(x) W^T ) of each output.
  void clipped(const DeviceRows& x, std::initializer_list<Output> outputs);

  void norm(const DeviceRows& x, const cpu::Vector& scale, double eps, const DeviceRows& y);
  // Each piece of `width` numbers of a row by itself; scale: null for all ones. Rows lie one right
  // after another.
  void norm_heads(const DeviceRows& x, std::size_t width, const cpu::Vector* scale, double eps);

  // The projector after every encoder: rms_norm(x) W^T, or the other way about. x is normed in
  // place, or not at all. Taps embed.pre_norm and embed.out below `tap` ("vision.", "audio.").
  // The rows are on the host, in memory that holds until the next call.
  cpu::Rows embed(const DeviceRows& x, const cpu::WeightView& projection, double eps,
                  EmbedOrder order, const cpu::TapScope& tap);

  Shown show;

 private:
  Stream& stream_;
  std::unordered_map<const void*, Buffer<float>> memory_;
  std::unordered_map<const void*, DeviceWeight> weights_;
  Room clamped_, soft_;
  std::vector<float> soft_values_;
};

template <class Value>
const Value* EncoderOps::bring(Buffer<Value>& to, std::span<const Value> values) {
  if (to.size() < values.size()) {
    to = Buffer<Value>(values.size());
  }
  stream_.upload(to.data(), values.data(), values.size_bytes());
  stream_.synchronize();
  return to.data();
}

}  // namespace assay::cuda
