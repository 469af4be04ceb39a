// SPDX-License-Identifier: Apache-2.0
// What the layers of both encoders are made of: products between clamps, norms, sums of rows.
//
// Encoders are computed in f32 arithmetic in every precision class, whatever their weights are
// stored in.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <vector>

#include "optimized/device/threads.h"
#include "optimized/engine/row_buffer.h"
#include "optimized/engine/taps.h"
#include "optimized/engine/weight_packer.h"
#include "optimized/packing/row_panels.h"
#include "reference/family/config/profile.h"

namespace assay::cpu {

class EncoderOps {
 public:
  // Keeps the reference.
  explicit EncoderOps(const Threads& threads) : threads_(threads) {}

  const Threads& threads() const { return threads_; }

  // Rows of y begin at multiples of 16 floats and have room for whole tiles, as a RowBuffer's.
  void linear(const Rows& x, const WeightView& w, const Rows& y);
  struct Output {
    const ClippedWeight* weight;
    Rows y;
  };
  // y = clip( clip(x) W^T ) of each output.
  void clipped(const Rows& x, std::initializer_list<Output> outputs);

  void norm(const Rows& x, const Vector& scale, double eps, const Rows& y) const;
  // Each piece of `width` numbers of a row by itself; scale: null for all ones.
  void norm_heads(const Rows& x, std::size_t width, const Vector* scale, double eps) const;
  void add(const Rows& y, const Rows& x, float factor = 1) const;
  void clamp(const Rows& x, float limit) const;

  // The projector after every encoder: rms_norm(x) W^T, or the other way about. x is normed in
  // place, or not at all. Taps embed.pre_norm and embed.out below `tap` ("vision.", "audio.").
  Rows embed(const Rows& x, const WeightView& projection, double eps, EmbedOrder order,
             const TapScope& tap);

  // Multiply-adds of products so far, each counted as two operations.
  double operations() const { return operations_; }

 private:
  const Threads& threads_;
  std::vector<RowPanels> panels_;
  RowBuffer clamped_, soft_;
  double operations_ = 0;
};

}  // namespace assay::cpu
