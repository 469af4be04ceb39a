// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/products.h"

#include <gtest/gtest.h>

#include <cmath>

namespace assay::conformance {
namespace {

Tap of(const char* name, std::vector<std::size_t> shape) {
  Tap tap{name, std::move(shape), {}, false};
  tap.values.resize(element_count(tap.shape));
  return tap;
}

TEST(Products, GrowWithTheLengthOfTheSum) {
  TapSet taps;
  taps.add(of("text.layer.3.attn.mix", {2, 4, 256}));
  taps.add(of("text.layer.3.moe.gate_up", {2, 4, 2048}));
  EXPECT_DOUBLE_EQ(product_step(of("text.layer.3.attn.o_proj", {2, 8}), taps), 4 * std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(product_step(of("text.layer.3.moe.expert_out", {2, 4, 8}), taps),
                   4 * std::sqrt(2.0));
}

TEST(Products, OfADrafterHaveNoRows) {
  TapSet taps;
  taps.add(of("mtp.step.0.norm", {1024}));
  EXPECT_DOUBLE_EQ(product_step(of("mtp.step.0.logits", {50}), taps), 4 * std::sqrt(2.0));
}

TEST(Products, OfEncoders) {
  TapSet taps;
  taps.add(of("media.0.vision.layer.3.attn_norm", {2, 1024}));
  taps.add(of("media.0.audio.layer.3.attn.pre_norm", {2, 1024}));
  taps.add(of("media.0.vision.embed.pre_norm", {2, 1024}));
  for (const char* name : {"media.0.vision.layer.3.attn.k_proj",
                           "media.0.audio.layer.3.attn.v_proj", "media.0.vision.embed.out"}) {
    EXPECT_DOUBLE_EQ(product_step(of(name, {2, 8}), taps), 4 * std::sqrt(2.0)) << name;
  }
  EXPECT_EQ(product_step(of("media.1.vision.embed.out", {2, 8}), taps), 0);
  EXPECT_EQ(product_step(of("text.layer.3.attn.k_proj", {2, 8}), taps), 0);
}

TEST(Products, OtherTapsAreNone) {
  TapSet taps;
  taps.add(of("text.layer.3.attn.norm_in", {2, 16}));
  EXPECT_EQ(product_step(of("text.layer.3.attn.q_norm", {2, 16}), taps), 0);
  EXPECT_EQ(product_step(of("text.logits", {2, 16}), taps), 0);
  EXPECT_EQ(product_step(of("text.layer.4.attn.q_proj", {2, 16}), taps), 0);
}

}  // namespace
}  // namespace assay::conformance
