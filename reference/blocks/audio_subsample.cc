// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/audio_subsample.h"

#include <algorithm>

#include "reference/ops/conv2d.h"
#include "reference/ops/layer_norm.h"
#include "reference/ops/linear.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Tensor<T, F, O> channels_last(const Tensor<O, T, F>& x) {
  const auto [channels, times, frequencies] = x.shape();
  auto y = make_tensor<T, F, O>({times, frequencies, channels});
  for (std::size_t o = 0; o < channels; ++o) {
    for (std::size_t t = 0; t < times; ++t) {
      for (std::size_t f = 0; f < frequencies; ++f) {
        y(t, f, o) = x(o, t, f);
      }
    }
  }
  return y;
}

// Normed and channel last in, rectified and channel first out.
Tensor<O, T, F> relu(const Tensor<T, F, O>& x) {
  const auto [times, frequencies, channels] = x.shape();
  auto y = make_tensor<O, T, F>({channels, times, frequencies});
  for (std::size_t o = 0; o < channels; ++o) {
    for (std::size_t t = 0; t < times; ++t) {
      for (std::size_t f = 0; f < frequencies; ++f) {
        y(o, t, f) = std::max(x(t, f, o), Real(0));
      }
    }
  }
  return y;
}

Tensor<O, T, F> halved(const AudioConvWeights& w, double eps, const Tensor<I, T, F>& x,
                       const TapScope& tap) {
  auto conv = conv2d(x, w.conv);  // [C, T, F]
  tap.whole("conv", conv);
  const auto points = channels_last(conv);  // [T, F, C]
  const auto [times, frequencies, channels] = points.shape();
  const auto rows = reshaped<R, D>(points, {times * frequencies, channels});
  auto norm = reshaped<T, F, O>(layer_norm(rows, w.norm, eps), {times, frequencies, channels});
  tap.whole("norm", norm);
  auto out = relu(norm);  // [C, T, F]
  tap.whole("out", out);
  return out;
}

}  // namespace

Tensor<T, D> audio_subsample(const AudioSubsampleWeights& w, double eps, const Tensor<T, F>& mel,
                             const TapScope& tap) {
  if (mel.size() == 0) {
    throw Error("audio_subsample: got " + std::to_string(mel.shape()[0]) + " frames of " +
                std::to_string(mel.shape()[1]) + " values, expected at least one of each");
  }
  auto x = reshaped<I, T, F>(mel, {1, mel.shape()[0], mel.shape()[1]});
  x = halved(w.layers[0], eps, x, tap.under("subsample.0."));  // [C, T/2, F/2]
  x = halved(w.layers[1], eps, x, tap.under("subsample.1."));  // [C, T/4, F/4]

  const auto [channels, times, frequencies] = x.shape();
  auto flat = reshaped<T, D>(channels_last(x), {times, frequencies * channels});
  tap.whole("subsample.flat", flat);
  auto h = linear(flat, w.input_proj_linear);  // [T, D]
  tap.whole("input_proj", h);
  return h;
}

}  // namespace assay::ASSAY_REFERENCE
