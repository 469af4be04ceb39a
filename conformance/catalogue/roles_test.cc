// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/roles.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "conformance/catalogue/tap_name.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

TEST(TapName, comes_apart) {
  EXPECT_EQ(tap_kind("text.layer.12.attn.q_rope"), "text.layer.{}.attn.q_rope");
  EXPECT_EQ(tap_kind("mtp.step.0.layer.3.out"), "mtp.step.{}.layer.{}.out");
  EXPECT_EQ(tap_prefix("text.layer.12.attn.q_rope"), "text.layer.12.");
  EXPECT_EQ(tap_leaf("mtp.step.0.layer.3.out"), "out");
  EXPECT_EQ(tap_prefix("text.logits"), "");
  EXPECT_EQ(tap_leaf("mtp.step.1.token"), "token");
  EXPECT_EQ(tap_kind(""), "");
}

TEST(Roles, of_choices) {
  EXPECT_TRUE(is_choice("text.layer.3.moe.topk_index"));
  EXPECT_TRUE(is_choice("mtp.step.1.token"));
  EXPECT_FALSE(is_choice("text.ids"));
  EXPECT_EQ(scores_of_choice("mtp.step.1.centroid_index"), "mtp.step.1.centroid_logits");
  EXPECT_EQ(choice_of_slots("text.layer.3.moe.expert_out"), "text.layer.3.moe.topk_index");
  EXPECT_EQ(choice_of_slots("text.layer.3.moe.sum"), "");
  EXPECT_TRUE(ends_choice("text.layer.3.moe.topk_index", "text.layer.3.moe.sum"));
  EXPECT_FALSE(ends_choice("text.layer.3.moe.topk_index", "text.layer.3.moe.topk_weight"));
  EXPECT_FALSE(ends_choice("text.layer.3.moe.topk_index", "text.layer.4.attn.q_proj"));
  EXPECT_TRUE(ends_choice("text.layer.3.moe.topk_index", "text.layer.4.in"));
}

TEST(Roles, of_scores) {
  EXPECT_TRUE(is_scores("text.layer.3.attn.scores"));
  EXPECT_FALSE(is_scores("media.0.vision.layer.3.attn.logits"));  // not masked, not left out
  EXPECT_TRUE(is_probabilities("media.0.audio.layer.3.attn.probs"));
  EXPECT_FALSE(is_probabilities("text.layer.3.moe.router_probs"));
  EXPECT_EQ(probabilities_of("mtp.step.0.layer.1.attn.scores"), "mtp.step.0.layer.1.attn.probs");
  EXPECT_EQ(probabilities_of("text.layer.3.attn.probs"), "");
  EXPECT_EQ(mask_taps(), (std::vector<std::string>{"text.mask.local", "text.mask.global"}));
}

TEST(Roles, scores_of_a_drafted_token_are_watched_only_beside_it) {
  EXPECT_EQ(scores_of_choice("mtp.step.1.token"), "mtp.step.1.logits");
  EXPECT_EQ(scores_of_choice("mtp.step.1.candidate_ids"), "");  // follows from the centroids
  EXPECT_TRUE(is_scores_of_choice("mtp.step.1.logits"));
  EXPECT_FALSE(is_watched("mtp.step.1.logits"));
  EXPECT_TRUE(is_watched("mtp.step.1.token"));
  EXPECT_TRUE(is_watched("mtp.step.1.centroid_logits"));
  EXPECT_TRUE(is_watched("text.layer.3.moe.router_logits"));
  EXPECT_FALSE(is_scores_of_choice("text.logits"));
}

TEST(Roles, of_products) {
  const auto product = input_of_product("media.2.vision.layer.3.attn.k_proj");
  ASSERT_TRUE(product);
  EXPECT_EQ(product->tap, "media.2.vision.layer.3.attn_norm");
  EXPECT_FALSE(product->half);
  EXPECT_TRUE(input_of_product("text.layer.0.moe.expert_out")->half);
  EXPECT_EQ(input_of_product("mtp.step.0.layer.1.ffn.down")->tap, "mtp.step.0.layer.1.ffn.mul");
  EXPECT_EQ(input_of_product("mtp.step.0.pre_proj")->tap, "mtp.step.0.concat");
  EXPECT_EQ(input_of_product("text.ple.proj")->tap, "text.embed");
  EXPECT_FALSE(input_of_product("text.layer.0.attn.q_norm"));
}

