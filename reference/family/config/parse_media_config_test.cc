// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/parse_media_config.h"

#include <gtest/gtest.h>

#include "reference/family/config/load_config.h"
#include "reference/family/synth/synth_config.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

Json with_encoders(const std::string& size) {
  SynthOptions options = tiny_widths();
  options.num_hidden_layers = 6;
  options.encoders = SynthEncoders();
  return parse_json(synthetic_config(size, options), "test");
}

ModelConfig parse(const Json& document) {
  return parse_config(json_text(document));
}

TEST(MediaConfig, ReleasedSmallModels) {
  for (const char* size : {"e2b", "e4b"}) {
    const ModelConfig config = parse(with_encoders(size));
    ASSERT_TRUE(config.vision);
    EXPECT_EQ(config.vision->hidden_size, 768u);
    EXPECT_EQ(config.vision->intermediate_size, 3072u);
    EXPECT_EQ(config.vision->num_hidden_layers, 16u);
    EXPECT_EQ(config.vision->num_attention_heads, 12u);
    EXPECT_EQ(config.vision->head_dim, 64u);
    EXPECT_EQ(config.vision->rope_theta, 100.0);
    EXPECT_EQ(config.vision->position_embedding_size, 10240u);
    EXPECT_TRUE(config.vision->use_clipped_linears);
    EXPECT_FALSE(config.vision->standardize);
    ASSERT_TRUE(config.audio);
    EXPECT_EQ(config.audio->hidden_size, 1024u);
    EXPECT_EQ(config.audio->head_dim(), 128u);
    EXPECT_EQ(config.audio->subsampling_conv_channels, (std::array<std::size_t, 2>{128, 32}));
    EXPECT_EQ(config.audio->attention_context_left, 13u);
    EXPECT_EQ(config.audio->output_proj_dims, 1536u);
    EXPECT_TRUE(config.audio->use_clipped_linears);
    EXPECT_FALSE(config.unified_vision || config.unified_audio);
  }
}

TEST(MediaConfig, ReleasedLargeModels) {
  for (const char* size : {"26b", "31b"}) {
    const ModelConfig config = parse(with_encoders(size));
    ASSERT_TRUE(config.vision);
    EXPECT_EQ(config.vision->hidden_size, 1152u);
    EXPECT_EQ(config.vision->intermediate_size, 4304u);
    EXPECT_EQ(config.vision->num_hidden_layers, 27u);
    EXPECT_EQ(config.vision->head_dim, 72u);
    EXPECT_FALSE(config.vision->use_clipped_linears);
    EXPECT_TRUE(config.vision->standardize);
    EXPECT_FALSE(config.audio);
  }
}

TEST(MediaConfig, Released12bHasNoEncoder) {
  const ModelConfig config = parse(with_encoders("12b"));
  EXPECT_FALSE(config.vision || config.audio);
  ASSERT_TRUE(config.unified_vision && config.unified_audio);
  EXPECT_EQ(config.unified_vision->model_patch_size(), 48u);
  EXPECT_EQ(config.unified_vision->patch_width(), 6912u);
  EXPECT_EQ(config.unified_vision->mm_embed_dim, 3840u);
  EXPECT_EQ(config.unified_vision->mm_posemb_size, 1120u);
  EXPECT_EQ(config.unified_audio->audio_embed_dim, 640u);
}

TEST(MediaConfig, NullAndAbsentMeanNoEncoder) {
  Json document = with_encoders("e2b");
  document["vision_config"] = nullptr;
  document.erase("audio_config");
  const ModelConfig config = parse(document);
  EXPECT_FALSE(config.vision || config.audio);
}

TEST(MediaConfig, TextOnlyFormsAndDraftersHaveNone) {
  Json text = with_encoders("e2b")["text_config"];
  text["vision_config"] = Json::Object{};
  EXPECT_FALSE(parse(text).vision);
  Json drafter = parse_json(synthetic_config("e2b-drafter", {}), "test");
  drafter["vision_config"] = Json::Object{};
  EXPECT_FALSE(parse(drafter).vision);
}

