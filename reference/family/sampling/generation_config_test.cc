// SPDX-License-Identifier: Apache-2.0
// Spec: prompting 4.1, 4.2; mutations P16-P18 of its section 6.
#include "reference/family/sampling/generation_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/family/testing/test_directory.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

GenerationConfig read(const std::string& generation, const std::string& model) {
  const TestDirectory directory;
  if (!generation.empty()) {
    directory.write("generation_config.json", generation);
  }
  if (!model.empty()) {
    directory.write("config.json", model);
  }
  return read_generation_config(directory.path());
}

TEST(GenerationConfig, StopsAtWhatAnyFileNames) {
  const auto config = read(R"({"eos_token_id": [1, 106, 50]})",
                           R"({"eos_token_id": [1, 106], "text_config": {"eos_token_id": 1}})");
  EXPECT_THAT(config.stop, ElementsAre(1, 50, 106));
  EXPECT_THAT(read(R"({"eos_token_id": 50})",
                   R"({"eos_token_id": 106, "text_config": {"eos_token_id": [1, 7]}})")
                  .stop,
              ElementsAre(1, 7, 50, 106));
}

TEST(GenerationConfig, OneFileIsEnough) {
  EXPECT_THAT(read(R"({"eos_token_id": [50]})", "").stop, ElementsAre(50));
  EXPECT_THAT(read("", R"({"eos_token_id": [106]})").stop, ElementsAre(106));
  EXPECT_THAT(read("", R"({"text_config": {"eos_token_id": 1}})").stop, ElementsAre(1));
  EXPECT_THAT(read(R"({"eos_token_id": null})", R"({"text_config": {}})").stop, IsEmpty());
}

TEST(GenerationConfig, AbsentFilesAreGreedyAndStopNowhere) {
  const auto config = read("", "");
  EXPECT_EQ(config.sampling.temperature, 0);
  EXPECT_THAT(config.stop, IsEmpty());
  EXPECT_THAT(config.sampling.suppress, IsEmpty());
}

TEST(GenerationConfig, SamplesWhereTheFileSaysSo) {
  const auto config = read(
      R"({"do_sample": true, "temperature": 0.7, "top_k": 20, "top_p": 0.9,
          "suppress_tokens": [258883, 258882]})",
      "");
  EXPECT_EQ(config.sampling.temperature, 0.7);
  EXPECT_EQ(config.sampling.top_k, 20);
  EXPECT_EQ(config.sampling.top_p, 0.9);
  EXPECT_THAT(config.sampling.suppress, ElementsAre(258882, 258883));
}

TEST(GenerationConfig, SamplingHasTheReleasedDefaults) {
  const auto config = read(R"({"do_sample": true})", "");
  EXPECT_EQ(config.sampling.temperature, 1.0);
  EXPECT_EQ(config.sampling.top_k, 64);
  EXPECT_EQ(config.sampling.top_p, 0.95);
}

TEST(GenerationConfig, IsGreedyUnlessAskedToSample) {
  for (const char* text : {R"({"temperature": 0.7})", R"({"do_sample": false, "top_k": 3})"}) {
    EXPECT_EQ(read(text, "").sampling.temperature, 0) << text;
  }
  // Suppression holds for the likeliest token too.
  EXPECT_THAT(read(R"({"suppress_tokens": [3]})", "").sampling.suppress, ElementsAre(3));
}

struct Hostile {
  std::string text;
  std::string expected;
};

TEST(GenerationConfig, HostileValuesAreOneClearError) {
  const std::vector<Hostile> files = {
      {"{", "generation_config.json"},
      {"[]", "generation_config.json"},
      {R"({"eos_token_id": -1})", "eos_token_id"},
      {R"({"eos_token_id": "1"})", "eos_token_id"},
      {R"({"eos_token_id": 1.5})", "eos_token_id"},
      {R"({"eos_token_id": 4294967296})", "eos_token_id"},
      {R"({"eos_token_id": [1, -2]})", "eos_token_id"},
      {R"({"eos_token_id": [1, [2]]})", "eos_token_id"},
      {R"({"eos_token_id": [2147483648]})", "eos_token_id"},
      {R"({"suppress_tokens": [true]})", "suppress_tokens"},
      {R"({"suppress_tokens": {}})", "suppress_tokens"},
      {R"({"do_sample": 1})", "do_sample"},
      {R"({"do_sample": true, "temperature": -0.1})", "temperature"},
      {R"({"do_sample": true, "temperature": "hot"})", "temperature"},
      {R"({"do_sample": true, "temperature": 1e999})", "generation_config.json"},
      {R"({"do_sample": true, "top_k": -3})", "top_k"},
      {R"({"do_sample": true, "top_k": 0.5})", "top_k"},
      {R"({"do_sample": true, "top_p": 0})", "top_p"},
      {R"({"do_sample": true, "top_p": 1.1})", "top_p"},
      {R"({"do_sample": true, "top_p": []})", "top_p"},
  };
  for (const Hostile& file : files) {
    const std::string error = error_of([&] { read(file.text, ""); });
    EXPECT_THAT(error, AllOf(HasSubstr("generation_config.json"), HasSubstr(file.expected)))
        << file.text;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
  EXPECT_THAT(error_of([] { read("", R"({"text_config": 3})"); }), HasSubstr("text_config"));
  EXPECT_THAT(error_of([] { read("", R"({"text_config": {"eos_token_id": [-1]}})"); }),
              HasSubstr("eos_token_id"));
}

TEST(GenerationConfig, AskedValuesAtTheEdgesAreTaken) {
  const auto config = read(R"({"do_sample": true, "temperature": 0, "top_k": 0, "top_p": 1})", "");
  EXPECT_EQ(config.sampling.temperature, 0);
  EXPECT_EQ(config.sampling.top_k, 0);
  EXPECT_EQ(config.sampling.top_p, 1);
}

}  // namespace
}  // namespace assay
