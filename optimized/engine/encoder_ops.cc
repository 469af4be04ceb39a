// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/encoder_ops.h"

#include <algorithm>
#include <cmath>

#include "optimized/engine/each_row.h"
#include "optimized/kernels/encoder_rows.h"
#include "optimized/kernels/matmul.h"
#include "optimized/kernels/row_ops.h"

namespace assay::cpu {
namespace {

// A bound at infinity clamps nothing.
bool clamps(float lowest, float highest) {
  return !std::isinf(lowest) || !std::isinf(highest);
}

double operations_of(const WeightView& w, std::size_t rows) {
  return 2.0 * static_cast<double>(w.rows) * static_cast<double>(w.columns) *
         static_cast<double>(rows);
}

RowsView view_of(const Rows& x) {
  return {x.data, x.stride, x.rows, x.columns};
}

}  // namespace

void EncoderOps::linear(const Rows& x, const WeightView& w, const Rows& y) {
  panels_.resize(std::max<std::size_t>(panels_.size(), 1));
  panels_[0].pack(view_of(x), row_format(w.layout, Arithmetic::kF32, x.rows), threads_);
  const Product product{&w, panels_.data(), y.data, y.stride};
  multiply({&product, 1}, threads_);
  operations_ += operations_of(w, x.rows);
}

void EncoderOps::clipped(const Rows& x, std::initializer_list<Output> outputs) {
  panels_.resize(std::max(panels_.size(), outputs.size()));
  std::vector<Product> list;
  for (const Output& output : outputs) {
    const ClippedWeight& w = *output.weight;
    Rows from = x;
    if (clamps(w.input_min, w.input_max)) {
      from = clamped_.shape(x.rows, x.columns);
      each_row(threads_, x.rows, [&](std::size_t t) {
        clamp_row(x.row(t), w.input_min, w.input_max, x.columns, from.row(t));
      });
    }
    RowPanels& panels = panels_[list.size()];
    panels.pack(view_of(from), row_format(w.weight.layout, Arithmetic::kF32, x.rows), threads_);
    list.push_back({&w.weight, &panels, output.y.data, output.y.stride});
    operations_ += operations_of(w.weight, x.rows);
  }
  multiply(list, threads_);
  for (const Output& output : outputs) {
    const ClippedWeight& w = *output.weight;
    if (clamps(w.output_min, w.output_max)) {
      each_row(threads_, x.rows, [&](std::size_t t) {
        float* const y = output.y.row(t);
        clamp_row(y, w.output_min, w.output_max, output.y.columns, y);
      });
    }
  }
}

void EncoderOps::norm(const Rows& x, const Vector& scale, double eps, const Rows& y) const {
  each_row(threads_, x.rows,
           [&](std::size_t t) { rms_norm(x.row(t), scale.data(), eps, x.columns, y.row(t)); });
}

void EncoderOps::norm_heads(const Rows& x, std::size_t width, const Vector* scale,
                            double eps) const {
  each_row(threads_, x.rows, [&](std::size_t t) {
    for (float* head = x.row(t); head < x.row(t) + x.columns; head += width) {
      rms_norm(head, scale == nullptr ? nullptr : scale->data(), eps, width, head);
    }
  });
}

void EncoderOps::add(const Rows& y, const Rows& x, float factor) const {
  each_row(threads_, y.rows,
           [&](std::size_t t) { add_scaled(y.row(t), x.row(t), factor, y.columns); });
}

void EncoderOps::clamp(const Rows& x, float limit) const {
  each_row(threads_, x.rows,
           [&](std::size_t t) { clamp_row(x.row(t), -limit, limit, x.columns, x.row(t)); });
}

Rows EncoderOps::embed(const Rows& x, const WeightView& projection, double eps, EmbedOrder order,
                       const TapScope& tap) {
  const Rows soft = soft_.shape(x.rows, projection.rows);
  if (order == EmbedOrder::kProjectThenNorm) {
    linear(x, projection, soft);
    norm_heads(soft, soft.columns, nullptr, eps);
  } else {
    norm_heads(x, x.columns, nullptr, eps);
    tap("embed.pre_norm", x);
    linear(x, projection, soft);
  }
  tap("embed.out", soft);
  return soft;
}

}  // namespace assay::cpu