TEST(MediaConfig, MissingKeysTakeTheDefaultsOfTransformers) {
  Json document = with_encoders("e2b");
  document["vision_config"] = Json::Object{};
  document["audio_config"] = Json::Object{};
  const ModelConfig config = parse(document);
  EXPECT_EQ(config.vision->hidden_size, 768u);
  EXPECT_EQ(config.vision->num_attention_heads, 12u);
  EXPECT_EQ(config.vision->rope_theta, 100.0);
  EXPECT_FALSE(config.vision->use_clipped_linears);
  EXPECT_EQ(config.audio->num_hidden_layers, 12u);
  EXPECT_EQ(config.audio->conv_kernel_size, 5u);
  EXPECT_EQ(config.audio->residual_weight, 0.5);
  EXPECT_EQ(config.audio->attention_invalid_logits_value, -1e9);
  EXPECT_EQ(config.audio->gradient_clipping, 1e10);
  EXPECT_TRUE(config.audio->use_clipped_linears);
  Json unified = with_encoders("12b");
  unified["vision_config"] = Json::Object{};
  unified["audio_config"] = Json::Object{};
  EXPECT_EQ(parse(unified).unified_vision->mm_embed_dim, 3840u);
  EXPECT_EQ(parse(unified).unified_audio->audio_embed_dim, 640u);
}

TEST(MediaConfig, EveryKeyOfTheVisionEncoderIsRead) {
  Json document = with_encoders("31b");
  document["vision_config"] = Json::Object{
      {"hidden_size", 24},        {"intermediate_size", 40},       {"num_hidden_layers", 3},
      {"num_attention_heads", 2}, {"num_key_value_heads", 2},      {"head_dim", 20},
      {"rms_norm_eps", 1e-5},     {"rope_parameters", nullptr},    {"patch_size", 8},
      {"pooling_kernel_size", 2}, {"position_embedding_size", 50}, {"use_clipped_linears", true},
      {"standardize", true}};
  const VisionConfig vision = *parse(document).vision;
  EXPECT_EQ(vision.hidden_size, 24u);
  EXPECT_EQ(vision.intermediate_size, 40u);
  EXPECT_EQ(vision.num_hidden_layers, 3u);
  EXPECT_EQ(vision.num_attention_heads, 2u);
  EXPECT_EQ(vision.head_dim, 20u);
  EXPECT_EQ(vision.rms_norm_eps, 1e-5);
  EXPECT_EQ(vision.rope_theta, 100.0);
  EXPECT_EQ(vision.patch_width(), 192u);
  EXPECT_EQ(vision.pooling_kernel_size, 2u);
  EXPECT_EQ(vision.position_embedding_size, 50u);
  EXPECT_TRUE(vision.use_clipped_linears && vision.standardize);
}

TEST(MediaConfig, EveryKeyOfTheAudioEncoderIsRead) {
  Json document = with_encoders("e4b");
  document["audio_config"] = Json::Object{{"hidden_size", 24},
                                          {"num_hidden_layers", 3},
                                          {"num_attention_heads", 6},
                                          {"subsampling_conv_channels", Json::Array{64, 16}},
                                          {"conv_kernel_size", 3},
                                          {"residual_weight", 0.25},
                                          {"attention_chunk_size", 4},
                                          {"attention_context_left", 5},
                                          {"attention_context_right", 0},
                                          {"attention_logit_cap", 20},
                                          {"attention_invalid_logits_value", -1e8},
                                          {"use_clipped_linears", false},
                                          {"rms_norm_eps", 1e-5},
                                          {"gradient_clipping", 100.0},
                                          {"output_proj_dims", 36}};
  const AudioConfig audio = *parse(document).audio;
  EXPECT_EQ(audio.hidden_size, 24u);
  EXPECT_EQ(audio.num_hidden_layers, 3u);
  EXPECT_EQ(audio.head_dim(), 4u);
  EXPECT_EQ(audio.subsampling_conv_channels, (std::array<std::size_t, 2>{64, 16}));
  EXPECT_EQ(audio.conv_kernel_size, 3u);
  EXPECT_EQ(audio.residual_weight, 0.25);
  EXPECT_EQ(audio.attention_chunk_size, 4u);
  EXPECT_EQ(audio.attention_context_left, 5u);
  EXPECT_EQ(audio.attention_logit_cap, 20.0);
  EXPECT_EQ(audio.attention_invalid_logits_value, -1e8);
  EXPECT_FALSE(audio.use_clipped_linears);
  EXPECT_EQ(audio.rms_norm_eps, 1e-5);
  EXPECT_EQ(audio.gradient_clipping, 100.0);
  EXPECT_EQ(audio.output_proj_dims, 36u);
}

