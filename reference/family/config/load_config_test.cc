// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/load_config.h"

#include <gtest/gtest.h>

#include "reference/family/base/json.h"
#include "reference/family/synth/synth_config.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

SynthOptions small(std::size_t layers) {
  SynthOptions options = tiny_widths();
  options.num_hidden_layers = layers;
  return options;
}

Json base(const std::string& name) {
  if (name == "e2b") {  // 4S F 4S F, the last five share
    return parse_json(synthetic_config("e2b", small(10)), "test");
  }
  if (name == "drafter") {
    auto options = small(4);
    options.num_centroids = 10;
    options.centroid_intermediate_top_k = 3;
    return parse_json(synthetic_config("e2b-drafter", options), "test");
  }
  return parse_json(synthetic_config(name, small(6)), "test");
}

ModelConfig parse(const Json& document) {
  return parse_config(json_text(document));
}

TEST(LoadConfig, ReleasedE2b) {
  const ModelConfig config = parse_config(synthetic_config("e2b", {}));
  EXPECT_EQ(config.model_type, "gemma4");
  EXPECT_EQ(config.weight_prefix, "model.language_model.");
  EXPECT_EQ(config.text.num_hidden_layers(), 35u);
  EXPECT_EQ(config.text.first_kv_shared_layer(), 15u);
  EXPECT_EQ(config.text.layers[14].kv_source, 14u);
  EXPECT_EQ(config.text.layers[33].kv_source, 13u);
  EXPECT_EQ(config.text.layers[34].kv_source, 14u);
  EXPECT_EQ(config.text.layers[14].intermediate_size, 6144u);
  EXPECT_EQ(config.text.layers[15].intermediate_size, 12288u);
  EXPECT_EQ(config.text.layers[4].kind, LayerKind::kFull);
  EXPECT_EQ(config.text.layers[4].head_dim, 512u);
  EXPECT_EQ(config.text.layers[3].head_dim, 256u);
  EXPECT_FALSE(config.text.layers[4].k_eq_v);
  EXPECT_EQ(config.text.hidden_size_per_layer_input, 256u);
  EXPECT_FALSE(config.text.vision_blocks);
  EXPECT_EQ(config.text.final_logit_softcapping, 30.0);
  EXPECT_EQ(config.text.rope_full.partial_rotary_factor, 0.25);
  EXPECT_EQ(config.text.rope_sliding.partial_rotary_factor, 1.0);
  EXPECT_TRUE(config.text.suppress_tokens.empty());
}

TEST(LoadConfig, ReleasedE4bSharing) {
  const ModelConfig config = parse_config(synthetic_config("e4b", {}));
  EXPECT_EQ(config.text.first_kv_shared_layer(), 24u);
  EXPECT_EQ(config.text.layers[40].kv_source, 22u);
  EXPECT_EQ(config.text.layers[41].kv_source, 23u);
  EXPECT_EQ(config.text.layers[41].intermediate_size, 10240u);
}

TEST(LoadConfig, Released12bIsUnified) {
  const ModelConfig config = parse_config(synthetic_config("12b", {}));
  EXPECT_EQ(config.model_type, "gemma4_unified");
  EXPECT_EQ(config.weight_prefix, "model.language_model.");
  EXPECT_EQ(config.text.layers[47].num_key_value_heads, 1u);
  EXPECT_TRUE(config.text.layers[47].k_eq_v);
  EXPECT_FALSE(config.text.layers[46].k_eq_v);
  EXPECT_TRUE(config.text.vision_blocks);
  EXPECT_EQ(config.text.suppress_tokens, (std::vector<std::int32_t>{258883, 258882}));
}

TEST(LoadConfig, Released26bHasExperts) {
  const ModelConfig config = parse_config(synthetic_config("26b", {}));
  ASSERT_TRUE(config.text.moe);
  EXPECT_EQ(config.text.moe->num_experts, 128u);
  EXPECT_EQ(config.text.moe->top_k_experts, 8u);
  EXPECT_EQ(config.text.moe->moe_intermediate_size, 704u);
  EXPECT_FALSE(parse_config(synthetic_config("31b", {})).text.moe);
}

TEST(LoadConfig, Drafters) {
  const ModelConfig small_one = parse_config(synthetic_config("e2b-drafter", {}));
  ASSERT_TRUE(small_one.drafter);
  EXPECT_EQ(small_one.weight_prefix, "model.");
  EXPECT_TRUE(small_one.drafter->use_ordered_embeddings);
  EXPECT_EQ(small_one.drafter->num_centroids, 2048u);
  EXPECT_EQ(small_one.text.layers[3].kv_source, 3u);
  EXPECT_TRUE(small_one.text.shares_kv(0));
  const ModelConfig unified = parse_config(synthetic_config("12b-drafter", {}));
  EXPECT_EQ(unified.model_type, "gemma4_unified_assistant");
  EXPECT_FALSE(unified.drafter->use_ordered_embeddings);
  EXPECT_EQ(unified.text.layers[3].num_key_value_heads, 1u);
}