TEST(Roles, of_what_stands_apart) {
  EXPECT_TRUE(is_angle("text.rope.global.sin"));
  EXPECT_TRUE(is_angle("media.0.vision.rope.angles"));
  EXPECT_TRUE(role_of("mtp.step.0.layer.1.in").layer_input);
  EXPECT_TRUE(role_of("text.logits").output);
  EXPECT_FALSE(role_of("text.logits_raw").output);
  EXPECT_TRUE(role_of("text.logits_raw").logits);
  EXPECT_TRUE(role_of("media.0.audio.embed.out").soft_embeddings);
  EXPECT_EQ(role_of("media.0.image.resized").kind, TapRole::Kind::kByte);
  EXPECT_EQ(role_of("text.layer.0.attn.kv_source").kind, TapRole::Kind::kSize);
  EXPECT_EQ(stage_of("mtp.step.0.layer.1.in"), Stage::kDraft);
  EXPECT_TRUE(is_audio("media.0.unified.audio.frames"));
  EXPECT_FALSE(is_audio("media.0.unified.vision.ln1"));
}

TEST(Roles, a_name_that_is_no_tap_is_a_real_tensor) {
  for (const char* name : {"", "attn.scores", "text.layer.0.attn.scores2", "moe.topk_index"}) {
    EXPECT_EQ(role_of(name).kind, TapRole::Kind::kReal) << name;
    EXPECT_EQ(scores_of_choice(name) + choice_of_slots(name) + probabilities_of(name), "");
    EXPECT_FALSE(ends_choice(name, name));
  }
}

// "text.mask.", ".attn.scores", "text.layer.3.out": the beginning, the end or the whole of a tap.
bool is_like_a_tap(std::string literal) {
  literal = tap_kind(literal) + (literal.ends_with('.') ? "." : "");
  if (literal.find('.') == std::string::npos || literal == ".") {
    return false;
  }
  const std::string middle = "." + literal + ".";
  for (const TapEntry& entry : all_taps()) {
    const std::string whole = "." + open_pattern(entry.pattern) + ".";
    if (whole.find(literal.front() == '.' ? literal : middle.substr(0, literal.size() + 1)) !=
        std::string::npos) {
      return true;
    }
  }
  return false;
}

TEST(Roles, the_judge_asks_them_and_no_names) {
  EXPECT_TRUE(is_like_a_tap("text.mask.local"));
  EXPECT_TRUE(is_like_a_tap("text.mask."));
  EXPECT_TRUE(is_like_a_tap("mtp."));
  EXPECT_TRUE(is_like_a_tap(".attn.scores"));
  EXPECT_TRUE(is_like_a_tap("moe.topk_index"));
  EXPECT_TRUE(is_like_a_tap("text.layer.0.out"));
  EXPECT_FALSE(is_like_a_tap("audio.window_keys"));
  const std::regex literal("\"([^\"]*)\"");
  const std::regex left_out("//.*|#include.*");
  int files = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(source_dir() + "/conformance/compare")) {
    const std::string name = file.path().filename();
    if (name.ends_with("_test.cc") || !(name.ends_with(".cc") || name.ends_with(".h"))) {
      continue;
    }
    ++files;
    std::ifstream source(file.path());
    for (std::string line; std::getline(source, line);) {
      line = std::regex_replace(line, left_out, "");
      for (std::sregex_iterator at(line.begin(), line.end(), literal), end; at != end; ++at) {
        EXPECT_FALSE(is_like_a_tap((*at)[1])) << name << ": " << line;
      }
    }
  }
  EXPECT_GT(files, 30);
}

}  // namespace
}  // namespace assay::conformance
