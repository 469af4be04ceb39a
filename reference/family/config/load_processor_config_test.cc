// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/load_processor_config.h"

#include <gtest/gtest.h>

#include "reference/family/base/json_object.h"
#include "reference/family/config/load_config.h"
#include "reference/family/synth/synth_config.h"
#include "reference/family/synth/synth_encoders.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_json.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

class ProcessorFiles : public testing::Test {
 protected:
  void use(const std::string& size, bool encoders = true) {
    SynthOptions options = tiny_widths();
    options.num_hidden_layers = 6;
    if (encoders) {
      options.encoders = tiny_encoders(size);
    }
    directory_.write("config.json", synthetic_config(size, options));
  }

  ProcessorConfig load() const { return load_config(directory_.path()).processor; }

  void write(const char* name, const Json& value) const {
    directory_.write(name, json_text(value));
  }

  std::string message(const std::string& size, const char* pointer, const Json& value) {
    use(size);
    Json document = parse_json(synthetic_processor_config(size, {}), "test");
    part_at(document, pointer) = value;
    write("processor_config.json", document);
    return error_of([&] { load(); });
  }

  TestDirectory directory_;
};

TEST_F(ProcessorFiles, ReleasedValuesStandWithoutAFile) {
  use("e2b");
  EXPECT_EQ(load().image_max_soft_tokens, 280u);
  EXPECT_EQ(load().video_max_soft_tokens, 70u);
  EXPECT_EQ(load().num_frames, 32u);
}

TEST_F(ProcessorFiles, TheReleasedFileIsRead) {
  for (const char* size : {"e2b", "12b", "31b"}) {
    use(size);
    SynthEncoders encoders;
    encoders.image_soft_tokens = 1120;
    directory_.write("processor_config.json", synthetic_processor_config(size, encoders));
    EXPECT_EQ(load().image_max_soft_tokens, 1120u);
    EXPECT_EQ(load().video_max_soft_tokens, 70u);
  }
}

TEST_F(ProcessorFiles, TheNestedFileComesBeforeTheFlatOnes) {
  use("e2b");
  write("preprocessor_config.json", Json::Object{{"max_soft_tokens", 560}});
  write("video_preprocessor_config.json",
        Json::Object{{"max_soft_tokens", 140}, {"num_frames", 5}});
  EXPECT_EQ(load().image_max_soft_tokens, 560u);
  EXPECT_EQ(load().video_max_soft_tokens, 140u);
  EXPECT_EQ(load().num_frames, 5u);
  write("processor_config.json",
        Json::Object{{"image_processor", Json::Object{{"max_soft_tokens", 70}}}});
  EXPECT_EQ(load().image_max_soft_tokens, 70u);
  EXPECT_EQ(load().num_frames, 5u);
  write("processor_config.json",
        Json::Object{{"video_processor", Json::Object{{"num_frames", 6}}}});
  EXPECT_EQ(load().image_max_soft_tokens, 560u);
  EXPECT_EQ(load().num_frames, 6u);
}

// transformers gives both processors the same file name.
TEST_F(ProcessorFiles, AFlatFileMayBeTheFeatureExtractors) {
  use("e2b");
  Json file =
      Json::Object{{"feature_extractor_type", "Gemma4AudioFeatureExtractor"}, {"hop_length", 160}};
  write("preprocessor_config.json", file);
  EXPECT_EQ(load().image_max_soft_tokens, 280u);
  file["hop_length"] = 80;
  write("preprocessor_config.json", file);
  EXPECT_EQ(error_of([&] { load(); }),
            "preprocessor_config.json: hop_length: got 80, expected 160.0");
  write("processor_config.json", Json::Object{{"feature_extractor", Json::Object{}}});
  EXPECT_EQ(error_of([&] { load(); }), "no error");
}

