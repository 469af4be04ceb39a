// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "reference/family/base/json_object.h"
#include "reference/family/checkpoint/encoder_tensors.h"
#include "reference/family/checkpoint/tensor_table.h"
#include "reference/family/convert/convert.h"
#include "reference/family/sampling/generation_config.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_config.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/tokenizer/load_tokenizer.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;

const std::string kCheckpoints = source_dir() + "/golden/checkpoints/";

DType q8_0() {
  return *dtype_from_ggml(8);
}

bool has_encoders(const ModelConfig& config) {
  return config.vision || config.audio || config.unified_vision || config.unified_audio;
}

// A checkpoint, its GGUF form, and that form as a directory again.
struct RoundTrip {
  RoundTrip(const std::string& name, std::optional<DType> there, std::optional<DType> back)
      : source(kCheckpoints + name) {
    const auto checkpoint = Checkpoint::open(source);
    const bool encoders = has_encoders(checkpoint.config());
    const auto model = temporary.path() / "model.gguf";
    const auto projector = temporary.path() / "encoders.gguf";
    ConvertOptions options;
    options.type = there;
    options.projector = encoders ? projector : fs::path();
    convert_to_gguf(checkpoint, read_companions(source), model, options);
    gguf = encoders ? model.string() + "," + projector.string() : model.string();
    options.type = back;
    directory = temporary.path() / "directory";
    convert_to_directory(Checkpoint::open(gguf), read_companions(gguf), directory, options);
  }

  TestDirectory temporary;
  fs::path source;
  fs::path gguf;
  fs::path directory;
};

std::vector<double> values_of(const Checkpoint& checkpoint, const std::string& name) {
  std::size_t count = 1;
  for (const std::size_t extent : checkpoint.shape(name)) {
    count *= extent;
  }
  std::vector<double> values(count);
  checkpoint.read(name, 0, count, values.data());
  return values;
}

// softplus and its inverse are rounded to fp32 on the way.
void expect_close(const std::vector<double>& a, const std::vector<double>& b,
                  const std::string& what) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i], b[i], 1e-6 * (1 + std::abs(a[i]))) << what;
  }
}

void expect_same_weights(const Checkpoint& a, const Checkpoint& b, const std::string& what) {
  std::size_t count = 0;
  for (const ExpectedTensor& expected : expected_tensors(b.config())) {
    if (expected.use == TensorUse::kIgnored) {
      continue;
    }
    const auto from = values_of(a, expected.name);
    const auto to = values_of(b, expected.name);
    if (expected.name.ends_with(".per_dim_scale")) {
      expect_close(from, to, what + expected.name);
    } else {
      EXPECT_EQ(from, to) << what << expected.name;
    }
    ++count;
  }
  EXPECT_GT(count, 20U);
}

// What GGUF has no key for: budgets, the ids of media tokens, whether a model without encoders is
// one that has them, the centroids that are left out.
ModelConfig without_what_gguf_lacks(ModelConfig config) {
  config.processor = {};
  config.text.special = {};
  config.text.vision_blocks = false;
  config.model_type.clear();
  config.weight_prefix.clear();
  // The file has the pairs that rotate, not the share that gave their number.
  double& factor = config.text.rope_full.partial_rotary_factor;
  factor = std::floor(factor * static_cast<double>(config.text.layers.back().head_dim) / 2);
  if (config.drafter) {
    config.drafter->use_ordered_embeddings = false;
    config.drafter->num_centroids = 0;
    config.drafter->centroid_intermediate_top_k = 0;
  }
  return config;
}

TEST(ConvertToDirectory, EveryCommittedCheckpointComesBackFromGguf) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(kCheckpoints)) {
    const std::string name = entry.path().filename().string();
    if (!fs::exists(entry.path() / "model.safetensors")) {
      continue;
    }
    const RoundTrip trip(name, DType::kF32, std::nullopt);
    const auto before = Checkpoint::open(trip.source);
    const auto after = Checkpoint::open(trip.directory);
    expect_same_weights(before, after, name + ": ");
    EXPECT_TRUE(
        same(without_what_gguf_lacks(before.config()), without_what_gguf_lacks(after.config())))
        << name;
    ++count;
  }
  EXPECT_GT(count, 15U);
}

