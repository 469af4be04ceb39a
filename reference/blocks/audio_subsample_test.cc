// SPDX-License-Identifier: Apache-2.0
// Rules RC-1 ... RC-4.
#include "reference/blocks/audio_subsample.h"

#include <functional>

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_audio_blocks.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr std::size_t kFrames = 9;
constexpr std::size_t kBins = 12;
constexpr std::size_t kTimes = 5;
constexpr std::size_t kFrequencies = 6;
constexpr std::size_t kChannels = 4;

AudioSubsampleWeights weights() {
  AudioSubsampleWeights w;
  w.layers[0] = {random_tensor<O, I, J, J>({kChannels, 1, 3, 3}, 1),
                 Real(1) + random_tensor<D>({kChannels}, 2)};
  w.layers[1] = {random_tensor<O, I, J, J>({2, kChannels, 3, 3}, 3),
                 Real(1) + random_tensor<D>({2}, 4)};
  w.input_proj_linear = random_tensor<O, I>({5, 3 * 2}, 5);  // 3 frequencies, 2 channels
  return w;
}

const auto kWeights = weights();

TapRecorder run(const Tensor<T, F>& mel) {
  TapRecorder taps;
  audio_subsample(kWeights, 1e-6, mel, TapScope(taps, ""));
  return taps;
}

Tensor<T, F> frames(std::size_t count) {
  return Real(3) * random_tensor<T, F>({count, kBins}, 6) - Real(2);
}

// [C, T, F] of the first stage as rows of one point's channels, in the order (time, frequency).
std::vector<Values> points_of(const Values& conv) {
  std::vector<Values> points(kTimes * kFrequencies, Values(kChannels));
  for (std::size_t i = 0; i < conv.size(); ++i) {
    points[i % points.size()][i / points.size()] = conv[i];
  }
  return points;
}

double mean_of(const Values& x) {
  double sum = 0;
  for (const double value : x) {
    sum += value;
  }
  return sum / static_cast<double>(x.size());
}

struct Statistics {
  double mean = 0;
  double variance = 0;
};

Statistics biased(const Values& x) {
  const double mean = mean_of(x);
  return {mean, mean_of(each(x, [mean](double v) { return (v - mean) * (v - mean); }))};
}

using StatisticsOf = std::function<Statistics(const Values& point)>;

Values normed_points(const Values& conv, const StatisticsOf& statistics, double eps,
                     bool gain = true) {
  Values y;
  for (const Values& point : points_of(conv)) {
    const auto [mean, variance] = statistics(point);
    for (std::size_t c = 0; c < kChannels; ++c) {
      const double weight = gain ? static_cast<double>(kWeights.layers[0].norm(c)) : 1.0;
      y.push_back(weight * (point[c] - mean) / std::sqrt(variance + eps));
    }
  }
  return y;
}

// [T, F, C] to [C, T, F]
Values channels_first(const Values& x) {
  Values y(x.size());
  const std::size_t points = x.size() / kChannels;
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i % kChannels * points + i / kChannels] = x[i];
  }
  return y;
}

Values relu_of(const Values& x) {
  return each(x, [](double v) { return std::max(v, 0.0); });
}

TEST(AudioSubsample, EveryTapFollowsFromTheOneBefore) {
  const auto taps = run(frames(kFrames));
  const auto at = [&taps](const char* name) { return taps.at(name).values; };
  expect_near(at("subsample.0.norm"), normed_points(at("subsample.0.conv"), biased, 1e-6),
              kAudioBound);
  expect_near(at("subsample.0.out"), relu_of(channels_first(at("subsample.0.norm"))), 0);
  expect_near(at("input_proj"), product(at("subsample.flat"), kWeights.input_proj_linear),
              kAudioBound);
}

TEST(AudioSubsample, TapShapes) {
  const auto taps = run(frames(kFrames));
  using Shape = std::vector<std::size_t>;
  EXPECT_EQ(taps.at("subsample.0.conv").shape, (Shape{kChannels, kTimes, kFrequencies}));
  EXPECT_EQ(taps.at("subsample.0.norm").shape, (Shape{kTimes, kFrequencies, kChannels}));
  EXPECT_EQ(taps.at("subsample.0.out").shape, (Shape{kChannels, kTimes, kFrequencies}));
  EXPECT_EQ(taps.at("subsample.1.conv").shape, (Shape{2, 3, 3}));
  EXPECT_EQ(taps.at("subsample.flat").shape, (Shape{3, 6}));
  EXPECT_EQ(taps.at("input_proj").shape, (Shape{3, 5}));
}

TEST(AudioSubsample, RefusesNothing) {
  Taps silent;
  const auto error = error_of([&] {
    audio_subsample(kWeights, 1e-6, make_tensor<T, F>({0, kBins}), TapScope(silent, ""));
  });
  EXPECT_EQ(error, "audio_subsample: got 0 frames of 12 values, expected at least one of each");
}

