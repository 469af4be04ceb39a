// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace assay::conformance {
namespace {

using testing::Contains;
using testing::Not;

std::vector<std::string> words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> all;
  for (std::string word; stream >> word;) {
    all.push_back(word);
  }
  return all;
}

TEST(Catalogue, finds_a_layer_tap_by_name_and_by_pattern) {
  const auto match = find_tap("text.layer.41.attn.q_rope");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->entry->pattern, "text.layer.{i}.attn.q_rope");
  EXPECT_EQ(match->entry->shape, "[T, Hq, hd]");
  EXPECT_TRUE(match->entry->mandatory);
  EXPECT_EQ(match->layer, 41u);
  const auto pattern = find_tap("text.layer.{i}.attn.q_rope");
  ASSERT_TRUE(pattern);
  EXPECT_EQ(pattern->entry, match->entry);
  EXPECT_FALSE(pattern->layer);
}

TEST(Catalogue, finds_drafter_and_round_taps) {
  const auto match = find_tap("mtp.step.2.layer.3.attn.q_rope");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->step, 2u);
  EXPECT_EQ(match->layer, 3u);
  EXPECT_EQ(match->entry->pattern, "mtp.step.{s}.layer.{j}.attn.q_rope");
  EXPECT_TRUE(find_tap("mtp.step.0.concat"));
  EXPECT_TRUE(find_tap("spec.round.7.kv_len"));
  EXPECT_FALSE(find_tap("mtp.step.0.layer.0.attn.k_proj"));
  EXPECT_FALSE(find_tap("mtp.step.0.layer.0.moe.sum"));
}

TEST(Catalogue, rejects_names_that_are_no_tap) {
  for (const char* name :
       {"", "text", "text.layer", "text.layer.", "text.layer.x.in", "text.layer.-1.in",
        "text.layer.01.in", "text.layer.0", "text.layer.99999999999999999999.in",
        "text.layer.0.attn.q", "text.logits ", "mtp.step.0.layer.0", "media.0.text.embed",
        "media.vision.pool", "media.0.", "media.x.vision.pool", "media.00.vision.pool"}) {
    EXPECT_FALSE(find_tap(name)) << name;
  }
}

TEST(Catalogue, patterns_are_unique_and_complete) {
  std::set<std::string_view> patterns;
  for (const TapEntry& entry : all_taps()) {
    EXPECT_TRUE(patterns.insert(entry.pattern).second) << entry.pattern;
    EXPECT_FALSE(entry.formula.empty()) << entry.pattern;
    EXPECT_TRUE(entry.shape.starts_with("[")) << entry.pattern;
    EXPECT_FALSE(entry.hf.empty() || entry.llama_cpp.empty() || entry.jax.empty());
    for (const std::string& rule : words(entry.rules)) {
      EXPECT_TRUE(find_rule(rule)) << entry.pattern << " " << rule;
    }
  }
}

TEST(Catalogue, every_rule_is_there) {
  EXPECT_EQ(std::ranges::count_if(all_rules(), [](const Rule& r) { return r.label[1] == '-'; }),
            64);
  for (const char* label : {"R-01", "R-07", "R-10", "R-17", "R-20", "R-27", "R-30", "R-42", "R-50",
                            "R-60", "R-65", "R-70", "R-80", "R-90"}) {
    EXPECT_TRUE(find_rule(label)) << label;
  }
  EXPECT_FALSE(find_rule("R-08"));
}

TEST(Catalogue, rules_and_mistakes_of_the_text_around_the_network_are_there) {
  for (const char* label : {"RT-1", "RT-16", "RP-1", "RP-21", "RN-1", "RN-16", "RS-1", "RS-10"}) {
    EXPECT_TRUE(find_rule(label)) << label;
  }
  ASSERT_TRUE(find_mistake("P14"));
  EXPECT_EQ(find_mistake("P14")->tap, "tpl.{k}.ids");
  EXPECT_EQ(find_mistake("P52")->tap, "");  // shows in what is drawn
  EXPECT_FALSE(find_mistake("P62"));
  for (const char* tap : {"tok.0.ids", "tpl.3.text", "parse.1.calls", "stop.0.length"}) {
    ASSERT_TRUE(find_tap(tap)) << tap;
    EXPECT_FALSE(find_tap(tap)->entry->rules.empty()) << tap;
  }
}

TEST(Catalogue, mistakes_show_at_taps_that_exist) {
  std::set<std::string_view> labels;
  for (const Mistake& mistake : all_mistakes()) {
    EXPECT_TRUE(labels.insert(mistake.label).second) << mistake.label;
    for (const std::string& tap : words(mistake.tap)) {
      EXPECT_TRUE(find_tap(tap)) << mistake.label << " " << tap;
    }
  }
  ASSERT_TRUE(find_mistake("M-46"));
  EXPECT_EQ(find_mistake("M-46")->tap, "text.layer.{i}.attn.q_rope");
  EXPECT_FALSE(find_mistake("M-999"));
}

TEST(Catalogue, execution_order_is_that_of_a_run) {
  const std::vector<std::string> run = {
      "media.0.video.frame_indices",
      "media.0.image.rgb",
      "media.0.vision.layer.2.attn.q_proj",
      "media.0.vision.layer.10.attn_norm",
      "media.0.vision.pool",
      "media.1.audio.mel",
      "media.1.audio.subsample.0.out",
      "media.1.audio.subsample.1.conv",
      "media.1.audio.subsample.flat",
      "media.1.audio.layer.0.out",
      "media.1.audio.layer.1.ffn1.up",
      "media.1.audio.output_proj",
      "media.10.unified.vision.patches",
      "media.10.vision.embed.out",
      "text.ids_expanded",
      "text.embed",
      "text.ple.in",
      "text.layer.0.in",
      "text.layer.0.out",
      "text.layer.2.attn.q_proj",
      "text.layer.2.attn.q_norm",
      "text.layer.10.in",
      "text.final_norm",
      "text.logits",
      "mtp.step.0.pre_proj",
      "mtp.step.0.layer.0.in",
      "mtp.step.0.layer.3.out",
      "mtp.step.0.token",
      "mtp.step.1.concat",
      "spec.round.0.position",
      "spec.round.1.position",
      "something.else",
  };
  EXPECT_TRUE(
      std::ranges::is_sorted(run, {}, [](const auto& name) { return execution_key(name); }));
}

TEST(Catalogue, expands_to_what_a_model_has) {
  TapContext context;
  context.layer_owns_kv = {true, false};
  context.draft_steps = 1;
  context.drafter_layers = 1;
  const std::vector<std::string> names = expand_taps(context);
  EXPECT_THAT(names, Contains("text.layer.0.attn.k_rope"));
  EXPECT_THAT(names, Not(Contains("text.layer.1.attn.k_rope")));
  EXPECT_THAT(names, Contains("text.layer.1.attn.k_ctx"));
  EXPECT_THAT(names, Not(Contains("text.layer.0.moe.sum")));
  EXPECT_THAT(names, Not(Contains("text.ple.in")));
  EXPECT_THAT(names, Not(Contains("text.layer.0.cache.k")));
  EXPECT_THAT(names, Contains("mtp.step.0.layer.0.attn.q_rope"));
  EXPECT_THAT(names, Not(Contains("mtp.step.0.centroid_logits")));
  EXPECT_TRUE(
      std::ranges::is_sorted(names, {}, [](const auto& name) { return execution_key(name); }));
  for (const std::string& name : names) {
    EXPECT_TRUE(find_tap(name)) << name;
  }
}

}  // namespace
}  // namespace assay::conformance