TEST(ConvertToDirectory, TokenizerTemplateAndSamplingComeBack) {
  const RoundTrip trip("e2b-chat-tiny", DType::kBf16, std::nullopt);
  const Vocabulary before = read_checkpoint_tokenizer(trip.source);
  const Vocabulary after = read_checkpoint_tokenizer(trip.directory);
  EXPECT_EQ(before.tokens, after.tokens);
  EXPECT_EQ(before.merges, after.merges);
  ASSERT_EQ(before.added.size(), after.added.size());
  const GenerationConfig config = read_generation_config(trip.directory);
  const GenerationConfig expected = read_generation_config(trip.source);
  EXPECT_EQ(config.sampling.top_k, expected.sampling.top_k);
  EXPECT_EQ(config.sampling.top_p, expected.sampling.top_p);
  EXPECT_EQ(config.sampling.temperature, expected.sampling.temperature);
  EXPECT_THAT(config.stop, ElementsAre(1, 9, 16));  // <eos>, <|tool_response>, <turn|>
}

TEST(ConvertToDirectory, AChatTemplateIsAFileOfItsOwn) {
  const TestDirectory directory;
  Companions companions;
  companions.chat_template = "{{ bos_token }}\n";
  ConvertOptions options;
  const auto gguf = directory.path() / "x.gguf";
  convert_to_gguf(Checkpoint::open(kCheckpoints + "e2b-tiny"), companions, gguf, options);
  const Companions found = read_companions(gguf);
  EXPECT_EQ(found.chat_template, companions.chat_template);
  EXPECT_FALSE(found.vocabulary);
  const auto out = directory.path() / "out";
  convert_to_directory(Checkpoint::open(gguf), found, out, options);
  std::ifstream file(out / "chat_template.jinja");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), companions.chat_template);
}

// What was quantised is F32, which holds its values; what was not stays as it is.
TEST(ConvertToDirectory, TypesAreKeptWhereADirectoryHasThem) {
  const RoundTrip trip("26b-tiny", q8_0(), std::nullopt);
  const auto gguf = Checkpoint::open(trip.gguf);
  const auto directory = Checkpoint::open(trip.directory);
  EXPECT_EQ(gguf.stored("embed_tokens.weight")->dtype, q8_0());
  EXPECT_EQ(directory.stored("embed_tokens.weight")->dtype, DType::kF32);
  EXPECT_EQ(directory.stored("layers.0.mlp.down_proj.weight")->dtype, DType::kF16);  // rows of 44
  expect_same_weights(gguf, directory, "");
}

// transformers rounds all weights to it.
TEST(ConvertToDirectory, TheTypeInTheConfigHoldsEveryMatrix) {
  const auto dtype = [](const RoundTrip& trip) {
    return parse_json_file(trip.directory / "config.json", "config.json", 1 << 20)
        .at("dtype")
        .get<std::string>();
  };
  EXPECT_EQ(dtype(RoundTrip("26b-tiny", DType::kBf16, std::nullopt)), "bfloat16");
  EXPECT_EQ(dtype(RoundTrip("26b-tiny", q8_0(), std::nullopt)), "float32");
  EXPECT_EQ(dtype(RoundTrip("31b-tiny", q8_0(), DType::kF16)), "float16");
}

TEST(ConvertToDirectory, OneTypeForAll) {
  const RoundTrip trip("26b-tiny", q8_0(), DType::kBf16);
  const auto directory = Checkpoint::open(trip.directory);
  EXPECT_EQ(directory.stored("norm.weight")->dtype, DType::kBf16);
  EXPECT_EQ(error_of([&] { RoundTrip("26b-tiny", DType::kF32, q8_0()); }),
            "type: got Q8_0, expected one of F32, F16, BF16 for a directory");
}

TEST(ConvertToDirectory, NothingIsOverwrittenAndNothingIsLeft) {
  const TestDirectory directory;
  fs::create_directory(directory.path() / "out");
  directory.write("out/mine", "");
  const auto checkpoint = Checkpoint::open(kCheckpoints + "e2b-tiny");
  EXPECT_EQ(error_of([&] { convert_to_directory(checkpoint, {}, directory.path() / "out", {}); }),
            (directory.path() / "out").string() +
                ": got something that is there, expected an empty directory or none");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

}  // namespace
}  // namespace assay
