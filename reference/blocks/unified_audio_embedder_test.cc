// SPDX-License-Identifier: Apache-2.0
// Rules RU-6, RU-7.
#include "reference/blocks/unified_audio_embedder.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(1e-5, 1e-13);

std::vector<float> samples(std::size_t count, Real loudness = 1) {
  const Tensor<I> values = random_tensor<I>({count}, 1) * loudness;
  return {values.begin(), values.end()};
}

UnifiedAudioConfig rows_of_four() {
  UnifiedAudioConfig config;
  config.audio_embed_dim = 4;
  return config;
}

TapRecorder run(Tensor<T, I> rows) {
  TapRecorder taps;
  unified_audio_embedder(rows_of_four(), random_tensor<O, I>({3, 4}, 2),
                         EmbedOrder::kNormThenProject, std::move(rows), TapScope(taps, ""));
  return taps;
}

TEST(UnifiedAudioEmbedder, RowsOfSamples) {  // the last row is filled with zeros
  const std::vector<float> audio = {1, 2, 3, 4, 5, 6};
  expect_near(values_of(audio_rows(audio, 4)), {1, 2, 3, 4, 5, 6, 0, 0}, 0);
  for (const auto& [count, rows] : {std::pair<std::size_t, std::size_t>{0, 0},
                                    {1, 1},
                                    {640, 1},
                                    {641, 2},
                                    {1500, 3},
                                    {16000, 25},
                                    {600000, 938}}) {  // nothing is cut after 30 s
    EXPECT_EQ(audio_rows(samples(count), 640).shape()[0], rows) << count;
  }
}

TEST(UnifiedAudioEmbedder, RowsAreOfFiniteSamples) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    EXPECT_EQ(error_of([&] {
                audio_rows(std::vector<float>{1, 2, bad}, 4);
              }),
              "audio: sample 2: got " + std::to_string(bad) + ", expected a finite number");
  }
  EXPECT_EQ(error_of([] { audio_rows(std::vector<float>{1}, 0); }),
            "audio_rows: width: got 0, expected at least one sample a row");
}

TEST(UnifiedAudioEmbedder, ByHand) {  // mean square 1 and 4
  const auto taps = run(tensor_of<T, I>({2, 4}, {1, -1, 1, 1, 2, 2, -2, 2}));
  expect_near(taps.at("audio.embed.pre_norm").values, {1, -1, 1, 1, 1, 1, -1, 1}, 2e-6);
}

TEST(UnifiedAudioEmbedder, SilenceStaysZero) {
  const auto taps = run(make_tensor<T, I>({2, 4}));
  expect_near(taps.at("audio.embed.out").values, {0, 0, 0, 0, 0, 0}, 0);
}

TEST(UnifiedAudioEmbedder, RefusesNothingAndOtherRows) {
  EXPECT_EQ(error_of([] {
              run(make_tensor<T, I>({0, 4}));
            }),
            "unified_audio_embedder: rows: got shape [0, 4], expected [1 or more, 4]");
  EXPECT_EQ(error_of([] {
              run(make_tensor<T, I>({2, 5}));
            }),
            "unified_audio_embedder: rows: got shape [2, 5], expected [1 or more, 4]");
}

// An audio clip and the same one half as loud are the same but for eps.
TEST(UnifiedAudioEmbedder, LoudnessIsTakenOut) {
  const auto loud = run(audio_rows(samples(12), 4)).at("audio.embed.out").values;
  const auto quiet = run(audio_rows(samples(12, Real(0.5)), 4)).at("audio.embed.out").values;
  EXPECT_LE(largest_difference(loud, quiet), 1e-4);
}

// One norm over the whole audio would keep what is loud and what is not.
TEST(unified_audio_embedder, norm_over_the_whole_audio) {
  const std::vector<double> audio = {1, 1, 1, 1, 3, 3, 3, 3};
  const double whole = std::sqrt(5);  // of the mean square
  expect_avoided(
      run(tensor_of<T, I>({2, 4}, audio)).at("audio.embed.pre_norm").values,
      {1, 1, 1, 1, 1, 1, 1, 1},
      {1 / whole, 1 / whole, 1 / whole, 1 / whole, 3 / whole, 3 / whole, 3 / whole, 3 / whole},
      1e-6 + kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
