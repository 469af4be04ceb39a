// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/encoder_ops.h"

#include <cmath>

#include "optimized/kernels/encoder_rows_cuda.h"
#include "optimized/kernels/row_ops_cuda.h"

namespace assay::cuda {
namespace {

// A bound at infinity clamps nothing.
bool clamps(float lowest, float highest) {
  return !std::isinf(lowest) || !std::isinf(highest);
}

}  // namespace

const float* EncoderOps::of(const cpu::Vector& values) {
  const auto [at, is_new] = memory_.try_emplace(values.data());
  if (is_new) {
    bring(at->second, std::span(values));
  }
  return at->second.data();
}

const DeviceWeight& EncoderOps::of(const cpu::WeightView& weight) {
  const auto [at, is_new] = weights_.try_emplace(weight.data);
  if (is_new) {
    std::vector<float> values(weight.rows * weight.columns);
    for (std::size_t r = 0; r < weight.rows; ++r) {
      cpu::unpack_row(weight, r, values.data() + r * weight.columns);
    }
    Buffer<float>& memory = memory_[weight.data];
    bring(memory, std::span<const float>(values));
    at->second.rows = static_cast<int>(weight.rows);
    at->second.columns = static_cast<int>(weight.columns);
    at->second.data = memory.data();
  }
  return at->second;
}

DeviceRows EncoderOps::bring(Room& to, const cpu::Rows& rows) {
  const DeviceRows on_device = to.shape(rows.rows, rows.columns);
  const auto values = rows.values<float>();
  stream_.upload(on_device.data, values.data(), values.size() * sizeof(float));
  stream_.synchronize();
  return on_device;
}

void EncoderOps::linear(const DeviceRows& x, const cpu::WeightView& w, const DeviceRows& y) {
  matmul(stream_, of(w), x, false, y);
}

void EncoderOps::clipped(const DeviceRows& x, std::initializer_list<Output> outputs) {
  for (const Output& output : outputs) {
    const cpu::ClippedWeight& w = *output.weight;
    DeviceRows from = x;
    if (clamps(w.input_min, w.input_max)) {
      from = clamped_.like(x);
      clamp_rows(stream_, x, w.input_min, w.input_max, from);
    }
    linear(from, w.weight, output.y);
    if (clamps(w.output_min, w.output_max)) {
      clamp_rows(stream_, output.y, w.output_min, w.output_max, output.y);
    }
  }
}

void EncoderOps::norm(const DeviceRows& x, const cpu::Vector& scale, double eps,
                      const DeviceRows& y) {
  rms_norm(stream_, x, of(scale), static_cast<float>(eps), y);
}

void EncoderOps::norm_heads(const DeviceRows& x, std::size_t width, const cpu::Vector* scale,
                            double eps) {
  const auto count = static_cast<std::size_t>(x.rows) * static_cast<std::size_t>(x.columns) / width;
  const DeviceRows heads = device_rows(x.data, count, width);
  rms_norm(stream_, heads, scale == nullptr ? nullptr : of(*scale), static_cast<float>(eps), heads);
}

cpu::Rows EncoderOps::embed(const DeviceRows& x, const cpu::WeightView& projection, double eps,
                            EmbedOrder order, const cpu::TapScope& tap) {
  const DeviceRows soft = soft_.shape(static_cast<std::size_t>(x.rows), projection.rows);
  if (order == EmbedOrder::kProjectThenNorm) {
    linear(x, projection, soft);
    norm_heads(soft, projection.rows, nullptr, eps);
  } else {
    norm_heads(x, static_cast<std::size_t>(x.columns), nullptr, eps);
    show(tap, "embed.pre_norm", x);
    linear(x, projection, soft);
  }
  show(tap, "embed.out", soft);
  soft_values_ = show.values(soft);
  return {soft_values_.data(), projection.rows, static_cast<std::size_t>(x.rows), projection.rows};
}

}  // namespace assay::cuda
