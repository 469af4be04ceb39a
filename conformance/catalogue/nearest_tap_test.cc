// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/nearest_tap.h"

#include <gtest/gtest.h>

#include "conformance/catalogue/tap_context.h"

namespace assay::conformance {
namespace {

std::set<std::string> taps_of_a_model() {
  TapContext context;
  context.layer_owns_kv.assign(12, true);
  context.ple = true;
  const auto taps = expand_taps(context);
  return {taps.begin(), taps.end()};
}

class NearestTapTest : public testing::Test {
 protected:
  std::set<std::string> taps_ = taps_of_a_model();
  NearestTap nearest_{taps_};
};

TEST_F(NearestTapTest, FindsTapsUnderOtherSpellings) {
  EXPECT_EQ(nearest_.of("text.layers.3.attn.q_proj"), "text.layer.3.attn.q_proj");
  EXPECT_EQ(nearest_.of("model.layers.0.out"), "text.layer.0.out");
  EXPECT_EQ(nearest_.of("text/layer/11/ffn/down"), "text.layer.11.ffn.down");
  EXPECT_EQ(nearest_.of("Text.Layer.2.Attn.Mix"), "text.layer.2.attn.mix");
  EXPECT_EQ(nearest_.of("text.layer.[4].ffn.gate"), "text.layer.4.ffn.gate");
  EXPECT_EQ(nearest_.of("layer.4.out"), "text.layer.4.out");
  EXPECT_EQ(nearest_.of("logits"), "text.logits");
  EXPECT_EQ(nearest_.of("text.final_norms"), "text.final_norm");
}

TEST_F(NearestTapTest, KnowsWhatOthersCallThem) {
  EXPECT_EQ(nearest_.of("model.language_model.layers.3.self_attn.q_proj"),
            "text.layer.3.attn.q_proj");
  EXPECT_EQ(nearest_.of("model.layers.0.mlp.gate_proj"), "text.layer.0.ffn.gate");
  EXPECT_EQ(nearest_.of("model.layers.0.post_attention_layernorm"), "text.layer.0.attn.post_norm");
  EXPECT_EQ(nearest_.of("Qcur_normed-11"), "text.layer.11.attn.q_norm");
  EXPECT_EQ(nearest_.of("ffn_gate-2"), "text.layer.2.ffn.gate");
}

TEST_F(NearestTapTest, KeepsQuietWhereNothingIsNear) {
  EXPECT_EQ(nearest_.of("optimizer.state.step"), "");
  EXPECT_EQ(nearest_.of("text.layers.12.out"), "");  // the model has no such layer
  EXPECT_EQ(nearest_.of("x"), "");
  EXPECT_EQ(nearest_.of(""), "");
  EXPECT_EQ(nearest_.of(std::string(100'000, 'a')), "");
}

// Thousands of names of one's own are asked about in no time: each kind once, and not all kinds.
TEST_F(NearestTapTest, IsAskedAboutManyNames) {
  for (int i = 0; i < 20'000; ++i) {
    nearest_.of("my.tensor." + std::string(static_cast<std::size_t>(i % 1000), 'x'));
  }
  SUCCEED();
}

}  // namespace
}  // namespace assay::conformance
