// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_gguf_model.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Checkpoint open(const GgufModel& model) {
  static const TestDirectory directory;
  return Checkpoint::open(directory.write("model.gguf", model.file()));
}

std::string error_after(const std::function<void(GgufModel&)>& change) {
  GgufModel model;
  change(model);
  const std::string message = error_of([&] { open(model); });
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

std::vector<float> values_of(const Checkpoint& checkpoint, const std::string& name) {
  std::size_t count = 1;
  for (const std::size_t extent : checkpoint.shape(name)) {
    count *= extent;
  }
  std::vector<float> values(count);
  checkpoint.read(name, 0, count, values.data());
  return values;
}

TEST(GgufCheckpoint, TheConfigIsThatOfTheMetadata) {
  const auto checkpoint = open(GgufModel());
  const TextConfig& text = checkpoint.config().text;
  EXPECT_EQ(checkpoint.config().model_type, "gemma4");
  EXPECT_EQ(text.vocab_size, 10u);
  EXPECT_EQ(text.hidden_size, 4u);
  ASSERT_EQ(text.layers.size(), 2u);
  EXPECT_EQ(text.layers[0].kind, LayerKind::kSliding);
  EXPECT_EQ(text.layers[0].head_dim, 2u);
  EXPECT_EQ(text.layers[1].head_dim, 4u);
  EXPECT_FALSE(text.layers[1].k_eq_v);
  // 1e-6 is no float; the nearest one stands for it.
  EXPECT_EQ(text.rms_norm_eps, 1e-6);
  EXPECT_EQ(text.rope_full.partial_rotary_factor, 0.5);
  EXPECT_EQ(text.rope_sliding.rope_theta, 10000);
  EXPECT_EQ(text.final_logit_softcapping, 30);
  EXPECT_TRUE(text.vision_blocks);
}

TEST(GgufCheckpoint, WeightsHaveHuggingFacesNames) {
  const auto checkpoint = open(GgufModel());
  EXPECT_THAT(checkpoint.shape("layers.1.self_attn.q_proj.weight"), ElementsAre(8, 4));
  EXPECT_EQ(values_of(checkpoint, "layers.0.self_attn.k_proj.weight")[1], 2.125F);
  EXPECT_EQ(checkpoint.tensors().front().name, "blk.0.attn_k.weight");
}

// Where it differs from the table of tokens.
TEST(GgufCheckpoint, AHeadOfItsOwn) {
  GgufModel model;
  model.tensor("output.weight", {10, 4});
  EXPECT_FALSE(open(model).has("lm_head.weight"));
  model.tensors["output.weight"].values[39] = 0;
  EXPECT_EQ(values_of(open(model), "lm_head.weight")[39], 0);
  EXPECT_THAT(error_after([](GgufModel& m) {
                m.tensor("output.weight", {11, 4});
              }),
              HasSubstr("model.gguf: output.weight: shape: got [11, 4], expected [10, 4]"));
}

TEST(GgufCheckpoint, WithoutValuesFullLayersTakeTheirKeys) {
  GgufModel model;
  model.tensors.erase("blk.1.attn_v.weight");
  model.integers("gemma4.attention.head_count_kv", {1, 2});
  model.tensor("blk.1.attn_k.weight", {8, 4});
  const auto checkpoint = open(model);
  EXPECT_TRUE(checkpoint.config().text.layers[1].k_eq_v);
  EXPECT_EQ(checkpoint.config().text.layers[1].num_key_value_heads, 2u);
}

// Of layers that share, keys and values may be there; the feed-forward width may be twice.
TEST(GgufCheckpoint, LayersThatShare) {
  for (const bool stored : {true, false}) {
    GgufModel model;
    model.integer("gemma4.block_count", 4);
    model.integer("gemma4.attention.shared_kv_layers", 2);
    model.integers("gemma4.attention.sliding_window_pattern", {1, 0, 1, 0});
    model.integers("gemma4.feed_forward_length", {6, 6, 12, 12});
    for (const char* from : {"blk.0.", "blk.1."}) {
      for (const auto& [name, tensor] : GgufModel().tensors) {
        const bool key =
            name.find("attn_k") != std::string::npos || name.find("attn_v") != std::string::npos;
        if (name.starts_with(from) && (stored || !key)) {
          model.tensors[std::string(from[4] == '0' ? "blk.2." : "blk.3.") + name.substr(6)] =
              tensor;
        }
      }
    }
    for (const char* block : {"blk.2.", "blk.3."}) {
      model.tensor(std::string(block) + "ffn_gate.weight", {12, 4});
      model.tensor(std::string(block) + "ffn_up.weight", {12, 4});
      model.tensor(std::string(block) + "ffn_down.weight", {4, 12});
    }
    const auto checkpoint = open(model);
    EXPECT_EQ(checkpoint.config().text.layers[3].kv_source, 1u);
    EXPECT_EQ(checkpoint.config().text.layers[3].intermediate_size, 12u);
    EXPECT_FALSE(checkpoint.has("layers.3.self_attn.k_proj.weight"));
  }
}

TEST(GgufCheckpoint, QueriesKeysAndValuesMayStandInOneTensor) {
  GgufModel model;
  const auto q = model.tensors["blk.0.attn_q.weight"].values;
  auto all = q;
  for (const char* name : {"blk.0.attn_k.weight", "blk.0.attn_v.weight"}) {
    const auto& values = model.tensors[name].values;
    all.insert(all.end(), values.begin(), values.end());
  }
  for (const char* name : {"blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight"}) {
    model.tensors.erase(name);
  }
  model.tensors["blk.0.attn_qkv.weight"] = {{8, 4}, all};
  const auto checkpoint = open(model);
  EXPECT_EQ(values_of(checkpoint, "layers.0.self_attn.q_proj.weight"), q);
  EXPECT_EQ(values_of(checkpoint, "layers.0.self_attn.v_proj.weight")[0], 3);
}

void add_experts(GgufModel& model) {
  model.integer("gemma4.expert_count", 2);
  model.integer("gemma4.expert_used_count", 1);
  model.integer("gemma4.expert_feed_forward_length", 3);
  for (const std::string block : {"blk.0.", "blk.1."}) {
    model.tensor(block + "ffn_gate_inp.weight", {2, 4});
    model.tensor(block + "ffn_gate_inp.scale", {4});
    model.tensor(block + "ffn_gate_up_exps.weight", {2, 6, 4});
    model.tensor(block + "ffn_down_exps.weight", {2, 4, 3});
    model.tensor(block + "ffn_down_exps.scale", {2}, 7);
    for (const char* norm : {"post_ffw_norm_1", "pre_ffw_norm_2", "post_ffw_norm_2"}) {
      model.tensor(block + norm + ".weight", {4});
    }
  }
}

TEST(GgufCheckpoint, ExpertsAndTheirScale) {
  GgufModel model;
  add_experts(model);
  const auto checkpoint = open(model);
  EXPECT_EQ(checkpoint.config().text.moe->num_experts, 2u);
  EXPECT_THAT(values_of(checkpoint, "layers.0.router.per_expert_scale"), ElementsAre(7, 7.125F));
  // It scales an expert's output in the model, not its weights here.
  EXPECT_EQ(values_of(checkpoint, "layers.0.experts.down_proj")[0], 1);
}

TEST(GgufCheckpoint, TheHalvesOfGateAndUpMayStandApart) {
  GgufModel model;
  add_experts(model);
  const auto whole = values_of(open(model), "layers.1.experts.gate_up_proj");
  model.tensors.erase("blk.1.ffn_gate_up_exps.weight");
  for (const std::size_t half : {0, 1}) {
    std::vector<float> values;
    for (const std::size_t expert : {0, 1}) {
      const auto first = whole.begin() + static_cast<std::ptrdiff_t>(expert * 24 + half * 12);
      values.insert(values.end(), first, first + 12);
    }
    model.tensors[half == 0 ? "blk.1.ffn_gate_exps.weight" : "blk.1.ffn_up_exps.weight"] = {
        {2, 3, 4}, values};
  }
  EXPECT_EQ(values_of(open(model), "layers.1.experts.gate_up_proj"), whole);
  EXPECT_THAT(error_after([&](GgufModel& other) {
                add_experts(other);
                other.tensors.erase("blk.1.ffn_gate_up_exps.weight");
              }),
              HasSubstr("model.gguf: blk.1.ffn_gate_up_exps.weight: got nothing, expected a tensor "
                        "[2, 6, 4]"));
}

TEST(GgufCheckpoint, AFactorBesideAWeight) {
  GgufModel model;
  model.tensors["blk.0.attn_k.scale"] = {{1}, {0.5F}};
  EXPECT_EQ(values_of(open(model), "layers.0.self_attn.k_proj.weight")[0], 1);
  EXPECT_THAT(error_after([](GgufModel& other) { other.tensor("blk.0.attn_k.scale", {3}); }),
              HasSubstr("blk.0.attn_k.scale: got a tensor that is not known"));
}

TEST(GgufCheckpoint, AModelIsNamedByItsFileOrItsFolder) {
  const TestDirectory directory;
  const auto path = directory.write("a.gguf", GgufModel().file());
  EXPECT_EQ(Checkpoint::open(directory.path()).config().text.hidden_size, 4u);
  std::filesystem::copy_file(path, directory.path() / "b.gguf");
  EXPECT_THAT(error_of([&] { Checkpoint::open(directory.path()); }),
              HasSubstr("b.gguf: got a second model beside a.gguf, expected one"));
  GgufModel clip;
  clip.text("general.architecture", "clip");
  directory.write("b.gguf", clip.file());
  EXPECT_THAT(error_of([&] { Checkpoint::open(directory.path() / "b.gguf"); }),
              HasSubstr("got the encoders alone"));
}

TEST(GgufCheckpoint, ASplitModelIsReadWhole) {
  const TestDirectory directory;
  GgufModel first;
  GgufModel second;
  for (const auto& [name, tensor] : GgufModel().tensors) {
    (name.starts_with("blk.1.") ? first : second).tensors.erase(name);
  }
  first.integer("split.count", 2);
  first.integer("split.no", 0);
  second.integer("split.no", 1);
  const auto path = directory.write("m-00001-of-00002.gguf", first.file());
  EXPECT_THAT(error_of([&] { Checkpoint::open(path); }), HasSubstr("m-00002-of-00002.gguf"));
  const auto other = directory.write("m-00002-of-00002.gguf", second.file());
  EXPECT_TRUE(Checkpoint::open(path).has("layers.1.mlp.up_proj.weight"));
  EXPECT_TRUE(Checkpoint::open(directory.path()).has("layers.1.mlp.up_proj.weight"));
  EXPECT_THAT(error_of([&] { Checkpoint::open(other); }),
              HasSubstr("split.no: got 1, expected the first file of the split"));
}

// Each key that the config needs is missed by its name.
TEST(GgufCheckpoint, AKeyThatIsMissingIsNamed) {
  for (const char* key :
       {"block_count", "context_length", "embedding_length", "feed_forward_length",
        "attention.head_count", "attention.head_count_kv", "attention.key_length",
        "attention.key_length_swa", "attention.sliding_window", "attention.sliding_window_pattern",
        "attention.layer_norm_rms_epsilon", "rope.freq_base"}) {
    const std::string full = std::string("gemma4.") + key;
    EXPECT_THAT(error_after([&](GgufModel& model) { model.keys.erase(full); }),
                HasSubstr("model.gguf: " + full + ": got nothing, expected"));
  }
}

using Cases = std::vector<std::pair<std::function<void(GgufModel&)>, const char*>>;

void expect_errors(const Cases& cases) {
  for (const auto& [change, expected] : cases) {
    EXPECT_THAT(error_after(change), HasSubstr(expected));
  }
}

TEST(GgufCheckpoint, MalformedMetadata) {
  expect_errors({
      {[](GgufModel& m) { m.text("general.architecture", "llama"); },
       "general.architecture: got 'llama', expected gemma4 or gemma4-assistant"},
      {[](GgufModel& m) { m.integer("general.architecture", 4); },
       "general.architecture: got another type, expected a string"},
      {[](GgufModel& m) { m.integer("gemma4.block_count", 0); },
       "gemma4.block_count: got 0, expected 1 to 4096"},
      {[](GgufModel& m) { m.integer("gemma4.block_count", 1u << 31); },
       "gemma4.block_count: got 2147483648, expected 1 to 4096"},
      {[](GgufModel& m) { m.text("gemma4.block_count", "two"); },
       "gemma4.block_count: got another type or a negative number"},
      {[](GgufModel& m) {
         m.integers("gemma4.attention.head_count_kv", {1, 1, 1});
       },
       "gemma4.attention.head_count_kv: got 3 values, expected one for each of 2 layers"},
      {[](GgufModel& m) {
         m.integers("gemma4.attention.head_count", {2, 4});
       },
       "gemma4.attention.head_count: got several values, expected one for all layers"},
      {[](GgufModel& m) {
         m.integers("gemma4.attention.head_count_kv", {1, 2});
       },
       "gemma4.attention.head_count_kv: got 2 for full layers that have attn_v"},
      {[](GgufModel& m) {
         m.integers("gemma4.feed_forward_length", {6, 7});
       },
       "gemma4.feed_forward_length: got 7 for layer 1, expected 6"},
      {[](GgufModel& m) { m.integer("gemma4.attention.value_length", 2); },
       "gemma4.attention.value_length: got 2, expected 4, as of keys"},
      {[](GgufModel& m) {
         m.integers("gemma4.attention.sliding_window_pattern", {0, 1});
       },
       "full attention in the last layer"},
      {[](GgufModel& m) { m.real("gemma4.rope.scaling.factor", 8); },
       "gemma4.rope.scaling.factor: got 8"},
      {[](GgufModel& m) { m.real("gemma4.attention.layer_norm_rms_epsilon", -1); }, "rms_norm_eps"},
      {[](GgufModel& m) { m.integer("gemma4.attention.head_count", 3); }, "blk.0.attn_q.weight"},
      {[](GgufModel& m) { m.integer("gemma4.attention.shared_kv_layers", 2); },
       "num_kv_shared_layers"},
      {[](GgufModel& m) { m.integer("gemma4.embedding_length_per_layer_input", 4); },
       "per_layer_token_embd.weight: got nothing, expected a tensor with a row for each token"},
      {[](GgufModel& m) { m.integer("gemma4.expert_count", 2); },
       "gemma4.expert_used_count: got nothing"},
  });
}

TEST(GgufCheckpoint, MalformedTensors) {
  expect_errors({
      {[](GgufModel& m) { m.tensors.erase("rope_freqs.weight"); },
       "rope_freqs.weight: got nothing, expected a tensor [2]"},
      {[](GgufModel& m) {
         m.tensors["rope_freqs.weight"] = {{3}, {1, 1, 1}};
       },
       "rope_freqs.weight: got [3], expected a tensor [2]"},
      {[](GgufModel& m) {
         m.tensors["rope_freqs.weight"] = {{2}, {1, 65504}};
       },
       "rope_freqs.weight: got other numbers, expected ones and then 1e30"},
      {[](GgufModel& m) { m.tensors.erase("blk.1.ffn_up.weight"); },
       "model.gguf: blk.1.ffn_up.weight: got nothing, expected a tensor [6, 4]"},
      {[](GgufModel& m) {
         m.tensor("blk.1.ffn_up.weight", {4, 6});
       },
       "model.gguf: blk.1.ffn_up.weight: shape: got [4, 6], expected [6, 4]"},
      {[](GgufModel& m) {
         m.tensor("blk.2.ffn_up.weight", {6, 4});
       },
       "model.gguf: blk.2.ffn_up.weight: got a tensor that is not known"},
      {[](GgufModel& m) { m.tensors.erase("token_embd.weight"); },
       "model.gguf: token_embd.weight: got nothing, expected a tensor with a row for each token"},
  });
}

TEST(GgufCheckpoint, ANotFiniteWeightIsNamedWhenItIsRead) {
  GgufModel model;
  model.tensors["blk.0.ffn_up.weight"].values[5] = INFINITY;
  const auto checkpoint = open(model);
  EXPECT_EQ(error_of([&] { values_of(checkpoint, "layers.0.mlp.up_proj.weight"); }),
            "model.gguf: blk.0.ffn_up.weight: element 5: got inf, expected a finite number");
}

}  // namespace
}  // namespace assay