TEST_F(ProcessorFiles, TheBudgetOfThe12bsConfigComesLast) {
  use("12b");
  Json config = parse_json_file(directory_.path() / "config.json", "config.json", kMaxConfigBytes);
  config["vision_config"]["num_soft_tokens"] = 560;
  write("config.json", config);
  EXPECT_EQ(load().image_max_soft_tokens, 560u);
  write("processor_config.json",
        Json::Object{{"image_processor", Json::Object{{"max_soft_tokens", 140}}}});
  EXPECT_EQ(load().image_max_soft_tokens, 140u);
}

TEST_F(ProcessorFiles, ATextModelDoesNotReadThem) {
  use("e2b", false);
  directory_.write("processor_config.json", "no json");
  EXPECT_EQ(load().image_max_soft_tokens, 280u);
}

TEST_F(ProcessorFiles, WhatCannotBeComputedIsRefused) {
  const std::string label = "processor_config.json: ";
  const auto image = [&](const char* key, const Json& value) {
    return message("e2b", (std::string("/image_processor/") + key).c_str(), value);
  };
  EXPECT_EQ(image("max_soft_tokens", 100),
            label +
                "image_processor.max_soft_tokens: got 100, expected 70, 140, 280, 560 or 1120 "
                "soft tokens");
  EXPECT_EQ(image("max_soft_tokens", "280"),
            label + "image_processor.max_soft_tokens: got \"280\", expected a positive integer");
  EXPECT_EQ(image("do_resize", false),
            label + "image_processor.do_resize: got false, expected true");
  EXPECT_EQ(image("do_rescale", false),
            label + "image_processor.do_rescale: got false, expected true");
  EXPECT_EQ(image("resample", 2), label + "image_processor.resample: got 2, expected 3");
  EXPECT_EQ(image("rescale_factor", 0.01),
            label +
                "image_processor.rescale_factor: got 0.01, expected a number between "
                "0.00392156 and 0.00392158");
  EXPECT_EQ(image("patch_size", 14), label + "image_processor.patch_size: got 14, expected 16");
  EXPECT_EQ(image("pooling_kernel_size", 2),
            label + "image_processor.pooling_kernel_size: got 2, expected 3");
  EXPECT_EQ(message("e2b", "/image_processor", 3),
            label + "image_processor: got 3, expected an object");
}

TEST_F(ProcessorFiles, WhatCannotBeComputedOfVideoAndAudioIsRefused) {
  const std::string label = "processor_config.json: ";
  EXPECT_EQ(message("31b", "/video_processor/image_mean", Json::Array{0.5, 0.5, 0.5}),
            label + "video_processor.image_mean: got an array of 3 values, expected [0.0,0.0,0.0]");
  EXPECT_EQ(message("31b", "/video_processor/fps", 2.0),
            label + "video_processor.fps: got 2.0, expected null");
  EXPECT_EQ(message("31b", "/video_processor/num_frames", 0),
            label + "video_processor.num_frames: got 0, expected a positive integer");
  EXPECT_EQ(message("31b", "/video_processor/max_soft_tokens", 71),
            label +
                "video_processor.max_soft_tokens: got 71, expected 70, 140, 280, 560 or 1120 "
                "soft tokens");
  EXPECT_EQ(message("e4b", "/feature_extractor/sampling_rate", 8000),
            label + "feature_extractor.sampling_rate: got 8000, expected 16000");
  EXPECT_EQ(message("e4b", "/feature_extractor/padding_side", "left"),
            label + "feature_extractor.padding_side: got \"left\", expected \"right\"");
  EXPECT_EQ(message("e4b", "/feature_extractor/mel_floor", 1e-5),
            label + "feature_extractor.mel_floor: got 1e-05, expected 0.001");
  EXPECT_EQ(message("e4b", "/feature_extractor/per_bin_mean", Json::Array{1.0}),
            label + "feature_extractor.per_bin_mean: got an array of 1 values, expected null");
  EXPECT_EQ(message("12b", "/feature_extractor/audio_samples_per_token", 320),
            label + "feature_extractor.audio_samples_per_token: got 320, expected 640");
}

}  // namespace
}  // namespace assay
