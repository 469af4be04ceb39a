// SPDX-License-Identifier: Apache-2.0
// For tests: a small conformer with random weights, and the formulas of its parts in double.
//
// The mistakes are shown at a tap: its right and wrong values are computed from the taps before it,
// so that a test names the first place where the mistake would be seen.
#pragma once

#include "reference/family/config/media_config.h"
#include "reference/ops/relative_positions.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"
#include "reference/weights/audio_weights.h"

namespace assay::ASSAY_REFERENCE {

constexpr double kAudioBound = bound_of(2e-5, 1e-13);
constexpr std::size_t kAudioWidth = 8;

using Values = std::vector<double>;

inline AudioConfig small_audio_config() {
  AudioConfig config;
  config.hidden_size = kAudioWidth;
  config.num_attention_heads = 2;
  return config;
}

inline Tensor<D> random_norm(std::uint32_t seed) {
  return Real(1) + Real(0.7) * random_tensor<D>({kAudioWidth}, seed);
}

// Bounds that cut, no two of them alike.
inline ClippedLinear random_clipped(std::size_t outputs, std::size_t inputs, std::uint32_t seed) {
  return {random_tensor<O, I>({outputs, inputs}, seed), Real(-0.875), Real(0.75), Real(-1.25),
          Real(1.125)};
}

inline AudioFeedForwardWeights random_feed_forward(std::uint32_t seed) {
  return {random_norm(seed), random_clipped(4 * kAudioWidth, kAudioWidth, seed + 1),
          random_clipped(kAudioWidth, 4 * kAudioWidth, seed + 2), random_norm(seed + 3)};
}

inline AudioAttentionWeights random_audio_attention(std::uint32_t seed) {
  AudioAttentionWeights w;
  w.q_proj = random_clipped(kAudioWidth, kAudioWidth, seed);
  w.k_proj = random_clipped(kAudioWidth, kAudioWidth, seed + 1);
  w.v_proj = random_clipped(kAudioWidth, kAudioWidth, seed + 2);
  w.per_dim_scale = Real(3) * random_tensor<H>({kAudioWidth / 2}, seed + 3);
  w.relative_k_proj = random_tensor<O, I>({kAudioWidth, kAudioWidth}, seed + 4);
  w.post = random_clipped(kAudioWidth, kAudioWidth, seed + 5);
  return w;
}

inline AudioLightConvWeights random_light_conv(std::uint32_t seed) {
  return {random_norm(seed), random_clipped(2 * kAudioWidth, kAudioWidth, seed + 1),
          random_tensor<D, J>({kAudioWidth, 5}, seed + 2), random_norm(seed + 3),
          random_clipped(kAudioWidth, kAudioWidth, seed + 4)};
}

inline ConformerLayerWeights random_conformer_layer(std::uint32_t seed) {
  return {
      random_feed_forward(seed), random_norm(seed + 10),       random_audio_attention(seed + 20),
      random_norm(seed + 30),    random_light_conv(seed + 40), random_feed_forward(seed + 50),
      random_norm(seed + 60)};
}

// ---- formulas on rows of `width` values --------------------------------------------------------

template <class Function>
Values each(const Values& x, Function f) {
  Values y;
  y.reserve(x.size());
  for (const double value : x) {
    y.push_back(f(value));
  }
  return y;
}

inline Values sum_of(const Values& x, const Values& y, double weight = 1) {
  Values sum = x;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum[i] += weight * y.at(i);
  }
  return sum;
}

inline Values clipped(const Values& x, double lowest, double highest) {
  return each(x, [=](double value) { return std::min(std::max(value, lowest), highest); });
}

inline Values product(const Values& x, const Tensor<O, I>& weight) {
  const std::size_t inputs = weight.shape()[1];
  Values y;
  for (std::size_t first = 0; first < x.size(); first += inputs) {
    for (std::size_t o = 0; o < weight.shape()[0]; ++o) {
      double sum = 0;
      for (std::size_t i = 0; i < inputs; ++i) {
        sum += static_cast<double>(weight(o, i)) * x[first + i];
      }
      y.push_back(sum);
    }
  }
  return y;
}

inline Values clipped_product(const Values& x, const ClippedLinear& w) {
  const Values y = product(clipped(x, static_cast<double>(w.input_min),  //
                                   static_cast<double>(w.input_max)),
                           w.weight);
  return clipped(y, static_cast<double>(w.output_min), static_cast<double>(w.output_max));
}

// `plus` 1 is the norm of earlier Gemmas.
inline Values normed(const Values& x, const Tensor<D>& weight, double eps = 1e-6, double plus = 0) {
  Values y;
  for (std::size_t first = 0; first < x.size(); first += weight.size()) {
    double squares = 0;
    for (std::size_t d = 0; d < weight.size(); ++d) {
      squares += x[first + d] * x[first + d];
    }
    const double root = std::sqrt(squares / static_cast<double>(weight.size()) + eps);
    for (std::size_t d = 0; d < weight.size(); ++d) {
      y.push_back(x[first + d] / root * (plus + static_cast<double>(weight(d))));
    }
  }
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
