// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/audio_encoder.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "optimized/engine/audio_taps.h"
#include "optimized/engine/each_row.h"
#include "optimized/kernels/encoder_rows.h"
#include "optimized/kernels/row_ops.h"
#include "reference/family/base/error.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kKernel = 3;           // of the convolutions, which halve both axes
constexpr double kLongestPeriod = 10000;     // in units of the shortest
constexpr std::size_t kPointsAtOnce = 1024;  // gathered for one product

std::size_t half_of(std::size_t count) {
  return (count + 1) / 2;
}

// The 3 x 3 points around (2t, 2f), zeros beyond the edges: [3][3][channels].
void gather(const Rows& x, std::size_t times, std::size_t frequencies, std::size_t t, std::size_t f,
            float* out) {
  const std::size_t channels = x.columns;
  for (std::size_t a = 0; a < kKernel; ++a) {
    for (std::size_t b = 0; b < kKernel; ++b, out += channels) {
      const std::size_t time = 2 * t + a;  // one more than it is
      const std::size_t frequency = 2 * f + b;
      if (time == 0 || time > times || frequency == 0 || frequency > frequencies) {
        std::fill_n(out, channels, 0.0F);
      } else {
        std::copy_n(x.row((time - 1) * frequencies + frequency - 1), channels, out);
      }
    }
  }
}

}  // namespace

void relative_positions(const Rows& y) {
  const std::size_t timescales = y.columns / 2;
  const auto last = static_cast<double>(std::max<std::size_t>(timescales, 2) - 1);
  for (std::size_t r = 0; r < y.rows; ++r) {
    const auto distance = static_cast<double>(y.rows - 1 - r);
    for (std::size_t i = 0; i < timescales; ++i) {
      const double tau = std::exp(-std::log(kLongestPeriod) * static_cast<double>(i) / last);
      y.row(r)[i] = static_cast<float>(std::sin(distance * tau));
      y.row(r)[timescales + i] = static_cast<float>(std::cos(distance * tau));
    }
  }
}

AudioEncoder::AudioEncoder(const Checkpoint& checkpoint, const Threads& threads)
    : config_(*checkpoint.config().audio), weights_(checkpoint, threads), ops_(threads) {}

AudioEncoder::Points AudioEncoder::halved(const AudioConvWeights& w, const Points& x,
                                          RowBuffer& buffer, const TapScope& tap) {
  Points y;
  y.times = half_of(x.times);
  y.frequencies = half_of(x.frequencies);
  y.rows = buffer.shape(y.times * y.frequencies, w.conv.rows);
  for (std::size_t first = 0; first < y.rows.rows; first += kPointsAtOnce) {
    const std::size_t count = std::min(kPointsAtOnce, y.rows.rows - first);
    const Rows points = points_.shape(count, w.conv.columns);
    each_row(ops_.threads(), count, [&](std::size_t p) {
      gather(x.rows, x.times, x.frequencies, (first + p) / y.frequencies,
             (first + p) % y.frequencies, points.row(p));
    });
    ops_.linear(points, w.conv, y.rows.from(first, count));
  }
  emit_channels_first(tap, "conv", y.rows, y.times, y.frequencies);
  each_row(ops_.threads(), y.rows.rows, [&](std::size_t p) {
    float* const row = y.rows.row(p);
    layer_norm(row, w.norm.data(), nullptr, config_.rms_norm_eps, y.rows.columns, row);
  });
  tap("norm", y.rows, {y.times, y.frequencies, y.rows.columns});
  each_row(ops_.threads(), y.rows.rows,
           [&](std::size_t p) { relu(y.rows.row(p), y.rows.columns); });
  emit_channels_first(tap, "out", y.rows, y.times, y.frequencies);
  return y;
}

Rows AudioEncoder::subsampled(const Rows& mel, const TapScope& tap) {
  const Rows points{mel.data, 1, mel.rows * mel.columns, 1};  // of one channel
  const Points half = halved(weights_.subsample[0], {points, mel.rows, mel.columns}, conv_first_,
                             tap.under("subsample.0."));
  const Points quarter =
      halved(weights_.subsample[1], half, conv_second_, tap.under("subsample.1."));
  const std::size_t channels = quarter.rows.columns;
  const Rows flat = flat_.shape(quarter.times, quarter.frequencies * channels);
  each_row(ops_.threads(), flat.rows, [&](std::size_t t) {
    for (std::size_t f = 0; f < quarter.frequencies; ++f) {
      std::copy_n(quarter.rows.row(t * quarter.frequencies + f), channels,
                  flat.row(t) + f * channels);
    }
  });
  tap("subsample.flat", flat);
  const Rows h = h_.shape(flat.rows, config_.hidden_size);
  ops_.linear(flat, weights_.input_proj_linear, h);
  tap("input_proj", h);
  return h;
}

Rows AudioEncoder::encode(const Rows& mel, const Profile& profile, const TapScope& tap) {
  if (mel.rows == 0 || mel.stride != mel.columns) {
    throw Error("audio: got " + std::to_string(mel.rows) +
                " frames, expected at least one, without a gap between them");
  }
  const Rows h = subsampled(mel, tap);
  const std::size_t distances = config_.attention_context_left;
  const bool all = profile.audio_window_keys == AudioWindowKeys::k13;
  const Window window{all ? distances : distances - 1,
                      positions_.shape(distances, config_.hidden_size)};
  relative_positions(window.positions);
  tap("rel_pos_table", window.positions);
  for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
    layer(weights_.layers[i], window, h, tap.under("layer." + std::to_string(i) + "."));
  }
  const Rows y = projected_.shape(h.rows, weights_.output_proj.rows);
  ops_.linear(h, weights_.output_proj, y);
  each_row(ops_.threads(), y.rows,
           [&](std::size_t t) { add_to(y.row(t), weights_.output_proj_bias.data(), y.columns); });
  tap("output_proj", y);
  tap("tower_out", y);
  return ops_.embed(y, weights_.embedding_projection, config_.rms_norm_eps,
                    profile.audio_embed_order, tap);
}

}  // namespace assay::cpu
