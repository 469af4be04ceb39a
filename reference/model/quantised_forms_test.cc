// SPDX-License-Identifier: Apache-2.0
// golden/tables/quantised_forms.json: weights in each quantised form that is read, what the
// packages that define the forms make of them, and the logits of transformers. Spec: R-90.
#include "reference/family/base/json_object.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_loading_form.h"
#include "reference/family/testing/test_signals.h"
#include "reference/model/generate.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

std::vector<std::byte> bytes_of(const std::string& hex) {
  std::vector<std::byte> bytes(hex.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  }
  return bytes;
}

class QuantisedForms : public testing::Test {
 protected:
  QuantisedForms() {
    const std::string file = "quantised_forms.json";
    table_ = parse_json_file(source_dir() + "/golden/tables/" + file, file, 1 << 20);
  }

  LoadingForm form_of(const Json& row) const {
    LoadingForm form(source_dir() + "/golden/checkpoints/" + row.at("base").string());
    form.config()["quantization_config"] = row.at("quantization_config");
    form.config()["tie_word_embeddings"] = row.at("tied");
    for (const auto& [name, value] : row.at("weights").object()) {
      form.tensors().erase(name);
    }
    for (const auto& [name, tensor] : row.at("tensors").object()) {
      form.tensors()[name] = {*dtype_from_name(tensor[0].string()),
                              tensor[1].get<std::vector<std::size_t>>(),
                              bytes_of(tensor[2].string())};
    }
    return form;
  }

  std::filesystem::path write(const Json& row) const {
    const auto path = directory_.path() / row.at("form").string();
    form_of(row).write(path);
    return path;
  }

  TestDirectory directory_;
  Json table_;
};

// "model.language_model.norm.weight" here, "norm.weight" there.
std::string short_name(const std::string& name) {
  const std::string prefix = "model.language_model.";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

std::vector<double> read_all(const Checkpoint& checkpoint, const std::string& name) {
  std::size_t elements = 1;
  for (const std::size_t extent : checkpoint.shape(name)) {
    elements *= extent;
  }
  std::vector<double> values(elements);
  checkpoint.read(name, 0, values.size(), values.data());
  return values;
}

TEST_F(QuantisedForms, ValuesAreThoseOfTheFormsOwnPackagesBitForBit) {
  for (const Json& row : table_.at("forms")) {
    SCOPED_TRACE(row.at("form").string());
    const auto checkpoint = Checkpoint::open(write(row));
    for (const auto& [name, expected] : row.at("weights").object()) {
      const auto values = read_all(checkpoint, short_name(name));
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(values[i], expected.at("first")[i].get<double>()) << name;
      }
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
      const auto hash = crc32(std::span(bytes, values.size() * sizeof(double)));
      EXPECT_EQ(hash, std::stoul(expected.at("crc32").string(), nullptr, 16)) << name;
    }
  }
}

// A read may begin and end anywhere; fp32 is the value rounded once.
TEST_F(QuantisedForms, PartsAreThoseOfTheWhole) {
  for (const Json& row : table_.at("forms")) {
    SCOPED_TRACE(row.at("form").string());
    const auto checkpoint = Checkpoint::open(write(row));
    const std::string name = short_name(row.at("weights").object().front().first);
    const auto values = read_all(checkpoint, name);
    const std::size_t width = checkpoint.shape(name).back();
    for (const auto& [first, count] : std::vector<std::pair<std::size_t, std::size_t>>{
             {0, 1}, {1, width}, {width - 1, 2}, {3 * width + 5, width + 7}, {values.size(), 0}}) {
      std::vector<float> part(count);
      checkpoint.read(name, first, count, part.data());
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(part[i], static_cast<float>(values[first + i])) << first + i;
      }
    }
    checkpoint.release(name);
    EXPECT_EQ(read_all(checkpoint, name), values);
    EXPECT_FALSE(checkpoint.stored(name));
  }
}

TEST_F(QuantisedForms, LogitsAreThoseOfTransformers) {
  for (const Json& row : table_.at("forms")) {
    SCOPED_TRACE(row.at("form").string());
    if (!kIsDouble && row.at("form") == "gemma-calibrated") {
      continue;  // fp32 may round an activation to the step beside
    }
    const auto checkpoint = Checkpoint::open(write(row));
    const Transformer model(checkpoint);
    KvCache cache = model.new_cache();
    Taps taps;
    const auto prompt = text_chunk(table_.at("prompt").get<std::vector<std::int32_t>>(), 0);
    const auto logits = model.forward(prompt, cache, taps).logits;
    const std::size_t vocabulary = logits.shape()[1];
    for (std::size_t v = 0; v < vocabulary; ++v) {
      ASSERT_NEAR(logits(prompt.ids.size() - 1, v), row.at("logits")[v].get<double>(),
                  bound_of(2e-2, 2e-11))
          << v;
    }
  }
}

