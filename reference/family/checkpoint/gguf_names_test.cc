// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_names.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "reference/family/checkpoint/tensor_table.h"
#include "reference/family/config/load_config.h"
#include "reference/family/testing/source_dir.h"

namespace assay {
namespace {

std::string name_of(std::string_view name, GgufDialect dialect = GgufDialect::kLlamaCpp) {
  const auto found = gguf_name(name, dialect);
  return found ? found->name : "";
}

TEST(GgufNames, LayersAndBounds) {
  EXPECT_EQ(name_of("layers.12.mlp.up_proj.weight"), "blk.12.ffn_up.weight");
  EXPECT_EQ(name_of("layers.0.router.per_expert_scale"), "blk.0.ffn_down_exps.scale");
  EXPECT_EQ(name_of("model.vision_tower.encoder.layers.3.mlp.up_proj.input_min"),
            "v.blk.3.ffn_up.input_min");
  EXPECT_EQ(name_of("model.audio_tower.layers.1.self_attn.post.output_max"),
            "a.blk.1.attn_out.output_max");
  EXPECT_EQ(name_of("layers.x.mlp.up_proj.weight"), "");
  EXPECT_EQ(name_of("layers..mlp.up_proj.weight"), "");
  EXPECT_EQ(name_of("model.vision_tower.encoder.layers.0.input_layernorm.input_min"), "");
}

// The same name is another weight there: a.blk.N.ln2 and a.pre_encode.out.
TEST(GgufNames, OllamasAudioEncoder) {
  constexpr const char* kOut = "model.audio_tower.layers.0.norm_out.weight";
  constexpr const char* kPost = "model.audio_tower.layers.0.norm_post_attn.weight";
  EXPECT_EQ(name_of(kOut), "a.blk.0.ln2.weight");
  EXPECT_EQ(name_of(kPost, GgufDialect::kOllama), "a.blk.0.ln2.weight");
  EXPECT_EQ(name_of(kOut, GgufDialect::kOllama), "a.blk.0.layer_pre_norm.weight");
}

// Every weight of every committed checkpoint has a name, and no two have the same.
TEST(GgufNames, EveryWeightHasANameOfItsOwn) {
  for (const char* checkpoint : {"e2b-media-tiny", "12b-media-tiny", "26b-media-tiny", "e2b-tiny",
                                 "e2b-tiny-drafter", "31b-tiny-drafter"}) {
    for (const GgufDialect dialect : {GgufDialect::kLlamaCpp, GgufDialect::kOllama}) {
      std::map<std::string, std::string> weights;
      const auto config =
          load_config(std::string(source_dir() + "/golden/checkpoints/") + checkpoint);
      for (const ExpectedTensor& expected : expected_tensors(config)) {
        const std::string name = name_of(expected.name, dialect);
        EXPECT_NE(name, "") << expected.name;
        EXPECT_TRUE(weights.emplace(name, expected.name).second)
            << name << ": " << weights[name] << " and " << expected.name;
      }
    }
  }
}

}  // namespace
}  // namespace assay
