// SPDX-License-Identifier: Apache-2.0
// What transformers makes of whole checkpoints is tested in reference/model/loading_forms_test.cc.
#include "reference/family/checkpoint/hugging_face_names.h"

#include <gtest/gtest.h>

#include "reference/family/config/load_config.h"
#include "reference/family/synth/synth_config.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

ModelConfig config_of(const std::string& size, SynthForm form = SynthForm::kMultimodal) {
  SynthOptions options = tiny_widths();
  options.form = form;
  options.num_hidden_layers = size == "e2b" ? 10 : size.ends_with("-drafter") ? 4 : 6;
  if (form == SynthForm::kMultimodal) {
    options.encoders = tiny_encoders(size);
  }
  if (size == "e2b-drafter") {
    options.num_centroids = 10;
    options.centroid_intermediate_top_k = 3;
    options.encoders.reset();
  }
  return parse_config(synthetic_config(size, options));
}

TEST(HuggingFaceNames, OneModelMayBeAddedOrLeftOut) {
  const HuggingFaceNames names(config_of("e2b"));
  const std::string norm = "model.language_model.norm.weight";
  for (const char* stored : {"model.language_model.norm.weight", "language_model.norm.weight",
                             "model.model.language_model.norm.weight"}) {
    EXPECT_EQ(names.canonical(stored), norm);
  }
  for (const char* other : {"model.norm.weight", "norm.weight", "module.model.norm.weight",
                            "language_model.model.norm.weight", "model.", "model", "", ".",
                            "model.model.model.language_model.norm.weight"}) {
    EXPECT_EQ(names.canonical(other), other);
  }
  EXPECT_EQ(names.canonical("model.lm_head.weight"), "lm_head.weight");
  EXPECT_EQ(names.canonical("vision_tower.std_bias"), "vision_tower.std_bias");  // e2b has none
  EXPECT_EQ(names.canonical("language_model.layers.3.mlp.up_proj.weight_scale"),
            "model.language_model.layers.3.mlp.up_proj.weight_scale");
  EXPECT_EQ(names.canonical("language_model.layers.3.layer_scalar"),
            "model.language_model.layers.3.layer_scalar");
}

TEST(HuggingFaceNames, ATextModelAndADrafter) {
  const HuggingFaceNames text(config_of("31b", SynthForm::kTextOnly));
  EXPECT_EQ(text.canonical("norm.weight"), "model.norm.weight");
  EXPECT_EQ(text.canonical("layers.1.mlp.up_proj.weight"), "model.layers.1.mlp.up_proj.weight");
  EXPECT_EQ(text.canonical("model.language_model.norm.weight"), "model.language_model.norm.weight");
  const HuggingFaceNames drafter(config_of("e2b-drafter"));
  EXPECT_EQ(drafter.canonical("model.pre_projection.weight"), "pre_projection.weight");
  EXPECT_EQ(drafter.canonical("norm.weight"), "model.norm.weight");
}

TEST(HuggingFaceNames, TheTwoNamesOfTheEmbedderWithoutEncoder) {
  const HuggingFaceNames names(config_of("12b"));
  for (const char* prefix : {"model.", ""}) {
    EXPECT_EQ(names.canonical(std::string(prefix) + "embed_vision.patch_ln1.bias"),
              "model.vision_embedder.patch_ln1.bias");
    EXPECT_EQ(names.canonical(std::string(prefix) + "vision_embedder.pos_embedding"),
              "model.vision_embedder.pos_embedding");
    const std::string projection = "embedding_projection.weight";
    for (const char* module : {"embed_vision.", "embed_vision.multimodal_embedder."}) {
      EXPECT_EQ(names.canonical(std::string(prefix) + module + projection),
                "model.embed_vision." + projection);
    }
  }
  // Of a model with an encoder they are two things.
  EXPECT_EQ(HuggingFaceNames(config_of("31b"))
                .canonical("model.embed_vision.multimodal_embedder.embedding_projection.weight"),
            "model.embed_vision.multimodal_embedder.embedding_projection.weight");
}

TEST(HuggingFaceNames, KeysOfSharingLayersAreIgnored) {
  const HuggingFaceNames names(config_of("e2b"));  // the last five of ten
  const std::string layers = "model.language_model.layers.";
  EXPECT_TRUE(names.is_ignored(layers + "5.self_attn.k_proj.weight"));
  EXPECT_TRUE(names.is_ignored(layers + "9.self_attn.v_norm.weight"));
  EXPECT_TRUE(names.is_ignored(layers + "9.self_attn.v_proj.weight_packed"));
  EXPECT_TRUE(names.is_ignored("model.language_model.rotary_emb.inv_freq"));
  for (const char* needed :
       {"4.self_attn.k_proj.weight", "5.self_attn.q_proj.weight", "5.mlp.k_proj.weight",
        "99999999999999999999.self_attn.k_proj.weight", "x.self_attn.k_proj.weight", "5"}) {
    EXPECT_FALSE(names.is_ignored(layers + needed)) << needed;
  }
  EXPECT_FALSE(names.is_ignored("model.vision_tower.encoder.layers.5.self_attn.k_proj.weight"));
}

TEST(HuggingFaceNames, NamesOfTheTextModelAlone) {
  ModelConfig config = config_of("e2b");
  take_text_names(std::vector<std::string>{"model.language_model.layers.0.layer_scalar"}, config);
  EXPECT_EQ(config.weight_prefix, "model.language_model.");
  EXPECT_TRUE(config.audio);
  take_text_names(std::vector<std::string>{"lm_head.weight", "layers.0.layer_scalar"}, config);
  EXPECT_EQ(config.weight_prefix, "model.");
  EXPECT_FALSE(config.audio);
}

}  // namespace
}  // namespace assay