struct Broken {
  const char* form;
  const char* tensor;  // the end of its name; with a dtype and a shape of its own
  const char* dtype;   // null: it is dropped
  std::vector<std::size_t> shape;
  const char* words;  // of the message
};

const Broken kBroken[] = {
    {"ct-int4-group", "weight_scale", nullptr, {}, "weight_scale: got nothing, expected"},
    {"ct-int4-group", "weight_scale", "BF16", {48, 5}, "weight_scale: shape: got [48, 5]"},
    {"ct-int4-group", "weight_scale", "BF16", {47, 3}, "weight_scale: shape: got [47, 3]"},
    {"ct-int4-group", "weight_scale", "BF16", {0}, "weight_scale: shape: got [0]"},
    {"ct-int4-group", "weight_scale", "I32", {48, 3}, "weight_scale: dtype: got I32"},
    {"ct-int4-group", "weight_shape", "I64", {2}, "weight_shape: got another shape, expected"},
    {"ct-int4-group",
     "weight_packed",
     "I32",
     {48, 4},
     "quantised by compressed-tensors, pack-quantized, "},
    {"ct-int4-group",
     "weight_packed",
     "I32",
     {240},
     "quantised by compressed-tensors, pack-quantized, "},
    {"ct-int4-group",
     "weight_packed",
     "F32",
     {48, 5},
     "quantised by compressed-tensors, pack-quantized, "},
    {"ct-f8-tensor", "weight", "F8_E4M3", {36, 48}, "weight: shape: got [36, 48]"},
    {"fp8-block", "weight_scale_inv", "F32", {4, 3}, "weight_scale_inv: shape: got [4, 3]"},
    {"nvfp4-ct", "weight_global_scale", nullptr, {}, "weight_global_scale: got nothing"},
    {"nvfp4-ct",
     "weight_global_scale",
     "F32",
     {2},
     "weight_global_scale: got F32 [2], expected one"},
    {"nvfp4-ct", "weight_scale", "F8_E4M3", {36, 5}, "weight_scale: shape: got [36, 5]"},
    {"nvfp4-modelopt", "weight_scale_2", "I64", {}, "weight_scale_2: got I64 []"},
    {"nvfp4-modelopt", "weight", "U8", {36, 47}, "weight: shape: got [36, 47]"},
    {"mxfp4-ct", "weight_scale", "U8", {36, 2}, "weight_scale: shape: got [36, 2]"},
    {"gemma", "0.self_attn.q_proj.weight", "U8", {48, 36}, "in 2 or 4 bits"},
    {"gemma", "embed_tokens.embedding_scale", nullptr, {}, "embedding_scale: got nothing"},
    {"gemma", "embed_tokens.embedding_scale", "F32", {64, 5}, "embedding_scale: shape"},
};

TEST_F(QuantisedForms, PartsThatDoNotFitAreNamed) {
  for (const Broken& broken : kBroken) {
    SCOPED_TRACE(std::string(broken.form) + " " + broken.tensor + " " + broken.words);
    for (const Json& row : table_.at("forms")) {
      if (row.at("form") != broken.form) {
        continue;
      }
      LoadingForm form = form_of(row);
      for (auto entry = form.tensors().begin(); entry != form.tensors().end(); ++entry) {
        if (!row.at("tensors").contains(entry->first) || !entry->first.ends_with(broken.tensor)) {
          continue;
        }
        if (broken.dtype == nullptr) {
          form.tensors().erase(entry);
        } else {
          const DType dtype = *dtype_from_name(broken.dtype);
          entry->second = {dtype, broken.shape, {}};
          entry->second.bytes.resize(tensor_size(dtype, broken.shape, "").bytes);
        }
        break;
      }
      const auto path = directory_.path() / "broken";
      std::filesystem::remove_all(path);
      form.write(path);
      const std::string message = error_of([&] { Checkpoint::open(path); });
      EXPECT_NE(message.find(broken.words), std::string::npos) << message;
    }
  }
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
