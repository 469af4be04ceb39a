// SPDX-License-Identifier: Apache-2.0
// Rules RC-6, RC-15, RC-19.
#include "reference/blocks/conformer_layer.h"

#include "reference/blocks/audio_light_conv.h"
#include "reference/testing/test_audio_blocks.h"

namespace assay::ASSAY_REFERENCE {
namespace {

const auto kWeights = random_conformer_layer(1);

Tensor<T, D> input(std::size_t rows) {
  return random_tensor<T, D>({rows, kAudioWidth}, 100);
}

TapRecorder run(std::size_t rows, const AudioConfig& config = small_audio_config()) {
  TapRecorder taps;
  const AudioWindow window{12, relative_positions(13, kAudioWidth)};
  conformer_layer(kWeights, config, window, input(rows), TapScope(taps, ""));
  return taps;
}

TEST(ConformerLayer, FourStepsInOrder) {
  const auto taps = run(14);
  const auto at = [&taps](const char* name) { return taps.at(name).values; };
  const auto half = [&](const char* branch) {
    return each(at(branch), [](double v) { return v / 2; });
  };
  expect_near(at("ffn1.pre_norm"),
              normed(values_of(input(14)), kWeights.feed_forward1.pre_layer_norm), kAudioBound);
  expect_near(at("attn.pre_norm"), normed(at("ffn1.out"), kWeights.norm_pre_attn), kAudioBound);
  expect_near(at("attn.post_norm"), normed(at("attn.post"), kWeights.norm_post_attn), kAudioBound);
  expect_near(at("attn.residual"), sum_of(at("ffn1.out"), at("attn.post_norm")), kAudioBound);
  expect_near(at("lconv.pre_norm"), normed(at("attn.residual"), kWeights.lconv1d.pre_layer_norm),
              kAudioBound);
  expect_near(at("ffn2.pre_norm"), normed(at("lconv.out"), kWeights.feed_forward2.pre_layer_norm),
              kAudioBound);
  expect_near(at("ffn2.out"), sum_of(at("lconv.out"), half("ffn2.post_norm")), kAudioBound);
  expect_near(at("out"), normed(at("ffn2.out"), kWeights.norm_out), kAudioBound);
}

// C56: longer audio begins like shorter audio, so padding after it needs no mask here.
TEST(ConformerLayer, LooksBackOnly) {
  const auto all = run(30).at("out");
  for (const std::size_t rows : {1u, 2u, 12u, 13u}) {
    const auto some = run(rows).at("out");
    for (std::size_t t = 0; t < rows; ++t) {
      expect_near(some.row(t), all.row(t), kAudioBound);
    }
  }
}

TEST(ConformerLayer, ClampsBeforeItsNorms) {  // DIV-M19
  AudioConfig config = small_audio_config();
  config.gradient_clipping = 0.5;
  const auto taps = run(3, config);
  const auto at = [&taps](const char* name) { return clipped(taps.at(name).values, -0.5, 0.5); };
  expect_near(taps.at("attn.pre_norm").values, normed(at("ffn1.out"), kWeights.norm_pre_attn),
              kAudioBound);
  expect_near(taps.at("attn.post_norm").values, normed(at("attn.post"), kWeights.norm_post_attn),
              kAudioBound);
  expect_near(taps.at("out").values, normed(at("ffn2.out"), kWeights.norm_out), kAudioBound);
  expect_near(taps.at("attn.residual").values,
              sum_of(taps.at("ffn1.out").values, taps.at("attn.post_norm").values), kAudioBound);
}

// C42
TEST(conformer_layer, attention_residual_halved) {
  const auto taps = run(14);
  const Values h = taps.at("ffn1.out").values;
  const Values branch = taps.at("attn.post_norm").values;
  expect_avoided(taps.at("attn.residual").values, sum_of(h, branch), sum_of(h, branch, 0.5),
                 kAudioBound);
}

// C43
TEST(conformer_layer, attention_post_norm_omitted) {
  const auto taps = run(14);
  const Values post = taps.at("attn.post").values;
  expect_avoided(taps.at("attn.post_norm").values, normed(post, kWeights.norm_post_attn), post,
                 kAudioBound);
}

// C51
TEST(conformer_layer, norm_out_omitted_or_added_to_the_residual) {
  const auto taps = run(14);
  const Values h = taps.at("ffn2.out").values;
  const Values right = normed(h, kWeights.norm_out);
  expect_avoided(taps.at("out").values, right, h, kAudioBound);
  expect_avoided(taps.at("out").values, right, sum_of(h, right), kAudioBound);
}

// C52
TEST(conformer_layer, convolution_before_attention) {
  const auto taps = run(14);
  TapRecorder wrong;
  const auto h = tensor_of<T, D>({14, kAudioWidth}, taps.at("ffn1.out").values);
  const auto moved =
      values_of(audio_light_conv(kWeights.lconv1d, small_audio_config(), h, TapScope(wrong, "")));
  expect_avoided(taps.at("attn.pre_norm").values, normed(values_of(h), kWeights.norm_pre_attn),
                 normed(moved, kWeights.norm_pre_attn), kAudioBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
