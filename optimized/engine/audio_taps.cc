// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/audio_taps.h"

namespace assay::cpu {

void emit_channels_first(const TapScope& tap, const char* name, const Rows& points,
                         std::size_t times, std::size_t frequencies) {
  if (!tap.wants(name)) {
    return;
  }
  std::vector<float> values(points.columns * points.rows);
  for (std::size_t p = 0; p < points.rows; ++p) {
    for (std::size_t c = 0; c < points.columns; ++c) {
      values[c * points.rows + p] = points.row(p)[c];
    }
  }
  tap(name, {values.data(), points.rows, points.columns, points.rows},
      {points.columns, times, frequencies});
}

void emit_by_key(const TapScope& tap, const char* name, const Rows& scores, std::size_t window) {
  if (!tap.wants(name)) {
    return;
  }
  const std::size_t heads = scores.columns / window;
  const std::size_t count = scores.rows;
  std::vector<float> dense(heads * count * count);
  for (std::size_t n = 0; n < heads; ++n) {
    for (std::size_t t = 0; t < count; ++t) {
      for (std::size_t w = 0; w <= t && w < window; ++w) {
        dense[(n * count + t) * count + t - w] = scores.row(t)[n * window + w];
      }
    }
  }
  tap(name, {dense.data(), count, heads * count, count}, {heads, count, count});
}

}  // namespace assay::cpu
