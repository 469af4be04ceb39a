// SPDX-License-Identifier: Apache-2.0
// Rules RC-6 ... RC-8.
#include "reference/blocks/audio_feed_forward.h"

#include "reference/ops/gelu.h"
#include "reference/testing/test_audio_blocks.h"

namespace assay::ASSAY_REFERENCE {
namespace {

const auto kInput = random_tensor<T, D>({5, kAudioWidth}, 100);
const auto kWeights = random_feed_forward(1);

TapRecorder run(const AudioConfig& config = small_audio_config()) {
  TapRecorder taps;
  audio_feed_forward(kWeights, config, kInput, TapScope(taps, ""));
  return taps;
}

Values input() {
  return values_of(kInput);
}

double silu_of(double x) {
  return x / (1 + std::exp(-x));
}

TEST(AudioFeedForward, EveryTapFollowsFromTheOneBefore) {
  const auto taps = run();
  const auto at = [&taps](const char* name) { return taps.at(name).values; };
  expect_near(at("pre_norm"), normed(input(), kWeights.pre_layer_norm), kAudioBound);
  expect_near(at("up"), clipped_product(at("pre_norm"), kWeights.ffw_layer_1), kAudioBound);
  expect_near(at("act"), each(at("up"), silu_of), kAudioBound);
  expect_near(at("down"), clipped_product(at("act"), kWeights.ffw_layer_2), kAudioBound);
  expect_near(at("post_norm"), normed(at("down"), kWeights.post_layer_norm), kAudioBound);
  expect_near(at("out"), sum_of(input(), at("post_norm"), 0.5), kAudioBound);
  EXPECT_EQ(taps.at("up").shape, (std::vector<std::size_t>{5, 4 * kAudioWidth}));
}

// The clamp stands before both norms and leaves the residual alone; the eps is not the config's.
TEST(AudioFeedForward, ClampsBeforeItsNorms) {
  AudioConfig config = small_audio_config();
  config.gradient_clipping = 0.5;
  config.residual_weight = 0.75;
  config.rms_norm_eps = 0.25;
  const auto taps = run(config);
  const auto at = [&taps](const char* name) { return taps.at(name).values; };
  expect_near(at("pre_norm"), normed(clipped(input(), -0.5, 0.5), kWeights.pre_layer_norm),
              kAudioBound);
  expect_near(at("post_norm"), normed(clipped(at("down"), -0.5, 0.5), kWeights.post_layer_norm),
              kAudioBound);
  expect_near(at("out"), sum_of(input(), at("post_norm"), 0.75), kAudioBound);
}

// C22
TEST(audio_feed_forward, whole_residual) {
  const auto taps = run();
  const Values branch = taps.at("post_norm").values;
  expect_avoided(taps.at("out").values, sum_of(input(), branch, 0.5), sum_of(input(), branch),
                 kAudioBound);
}

// C23
TEST(audio_feed_forward, gelu) {
  const auto taps = run();
  const Values up = taps.at("up").values;
  expect_avoided(taps.at("act").values, each(up, silu_of),
                 values_of(gelu(tensor_of<R, F>({5, 4 * kAudioWidth}, up))), kAudioBound);
}

// C24
TEST(audio_feed_forward, post_norm_omitted) {
  const auto taps = run();
  const Values down = taps.at("down").values;
  expect_avoided(taps.at("post_norm").values, normed(down, kWeights.post_layer_norm), down,
                 kAudioBound);
}

void expect_up_avoids(ClippedLinear wrong) {
  const auto taps = run();
  const Values x = taps.at("pre_norm").values;
  expect_avoided(taps.at("up").values, clipped_product(x, kWeights.ffw_layer_1),
                 clipped_product(x, wrong), kAudioBound);
}

// C25
TEST(audio_feed_forward, bounds_dropped) {
  expect_up_avoids({kWeights.ffw_layer_1.weight});
}

// C25
TEST(audio_feed_forward, only_the_input_clipped) {
  ClippedLinear wrong{kWeights.ffw_layer_1.weight};
  wrong.input_min = kWeights.ffw_layer_1.input_min;
  wrong.input_max = kWeights.ffw_layer_1.input_max;
  expect_up_avoids(wrong);
}

// C25: the larger bound on both sides.
TEST(audio_feed_forward, symmetric_bounds) {
  const auto& w = kWeights.ffw_layer_1;
  expect_up_avoids({w.weight, w.input_min, -w.input_min, w.output_min, -w.output_min});
}

// C26
TEST(audio_feed_forward, one_plus_weight) {
  const auto taps = run();
  expect_avoided(taps.at("pre_norm").values, normed(input(), kWeights.pre_layer_norm),
                 normed(input(), kWeights.pre_layer_norm, 1e-6, 1), kAudioBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
