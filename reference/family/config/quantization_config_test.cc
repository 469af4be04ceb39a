// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/quantization_config.h"

#include <gtest/gtest.h>

#include "reference/family/base/json.h"
#include "reference/family/config/load_config.h"
#include "reference/family/synth/synth_config.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

QuantizationConfig parse(const std::string& text) {
  const Json document = parse_json(text, "test");
  return parse_quantization_config(JsonObject(&document, "config.json", ""));
}

TEST(QuantizationConfig, SaysNothingWhereThereIsNone) {
  for (const char* text : {"{}", R"({"quantization_config": null})",
                           R"({"quantization_config": {}})", R"({"quantization_config": 4})",
                           R"({"text_config": {"hidden_size": 3}})", R"({"text_config": 3})"}) {
    EXPECT_FALSE(parse(text).is_said()) << text;
  }
}

// As each program writes it.
TEST(QuantizationConfig, FormsAreCalledByTheirNames) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"quant_method": "bitsandbytes", "load_in_4bit": true, "load_in_8bit": false,
           "bnb_4bit_quant_type": "nf4"})",
       "bitsandbytes, nf4, 4 bits"},
      {R"({"quant_method": "bitsandbytes", "_load_in_8bit": true})", "bitsandbytes, 8 bits"},
      {R"({"quant_method": "gptq", "bits": 4, "group_size": 128})", "gptq, 4 bits"},
      {R"({"quant_method": "awq", "w_bit": 4})", "awq, 4 bits"},
      {R"({"quant_method": "compressed-tensors", "format": "pack-quantized"})",
       "compressed-tensors, pack-quantized"},
      {R"({"quant_method": "modelopt", "quant_algo": "NVFP4"})", "modelopt, NVFP4"},
      {R"({"quant_method": "fp8", "fmt": "e4m3"})", "fp8, e4m3"},
      {R"({"quant_method": "quanto", "weights": "int8"})", "quanto, int8"},
      {R"({"quant_method": "gemma", "num_bits": 4})", "gemma, 4 bits"},
      {R"({"quant_method": "TorchAO", "quant_type": "int4_weight_only"})",
       "torchao, int4_weight_only"},
      {R"({"group_size": 64, "bits": 4, "mode": "affine"})", "MLX, affine, 4 bits"},
      {R"({"quant_method": 3, "bits": "four"})", "KEY"},
      {R"({"quant_method": "a\u0000b"})", "a?b"},
  };
  for (const auto& [text, name] : cases) {
    for (const std::string key : {"quantization_config", "compression_config", "quantization"}) {
      std::string expected = name;
      if (expected.starts_with("KEY")) {
        expected.replace(0, 3, key);
      }
      const auto config = parse("{\"" + key + "\": " + text + "}");
      EXPECT_EQ(config.key, key);
      EXPECT_EQ(config.name, expected) << text;
      const auto nested = parse("{\"text_config\": {\"" + key + "\": " + text + "}}");
      EXPECT_EQ(nested.key, "text_config." + key);
    }
  }
}

TEST(QuantizationConfig, ModeloptHasAFileOfItsOwn) {
  const TestDirectory directory;
  SynthOptions options = tiny_widths();
  options.num_hidden_layers = 6;
  directory.write("config.json", synthetic_config("31b", options));
  EXPECT_FALSE(load_config(directory.path()).quantization.is_said());
  directory.write("hf_quant_config.json",
                  R"({"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "NVFP4"}})");
  const auto config = load_config(directory.path()).quantization;
  EXPECT_EQ(config.file, "hf_quant_config.json");
  EXPECT_EQ(config.name, "modelopt, quantization, NVFP4");
  directory.write("hf_quant_config.json", "[]");
  EXPECT_EQ(error_of([&] { load_config(directory.path()); }),
            "hf_quant_config.json: got an array of 0 values, expected an object");
}

TEST(QuantizationConfig, BlocksAndInputs) {
  const auto fp8 = parse(R"({"quantization_config": {"quant_method": "fp8",
      "activation_scheme": "dynamic", "weight_block_size": [128, 64]}})");
  EXPECT_EQ(fp8.weight_block, (std::array<std::size_t, 2>{128, 64}));
  EXPECT_TRUE(fp8.quantizes_inputs);
  const auto groups = parse(R"({"quantization_config": {"quant_method": "compressed-tensors",
      "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 8,
      "block_structure": [16, 32]}, "input_activations": {"num_bits": 8}}}}})");
  EXPECT_FALSE(groups.static_integer_inputs);
  const auto fixed = parse(R"({"quantization_config": {"config_groups": {"group_0":
      {"input_activations": {"num_bits": 8, "type": "int", "dynamic": false}}}}})");
  EXPECT_TRUE(fixed.static_integer_inputs);
  EXPECT_EQ(groups.weight_block, (std::array<std::size_t, 2>{16, 32}));
  EXPECT_TRUE(groups.quantizes_inputs);
  const auto weights_only = parse(R"({"quantization_config": {"config_groups": {"group_0":
      {"weights": {"num_bits": 4}, "input_activations": null}}, "weight_block_size": [0, 3]}})");
  EXPECT_FALSE(weights_only.weight_block);
  EXPECT_FALSE(weights_only.quantizes_inputs);
}

}  // namespace
}  // namespace assay