TEST(MediaConfig, EveryKeyOfTheEmbeddersIsRead) {
  Json document = with_encoders("12b");
  document["vision_config"] =
      Json::Object{{"patch_size", 4},      {"pooling_kernel_size", 2}, {"mm_embed_dim", 24},
                   {"mm_posemb_size", 16}, {"rms_norm_eps", 1e-5},     {"num_soft_tokens", 140}};
  document["audio_config"] = Json::Object{{"audio_samples_per_token", 80}, {"rms_norm_eps", 1e-5}};
  const ModelConfig config = parse(document);
  EXPECT_EQ(config.unified_vision->model_patch_size(), 8u);
  EXPECT_EQ(config.unified_vision->mm_embed_dim, 24u);
  EXPECT_EQ(config.unified_vision->mm_posemb_size, 16u);
  EXPECT_EQ(config.unified_vision->rms_norm_eps, 1e-5);
  EXPECT_EQ(config.processor.image_max_soft_tokens, 140u);
  EXPECT_EQ(config.unified_audio->audio_embed_dim, 80u);
  EXPECT_EQ(config.unified_audio->rms_norm_eps, 1e-5);
}

TEST(MediaConfig, RopeInTheFormsThatAreSeen) {
  Json document = with_encoders("e2b");
  Json& vision = document["vision_config"];
  const auto theta = [&](const char* parameters) {
    vision["rope_parameters"] = parse_json(parameters, "test");
    return parse(document).vision->rope_theta;
  };
  EXPECT_EQ(theta("null"), 100.0);
  EXPECT_EQ(theta("{}"), 100.0);
  EXPECT_EQ(theta(R"({"rope_theta": 50.0})"), 50.0);
  EXPECT_EQ(theta(R"({"rope_type": "default", "rope_theta": 50})"), 50.0);
  EXPECT_EQ(theta(R"({"rope_type": "axial", "rope_theta": 50.0})"), 50.0);
  vision["rope_theta"] = 70.0;
  EXPECT_EQ(theta("null"), 70.0);
  EXPECT_EQ(theta(R"({"rope_theta": 70.0})"), 70.0);
}

TEST(MediaConfig, EndOfAudioHasTwoNames) {
  Json document = with_encoders("e2b");
  const auto eoa = [&] { return parse(document).text.special.eoa; };
  document["eoa_token_index"] = 7;
  EXPECT_EQ(eoa(), 7);
  document["eoa_token_id"] = 7;
  EXPECT_EQ(eoa(), 7);
  document.erase("eoa_token_index");
  EXPECT_EQ(eoa(), 7);
  document["eoa_token_id"] = nullptr;
  EXPECT_EQ(eoa(), -1);
  document.erase("eoa_token_id");
  EXPECT_EQ(eoa(), 258883);
}

TEST(MediaConfig, TokensAroundMedia) {
  Json document = with_encoders("e2b");
  document["boi_token_id"] = 3;
  document["eoi_token_id"] = 4;
  document["boa_token_id"] = nullptr;
  const SpecialTokens special = parse(document).text.special;
  EXPECT_EQ(special.boi, 3);
  EXPECT_EQ(special.eoi, 4);
  EXPECT_EQ(special.boa, -1);
}

}  // namespace
}  // namespace assay
