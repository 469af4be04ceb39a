// SPDX-License-Identifier: Apache-2.0
// Rules RC-16 ... RC-18.
#include "reference/blocks/audio_light_conv.h"

#include "reference/ops/depthwise_conv1d.h"
#include "reference/ops/silu.h"
#include "reference/testing/test_audio_blocks.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr std::size_t kRows = 7;
const auto kInput = random_tensor<T, D>({kRows, kAudioWidth}, 100);
const auto kWeights = random_light_conv(1);

TapRecorder run(const AudioConfig& config = small_audio_config()) {
  TapRecorder taps;
  audio_light_conv(kWeights, config, kInput, TapScope(taps, ""));
  return taps;
}

Values silu_of(const Values& x) {
  return each(x, [](double v) { return v / (1 + std::exp(-v)); });
}

Values input() {
  return values_of(kInput);
}

TEST(AudioLightConv, EveryTapFollowsFromTheOneBefore) {
  const auto taps = run();
  const auto at = [&taps](const char* name) { return taps.at(name).values; };
  expect_near(at("pre_norm"), normed(input(), kWeights.pre_layer_norm), kAudioBound);
  expect_near(at("linear_start"), clipped_product(at("pre_norm"), kWeights.linear_start),
              kAudioBound);
  expect_near(at("glu"),
              values_of(glu(tensor_of<T, F>({kRows, 2 * kAudioWidth}, at("linear_start")))),
              kAudioBound);
  const auto gated = tensor_of<T, D>({kRows, kAudioWidth}, at("glu"));
  expect_near(at("depthwise"), values_of(depthwise_conv1d(gated, kWeights.depthwise_conv1d)),
              kAudioBound);
  expect_near(at("conv_norm"), normed(at("depthwise"), kWeights.conv_norm), kAudioBound);
  expect_near(at("act"), silu_of(at("conv_norm")), kAudioBound);
  expect_near(at("linear_end"), clipped_product(at("act"), kWeights.linear_end), kAudioBound);
  expect_near(at("out"), sum_of(input(), at("linear_end")), kAudioBound);
}

// The clamp stands before the inner norm only; here the eps is the config's.
TEST(AudioLightConv, ClampsBeforeTheInnerNorm) {
  AudioConfig config = small_audio_config();
  config.gradient_clipping = 0.25;
  config.rms_norm_eps = 0.5;
  const auto taps = run(config);
  const auto at = [&taps](const char* name) { return taps.at(name).values; };
  expect_near(at("pre_norm"), normed(input(), kWeights.pre_layer_norm, 0.5), kAudioBound);
  expect_near(at("conv_norm"),
              normed(clipped(at("depthwise"), -0.25, 0.25), kWeights.conv_norm, 0.5), kAudioBound);
}

// C44: converters disagree on which of the two is called norm_conv (DIV-M23).
TEST(audio_light_conv, norms_exchanged) {
  const auto taps = run();
  expect_avoided(taps.at("pre_norm").values, normed(input(), kWeights.pre_layer_norm),
                 normed(input(), kWeights.conv_norm), kAudioBound);
}

// C48
TEST(audio_light_conv, silu_before_the_norm) {
  const auto taps = run();
  const Values y = taps.at("depthwise").values;
  expect_avoided(taps.at("conv_norm").values, normed(y, kWeights.conv_norm),
                 normed(silu_of(y), kWeights.conv_norm), kAudioBound);
}

// C49
TEST(audio_light_conv, conv_norm_omitted) {
  const auto taps = run();
  const Values y = taps.at("depthwise").values;
  expect_avoided(taps.at("conv_norm").values, normed(y, kWeights.conv_norm), y, kAudioBound);
}

// C50
TEST(audio_light_conv, activation_or_residual_omitted) {
  const auto taps = run();
  const Values y = taps.at("conv_norm").values;
  expect_avoided(taps.at("act").values, silu_of(y), y, kAudioBound);
  const Values branch = taps.at("linear_end").values;
  expect_avoided(taps.at("out").values, sum_of(input(), branch), branch, kAudioBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
