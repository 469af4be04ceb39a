// SPDX-License-Identifier: Apache-2.0
// Forms that are not read, as their programs write them. What is read is tested in
// reference/model/quantised_forms_test.cc.
#include "reference/family/checkpoint/foreign_forms.h"

#include <gtest/gtest.h>

#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_loading_form.h"

namespace assay {
namespace {

const std::string kBase = source_dir() + "/golden/checkpoints/e2b-tiny";
const std::string kModule = "model.language_model.layers.0.self_attn.q_proj";  // [48, 36]

struct Part {
  const char* leaf;  // after the module's name
  const char* dtype;
  std::vector<std::size_t> shape;
};

struct Foreign {
  const char* config;  // quantization_config
  std::vector<Part> parts;
  const char* said;    // its name where the config is there
  const char* unsaid;  // and where it is not
};

const Foreign kForms[] = {
    {R"({"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4"})",
     {{".weight", "U8", {864, 1}},
      {".weight.absmax", "F32", {27}},
      {".weight.quant_map", "F32", {16}},
      {".weight.quant_state.bitsandbytes__nf4", "U8", {80}}},
     "bitsandbytes, nf4, 4 bits",
     "bitsandbytes, 4 bits"},
    {R"({"quant_method": "bitsandbytes", "load_in_8bit": true})",
     {{".weight", "I8", {48, 36}}, {".SCB", "F32", {48}}, {".weight_format", "U8", {}}},
     "bitsandbytes, 8 bits",
     "bitsandbytes, 8 bits"},
    {R"({"quant_method": "gptq", "bits": 4, "group_size": 12})",
     {{".qweight", "I32", {5, 48}},
      {".qzeros", "I32", {3, 6}},
      {".scales", "F16", {3, 48}},
      {".g_idx", "I32", {36}}},
     "gptq, 4 bits",
     "GPTQ"},
    {R"({"quant_method": "awq", "bits": 4, "group_size": 12})",
     {{".qweight", "I32", {36, 6}}, {".qzeros", "I32", {3, 6}}, {".scales", "F16", {3, 48}}},
     "awq, 4 bits",
     "AWQ"},
    {R"({"quant_method": "aqlm"})",
     {{".codes", "I8", {48, 4, 1}},
      {".codebooks", "F16", {1, 256, 1, 8}},
      {".scales", "F16", {48}}},
     "aqlm",
     "AQLM"},
    {R"({"quant_method": "hqq", "quant_config": {}})",
     {{".W_q", "U8", {24, 36}}, {".scale", "F16", {48, 1}}, {".zero", "F16", {48, 1}}},
     "hqq",
     "HQQ"},
    {R"({"quant_method": "eetq", "weights": "int8"})",
     {{".weight", "I8", {36, 48}}, {".weight_scales", "F16", {48}}},
     "eetq, int8",
     "EETQ"},
    {R"({"quant_method": "quanto", "weights": "int8"})",
     {{".weight._data", "I8", {48, 36}}, {".weight._scale", "BF16", {48, 1}}},
     "quanto, int8",
     "quanto"},
    {R"({"quant_method": "torchao", "quant_type": "int8_weight_only"})",
     {{"._weight_qdata", "I8", {48, 36}}, {"._weight_scale", "BF16", {48}}},
     "torchao, int8_weight_only",
     "torchao"},
    {R"({"quant_method": "mxfp4"})",
     {{".weight_blocks", "U8", {48, 1, 18}}, {".weight_scales", "U8", {48, 1}}},
     "mxfp4",
     "MXFP4"},
    {R"({"group_size": 32, "bits": 4})",
     {{".weight", "U32", {48, 5}}, {".scales", "BF16", {48, 1}}, {".biases", "BF16", {48, 1}}},
     "MLX",
     "MLX"},
    {R"({"quant_method": "bitnet"})",
     {{".weight", "U8", {12, 36}}, {".weight_scale", "BF16", {1}}},
     "bitnet",
     nullptr},
    {R"({"quant_method": "compressed-tensors", "format": "pack-quantized"})",
     {{".weight_packed", "I32", {48, 5}},
      {".weight_scale", "BF16", {48, 1}},
      {".weight_shape", "I64", {2}},
      {".weight_zero_point", "I32", {6, 1}}},
     "compressed-tensors, pack-quantized, with weight_zero_point",
     "compressed-tensors, with weight_zero_point"},
    {R"({"quant_method": "compressed-tensors", "format": "marlin-24"})",
     {{".weight_packed", "I32", {3, 96}},
      {".scale_packed", "F16", {1, 48}},
      {".meta", "I16", {48, 3}}},
     "compressed-tensors, marlin-24",
     "compressed-tensors"},
    {R"({"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups":
         {"group_0": {"weights": {"num_bits": 4}, "input_activations":
          {"num_bits": 8, "type": "int", "dynamic": false}}}})",
     {{".weight_packed", "I32", {48, 5}},
      {".weight_scale", "BF16", {48, 1}},
      {".input_scale", "BF16", {1}}},
     "compressed-tensors, pack-quantized, with static integer activations",
     nullptr},
    {R"({"quant_method": "modelopt", "quant_algo": "NVFP4"})",
     {{".weight", "U8", {48, 18}},
      {".weight_scale", "F8_E4M3", {48, 2}},
      {".weight_scale_2", "F32", {}}},
     "modelopt, NVFP4, rows of 36 in groups of 16",
     "NVFP4 of modelopt, rows of 36 in groups of 16"},
    {R"({"quant_method": "quark"})",
     {{".weight", "F8_E4M3", {48, 36}}, {".weight_scale", "F32", {1}}},
     "quark",
     nullptr},
};