void expect_norm_avoids(const StatisticsOf& statistics, double eps = 1e-6, bool gain = true) {
  const auto taps = run(frames(kFrames));
  const Values conv = taps.at("subsample.0.conv").values;
  expect_avoided(taps.at("subsample.0.norm").values, normed_points(conv, biased, 1e-6),
                 normed_points(conv, statistics, eps, gain), kAudioBound);
}

// C5
TEST(audio_subsample, rms_norm) {
  expect_norm_avoids([](const Values& x) {
    return Statistics{0, mean_of(each(x, [](double v) { return v * v; }))};
  });
}

// C6
TEST(audio_subsample, norm_over_frequencies_too) {
  const auto taps = run(frames(kFrames));
  const Values conv = taps.at("subsample.0.conv").values;
  const auto points = points_of(conv);
  std::size_t next = 0;
  const auto of_time = [&](const Values& /*point*/) {
    Values row;
    const std::size_t first = next++ / kFrequencies * kFrequencies;
    for (std::size_t f = 0; f < kFrequencies; ++f) {
      row.insert(row.end(), points[first + f].begin(), points[first + f].end());
    }
    return biased(row);
  };
  expect_norm_avoids(of_time);
}

// C7
TEST(audio_subsample, unbiased_variance) {
  expect_norm_avoids([](const Values& x) {
    const auto [mean, variance] = biased(x);
    return Statistics{mean, variance * kChannels / (kChannels - 1)};
  });
}

// C8: it takes a flat point to see it, here one of 1e-3 between channels.
TEST(audio_subsample, eps_of_1e_5) {
  Taps silent;
  AudioSubsampleWeights w = kWeights;
  w.layers[0].conv *= Real(1e-3);
  TapRecorder taps;
  audio_subsample(w, 1e-6, frames(kFrames), TapScope(taps, ""));
  const Values conv = taps.at("subsample.0.conv").values;
  expect_avoided(taps.at("subsample.0.norm").values, normed_points(conv, biased, 1e-6),
                 normed_points(conv, biased, 1e-5), kAudioBound);
}

// C9
TEST(audio_subsample, gain_dropped) {
  expect_norm_avoids(biased, 1e-6, false);
}

// C10
TEST(audio_subsample, relu_omitted_or_before_the_norm_or_silu) {
  const auto taps = run(frames(kFrames));
  const Values conv = taps.at("subsample.0.conv").values;
  const Values norm = taps.at("subsample.0.norm").values;
  const Values ours = taps.at("subsample.0.out").values;
  const Values right = relu_of(channels_first(norm));
  expect_avoided(ours, right, channels_first(norm), kAudioBound);
  expect_avoided(ours, right, channels_first(normed_points(relu_of(conv), biased, 1e-6)),
                 kAudioBound);
  expect_avoided(ours, right,
                 channels_first(each(norm, [](double v) { return v / (1 + std::exp(-v)); })),
                 kAudioBound);
}

// C11
TEST(audio_subsample, frequency_fastest) {
  const auto taps = run(frames(kFrames));
  const Values out = taps.at("subsample.1.out").values;  // [2, 3, 3]
  Values right;
  Values wrong;
  for (std::size_t t = 0; t < 3; ++t) {
    for (std::size_t i = 0; i < 6; ++i) {
      right.push_back(out[(i % 2 * 3 + t) * 3 + i / 2]);  // f * 2 + c
      wrong.push_back(out[(i / 3 * 3 + t) * 3 + i % 3]);  // c * 3 + f
    }
  }
  expect_avoided(taps.at("subsample.flat").values, right, wrong, kAudioBound);
}

// C12, DIV-M08: with padding that is zeroed before the first convolution only, the last row is
// another one where T = 2 mod 4. So only valid frames come here.
TEST(audio_subsample, padding_kept_before_the_second_convolution) {
  for (const std::size_t valid : {4u, 5u, 6u, 7u, 8u, 9u, 10u}) {
    auto padded = make_tensor<T, F>({16, kBins});
    const auto mel = frames(valid);
    std::copy(mel.begin(), mel.end(), padded.begin());
    const auto ours = run(mel).at("input_proj");
    const auto wrong = run(padded).at("input_proj");
    const std::size_t last = ours.shape[0] - 1;
    for (std::size_t t = 0; t < last; ++t) {
      expect_near(ours.row(t), wrong.row(t), kAudioBound);
    }
    const double seen = largest_difference(ours.row(last), wrong.row(last));
    EXPECT_EQ(seen > 10 * kAudioBound, valid % 4 == 2) << valid;
  }
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