TEST(LoadConfig, TextOnlyFormsAreFlat) {
  for (const char* size : {"e4b", "12b"}) {
    SynthOptions options;
    options.form = SynthForm::kTextOnly;
    const ModelConfig config = parse_config(synthetic_config(size, options));
    EXPECT_EQ(config.weight_prefix, "model.");
    EXPECT_TRUE(config.model_type.ends_with("_text"));
  }
}

TEST(LoadConfig, GlobalHeadDimAbsentNullAndZero) {
  Json document = base("31b");
  document["text_config"].erase("global_head_dim");
  EXPECT_EQ(parse(document).text.layers[5].head_dim, 512u);
  document["text_config"]["global_head_dim"] = nullptr;
  EXPECT_EQ(parse(document).text.layers[5].head_dim, 8u);
  document["text_config"]["global_head_dim"] = 0;
  EXPECT_EQ(parse(document).text.layers[5].head_dim, 8u);
}

TEST(LoadConfig, GlobalKeyValueHeadsNeedKEqV) {
  Json document = base("31b");
  document["text_config"]["num_global_key_value_heads"] = 1;
  EXPECT_EQ(parse(document).text.layers[5].num_key_value_heads, 1u);
  document["text_config"]["attention_k_eq_v"] = false;
  EXPECT_EQ(parse(document).text.layers[5].num_key_value_heads, 2u);
}

// What transformers 5.22 saves: per_layer_config alone.
TEST(LoadConfig, PerLayerConfigAloneAndBeside) {
  Json document = base("31b");
  Json& text = document["text_config"];
  text["num_global_key_value_heads"] = 1;
  const ModelConfig released = parse(document);
  text["per_layer_config"] =
      parse_json(R"({"5": {"head_dim": 16, "num_key_value_heads": 1}})", "test");
  EXPECT_EQ(parse(document).text.layers[5].num_key_value_heads, 1u);  // both, in agreement
  text.erase("num_global_key_value_heads");
  text.erase("global_head_dim");
  const ModelConfig saved = parse(document);
  EXPECT_EQ(saved.text.layers[5].head_dim, released.text.layers[5].head_dim);
  EXPECT_EQ(saved.text.layers[5].num_key_value_heads, released.text.layers[5].num_key_value_heads);
  text["per_layer_config"] = Json::Object{};  // no entry: as the other layers, not 512
  EXPECT_EQ(parse(document).text.layers[5].head_dim, 8u);
}

TEST(LoadConfig, PeriodIsTheFallback) {
  Json document = base("31b");
  document["text_config"].erase("layer_types");
  document["text_config"]["sliding_window_pattern"] = 3;
  const ModelConfig config = parse(document);
  EXPECT_EQ(config.text.layers[2].kind, LayerKind::kFull);
  EXPECT_EQ(config.text.layers[3].kind, LayerKind::kSliding);
  EXPECT_EQ(config.text.layers[5].kind, LayerKind::kFull);
}

// R-01: by kind, not by distance from the first shared layer.
TEST(LoadConfig, SourceIsTheLastOfTheSameKind) {
  Json document = base("e2b");
  Json& text = document["text_config"];
  text["layer_types"] = parse_json(R"(["full_attention", "sliding_attention",
      "sliding_attention", "sliding_attention", "full_attention"])",
                                   "test");
  text["num_hidden_layers"] = 5;
  text["num_kv_shared_layers"] = 2;
  const ModelConfig config = parse(document);
  EXPECT_EQ(config.text.layers[3].kv_source, 2u);
  EXPECT_EQ(config.text.layers[4].kv_source, 0u);
}

TEST(LoadConfig, TokensMayBeAbsentOrNull) {
  Json document = base("31b");
  document.erase("audio_token_id");
  document["video_token_id"] = nullptr;
  document["image_token_id"] = 7;
  const SpecialTokens special = parse(document).text.special;
  EXPECT_EQ(special.audio, 258881);
  EXPECT_EQ(special.video, -1);
  EXPECT_EQ(special.image, 7);
}

TEST(LoadConfig, GenerationConfigNamesSuppressedTokens) {
  const TestDirectory directory;
  directory.write("config.json", json_text(base("12b")));
  EXPECT_TRUE(load_config(directory.path()).text.suppress_tokens.empty());  // outside 40 tokens
  directory.write("generation_config.json", R"({"suppress_tokens": [3, 4]})");
  EXPECT_EQ(load_config(directory.path()).text.suppress_tokens, (std::vector<std::int32_t>{3, 4}));
  directory.write("generation_config.json", R"({"suppress_tokens": [-3]})");
  EXPECT_EQ(error_of([&] { load_config(directory.path()); }),
            "generation_config.json: suppress_tokens.0: got -3, expected a token id");
}

}  // namespace
}  // namespace assay