class ForeignForms : public testing::Test {
 protected:
  std::string message_of(const Foreign& foreign, const char* key) const {
    LoadingForm form(kBase);
    form.tensors().erase(kModule + ".weight");
    for (const Part& part : foreign.parts) {
      FormTensor tensor{*dtype_from_name(part.dtype), part.shape, {}};
      tensor.bytes.resize(tensor_size(tensor.dtype, tensor.shape, "").bytes);
      form.tensors()[kModule + part.leaf] = std::move(tensor);
    }
    if (key != nullptr) {
      form.config()[key] = parse_json(foreign.config, "test");
    }
    const auto path = directory_.path() / "form";
    std::filesystem::remove_all(path);
    form.write(path);
    return error_of([&] { Checkpoint::open(path); });
  }

  TestDirectory directory_;
};

TEST_F(ForeignForms, AreCalledByTheirNamesAndRefused) {
  for (const Foreign& foreign : kForms) {
    for (const char* key : {"quantization_config", "quantization"}) {
      const std::string message = message_of(foreign, key);
      EXPECT_NE(message.find(": got weights quantised by "), std::string::npos) << message;
      EXPECT_NE(message.find(foreign.said), std::string::npos) << message;
      EXPECT_NE(message.find(", not supported, expected"), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos);
    }
    if (foreign.unsaid != nullptr) {
      const std::string message = message_of(foreign, nullptr);
      EXPECT_NE(message.find(foreign.unsaid), std::string::npos) << message;
    }
  }
}

// A config says what the tensors do not.
TEST_F(ForeignForms, PlainWeightsAreTakenAndTheConfigIsNoted) {
  for (const Foreign& foreign : kForms) {
    LoadingForm form(kBase);
    form.config()["quantization_config"] = parse_json(foreign.config, "test");
    const auto path = directory_.path() / "plain";
    std::filesystem::remove_all(path);
    form.write(path);
    const auto notes = Checkpoint::open(path).notes();
    ASSERT_EQ(notes.size(), 1u) << foreign.config;
    EXPECT_TRUE(notes[0].starts_with("config.json: quantization_config: got ")) << notes[0];
    EXPECT_TRUE(notes[0].ends_with("these are plain and taken as they are")) << notes[0];
  }
}

TEST_F(ForeignForms, ScalesOfACacheAreLeftAside) {
  LoadingForm form(kBase);
  for (const char* leaf : {".k_scale", ".v_scale", ".k_cache_scale", ".v_cache_scale"}) {
    form.tensors()["model.language_model.layers.0.self_attn" + std::string(leaf)] = {
        DType::kF32, {}, std::vector<std::byte>(4)};
  }
  form.write(directory_.path() / "cache");
  EXPECT_TRUE(Checkpoint::open(directory_.path() / "cache").has("norm.weight"));
}

}  // namespace
}  // namespace assay
