// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/config_keys.h"

#include <gtest/gtest.h>

#include "reference/family/base/json.h"
#include "reference/family/config/load_config.h"
#include "reference/family/synth/synth_config.h"
#include "reference/family/testing/test_json.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

Json good(const std::string& size) {
  SynthOptions options = tiny_widths();
  options.num_hidden_layers = size == "e2b" ? 10 : size.ends_with("-drafter") ? 4 : 6;
  options.num_experts = size == "26b" ? 8 : 0;
  options.top_k_experts = 2;
  if (size == "e2b-drafter" || size == "e4b-drafter") {
    options.num_centroids = 10;
    options.centroid_intermediate_top_k = 3;
  }
  if (!size.ends_with("-drafter")) {
    options.encoders = SynthEncoders();
  }
  return parse_json(synthetic_config(size, options), "test");
}

using Lines = std::vector<std::string>;

Lines notes_of(const Json& document) {
  return parse_config(json_text(document)).notes;
}

TEST(ConfigKeys, WhatIsWrittenForEverySizeIsKnown) {
  for (const std::string& size : synthetic_sizes()) {
    EXPECT_EQ(notes_of(good(size)), Lines()) << size;
  }
}

// What transformers, Unsloth and others write beside it changes no number.
TEST(ConfigKeys, WhatLibrariesWriteForThemselvesIsSilent) {
  Json document = good("e2b");
  document["transformers_version"] = "5.22.2";
  document["unsloth_fixed"] = true;
  document["torch_dtype"] = "float16";
  document["text_config"]["use_cache"] = false;
  document["text_config"]["attention_dropout"] = 0.5;
  document["vision_config"]["id2label"] = Json::Object{{"0", "LABEL_0"}};
  document["text_config"]["some_day"] = nullptr;
  document["text_config"]["rope_scaling"] = nullptr;
  document["text_config"]["lists"] = Json::Array();
  EXPECT_EQ(notes_of(document), Lines());
}

struct Unknown {
  const char* size;
  const char* pointer;
  const char* value;
  const char* got;  // "text_config.key: got 3"
};

// Each means something in some other model of the family's relatives, or to some program.
const Unknown kUnknown[] = {
    {"e2b", "/text_config/query_pre_attn_scalar", "64",
     "text_config.query_pre_attn_scalar: got 64"},
    {"e2b", "/text_config/rope_theta", "5000.0", "text_config.rope_theta: got 5000.0"},
    {"e2b", "/text_config/rope_local_base_freq", "5000",
     "text_config.rope_local_base_freq: got 5000"},
    {"e2b", "/text_config/hidden_act", "\"relu\"", "text_config.hidden_act: got \"relu\""},
    {"e2b", "/text_config/mlp_bias", "true", "text_config.mlp_bias: got true"},
    {"e2b", "/text_config/use_sliding_window", "false",
     "text_config.use_sliding_window: got false"},
    {"e2b", "/text_config/activation_sparsity_pattern", "[0.5]",
     "text_config.activation_sparsity_pattern: got an array of 1 values"},
    {"26b", "/text_config/norm_topk_prob", "false", "text_config.norm_topk_prob: got false"},
    {"26b", "/text_config/routed_scaling_factor", "2.5",
     "text_config.routed_scaling_factor: got 2.5"},
    {"e2b", "/rope_scaling", "{\"factor\": 8.0}", "rope_scaling: got an object"},
    {"e2b", "/final_logit_softcapping", "20.0", "final_logit_softcapping: got 20.0"},
    {"e2b", "/auto_map", "{\"AutoModel\": \"other.Model\"}", "auto_map: got an object"},
    {"e2b", "/pruned_heads", "{\"0\": [0]}", "pruned_heads: got an object"},
    {"e2b", "/text_config/rope_parameters/full_attention/attention_factor", "2.0",
     "text_config.rope_parameters.full_attention.attention_factor: got 2.0"},
    {"e2b", "/text_config/rope_parameters/rope_theta", "2.0",
     "text_config.rope_parameters.rope_theta: got 2.0"},
    {"e2b", "/vision_config/use_head", "true", "vision_config.use_head: got true"},
    {"e2b", "/audio_config/conf_reduction_factor", "4",
     "audio_config.conf_reduction_factor: got 4"},
    {"12b", "/vision_config/hidden_act", "\"silu\"", "vision_config.hidden_act: got \"silu\""},
    {"e2b-drafter", "/num_assistants", "4", "num_assistants: got 4"},
};

TEST(ConfigKeys, AnyOtherKeyIsNamed) {
  for (const Unknown& unknown : kUnknown) {
    Json document = good(unknown.size);
    part_at(document, unknown.pointer) = parse_json(unknown.value, "test");
    EXPECT_EQ(notes_of(document), Lines{std::string("config.json: ") + unknown.got +
                                        ", expected no such key in a Gemma 4: it is not used"})
        << unknown.pointer;
  }
}

TEST(ConfigKeys, AFloodOfKeysIsCutShort) {
  Json document = good("31b");
  for (int i = 0; i < 1000; ++i) {
    document["text_config"]["key" + std::to_string(i)] = i;
  }
  EXPECT_EQ(notes_of(document).size(), kMostNotes);
}

// transformers asks the root whether the head is tied; its default is yes.
TEST(ConfigKeys, TheRootSaysWhetherTheHeadIsTied) {
  Json document = good("e2b");
  EXPECT_TRUE(parse_config(json_text(document)).tie_word_embeddings);
  document["text_config"]["tie_word_embeddings"] = false;
  EXPECT_TRUE(parse_config(json_text(document)).tie_word_embeddings);
  EXPECT_EQ(notes_of(document),
            Lines{"config.json: text_config.tie_word_embeddings: got false, expected the root's "
                  "word, true, which counts"});
  document["tie_word_embeddings"] = false;
  EXPECT_FALSE(parse_config(json_text(document)).tie_word_embeddings);
  EXPECT_EQ(notes_of(document), Lines());
}

}  // namespace
}  // namespace assay
