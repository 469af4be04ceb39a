// SPDX-License-Identifier: Apache-2.0
// Checkpoints with encoders: whole, half, absent, and with one tensor that does not fit.
#include "reference/family/checkpoint/encoder_tensors.h"

#include <gtest/gtest.h>

#include <cmath>

#include <cstring>

#include "reference/family/base/json_object.h"
#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Shape = std::vector<std::size_t>;

constexpr const char* kEncoder = "model.vision_tower.encoder.layers.1.";

SynthOptions tiny(const std::string& size) {
  SynthOptions options = tiny_widths();
  options.num_hidden_layers = size == "e2b" ? 5 : 6;
  options.hidden_size_per_layer_input = size == "e2b" ? 4 : 0;
  options.num_experts = 0;
  options.dtype = DType::kF32;
  options.encoders = tiny_encoders(size);
  return options;
}

class EncoderTensors : public testing::Test {
 protected:
  fs::path path(const std::string& size = "e2b") {
    const fs::path made = directory_.path() / size;
    fs::remove_all(made);
    write_synthetic_checkpoint(size, made, tiny(size));
    return made;
  }

  // What opening says after `edit` has changed the tensor `name`; edit returns false to drop it.
  template <class Edit>
  std::string message(const std::string& name, Edit edit) {
    const fs::path made = path();
    rewrite(made, [&](StoredTensor& tensor, std::vector<std::byte>& bytes) {
      return tensor.name != name || edit(tensor, bytes);
    });
    return error_of([&] { Checkpoint::open(made); });
  }

  // The E2B without the tensors whose name begins so.
  Checkpoint without(const std::vector<std::string>& prefixes) {
    const fs::path made = path();
    rewrite(made, [&](const StoredTensor& tensor, auto&) {
      return std::none_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
        return tensor.name.starts_with(prefix);
      });
    });
    return Checkpoint::open(made);
  }

  TestDirectory directory_;
};

TEST_F(EncoderTensors, HalvesByName) {
  EXPECT_EQ(encoder_half("model.vision_tower.std_bias"), EncoderHalf::kVision);
  EXPECT_EQ(encoder_half("model.vision_embedder.pos_embedding"), EncoderHalf::kVision);
  EXPECT_EQ(encoder_half("model.embed_vision.x"), EncoderHalf::kVision);
  EXPECT_EQ(encoder_half("model.audio_tower.x"), EncoderHalf::kAudio);
  EXPECT_EQ(encoder_half("model.embed_audio.x"), EncoderHalf::kAudio);
  EXPECT_EQ(encoder_half("model.language_model.norm.weight"), EncoderHalf::kNone);
  EXPECT_EQ(encoder_half("layers.0.self_attn.q_proj.weight"), EncoderHalf::kNone);
}

TEST_F(EncoderTensors, EverySizeIsReadUnderItsFullNames) {
  const auto e2b = Checkpoint::open(path("e2b"));
  const std::string layer = kEncoder;
  EXPECT_EQ(e2b.shape(layer + "self_attn.q_proj.linear.weight"), (Shape{24, 24}));
  EXPECT_EQ(e2b.shape(layer + "mlp.down_proj.linear.weight"), (Shape{24, 40}));
  EXPECT_EQ(e2b.shape(layer + "mlp.down_proj.input_min"), Shape{});
  EXPECT_EQ(e2b.shape(layer + "self_attn.k_norm.weight"), Shape{12});
  EXPECT_EQ(e2b.shape("model.vision_tower.patch_embedder.position_embedding_table"),
            (Shape{2, 32, 24}));
  EXPECT_EQ(e2b.shape("model.embed_vision.embedding_projection.weight"), (Shape{16, 24}));
  const std::string audio = "model.audio_tower.";
  EXPECT_EQ(e2b.shape(audio + "subsample_conv_projection.layer1.conv.weight"),
            (Shape{32, 128, 3, 3}));
  EXPECT_EQ(e2b.shape(audio + "subsample_conv_projection.input_proj_linear.weight"),
            (Shape{16, 1024}));
  EXPECT_EQ(e2b.shape(audio + "layers.1.feed_forward2.ffw_layer_1.linear.weight"), (Shape{64, 16}));
  EXPECT_EQ(e2b.shape(audio + "layers.1.self_attn.per_dim_scale"), Shape{8});
  EXPECT_EQ(e2b.shape(audio + "layers.0.lconv1d.depthwise_conv1d.weight"), (Shape{16, 1, 5}));
  EXPECT_EQ(e2b.shape(audio + "output_proj.bias"), Shape{12});
  EXPECT_EQ(e2b.shape("model.embed_audio.embedding_projection.weight"), (Shape{16, 12}));

  const auto large = Checkpoint::open(path("31b"));
  EXPECT_EQ(large.shape("model.vision_tower.std_scale"), Shape{24});
  EXPECT_FALSE(large.has(layer + "mlp.down_proj.input_min"));
  EXPECT_FALSE(large.config().audio);

  const auto unified = Checkpoint::open(path("12b"));
  EXPECT_EQ(unified.shape("model.vision_embedder.patch_dense.weight"), (Shape{24, 6912}));
  EXPECT_EQ(unified.shape("model.vision_embedder.pos_embedding"), (Shape{32, 2, 24}));
  EXPECT_EQ(unified.shape("model.embed_audio.embedding_projection.weight"), (Shape{16, 640}));
}

TEST_F(EncoderTensors, ValuesAreTheGenerators) {
  const auto checkpoint = Checkpoint::open(path());
  for (const std::string end : {"input_min", "input_max", "output_min", "output_max"}) {
    float value = 0;
    checkpoint.read(kEncoder + ("mlp.up_proj." + end), 0, 1, &value);
    EXPECT_EQ(end.ends_with("min"), value < 0) << end;
    EXPECT_GT(std::abs(value), 1.5f) << end;
  }
  float scale = 0;
  checkpoint.read("model.audio_tower.layers.0.self_attn.per_dim_scale", 3, 1, &scale);
  EXPECT_TRUE(scale > -5 && scale < -2) << scale;
}

TEST_F(EncoderTensors, AHalfThatIsAbsentAsAWholeIsNotThere) {
  const auto deaf = without({"model.audio_tower.", "model.embed_audio."});
  EXPECT_TRUE(deaf.config().vision);
  EXPECT_FALSE(deaf.config().audio);
  const auto blind = without({"model.vision_tower.", "model.embed_vision."});
  EXPECT_FALSE(blind.config().vision);
  EXPECT_TRUE(blind.config().audio);
  const auto text = without({"model.vision_tower.", "model.embed_", "model.audio_tower."});
  EXPECT_FALSE(text.config().vision || text.config().audio);
  EXPECT_FALSE(text.has("model.embed_vision.embedding_projection.weight"));
}

TEST_F(EncoderTensors, HalfAHalfIsAnError) {
  EXPECT_EQ(error_of([&] { without({"model.vision_tower."}); }),
            "model.safetensors: model.vision_tower.patch_embedder.input_proj.weight: got nothing, "
            "expected a tensor [24, 768]");
  EXPECT_EQ(error_of([&] { without({"model.embed_audio."}); }),
            "model.safetensors: model.embed_audio.embedding_projection.weight: got nothing, "
            "expected a tensor [16, 12]");
  EXPECT_EQ(error_of([&] { without({"model.vision_tower.encoder.layers.1.mlp.up_proj.o"}); }),
            "model.safetensors: model.vision_tower.encoder.layers.1.mlp.up_proj.output_min: got "
            "nothing, expected a tensor []");
}

TEST_F(EncoderTensors, AConfigWithoutEncodersLooksAtNoTensorOfThem) {
  const fs::path made = path();
  Json config = parse_json_file(made / "config.json", "config.json", kMaxConfigBytes);
  config["vision_config"] = nullptr;
  std::ofstream(made / "config.json") << config;
  const auto checkpoint = Checkpoint::open(made);
  EXPECT_FALSE(checkpoint.config().vision);
  EXPECT_TRUE(checkpoint.config().audio);
  EXPECT_FALSE(checkpoint.has("model.embed_vision.embedding_projection.weight"));
}

TEST_F(EncoderTensors, TensorsThatDoNotFitAreNamed) {
  const std::string weight = "model.audio_tower.layers.0.lconv1d.depthwise_conv1d.weight";
  EXPECT_EQ(message(weight,
                    [](StoredTensor& tensor, auto&) {
                      tensor.shape = {16, 5};
                      return true;
                    }),
            "model.safetensors: " + weight + ": shape: got [16, 5], expected [16, 1, 5]");
  EXPECT_EQ(
      message(weight,
              [](StoredTensor& tensor, auto&) {
                tensor.dtype = *dtype_from_name("I32");
                return true;
              }),
      "model.safetensors: " + weight + ": dtype: got I32, expected one of " +
          dtype_names([](const DTypeInfo& row) { return row.floating && row.in_safetensors; }));
  EXPECT_EQ(message("model.vision_tower.patch_embedder.input_proj.weight",
                    [](StoredTensor& tensor, auto&) {
                      tensor.name = "model.vision_tower.patch_embedder.proj.weight";
                      return true;
                    }),
            "model.safetensors: model.vision_tower.patch_embedder.input_proj.weight: got nothing, "
            "expected a tensor [24, 768]");
}

TEST_F(EncoderTensors, TensorsBeyondTheConfigAreNamed) {
  const fs::path made = path();
  Json config = parse_json_file(made / "config.json", "config.json", kMaxConfigBytes);
  config["vision_config"]["use_clipped_linears"] = false;
  std::ofstream(made / "config.json") << config;
  EXPECT_EQ(error_of([&] { Checkpoint::open(made); }),
            "model.safetensors: model.vision_tower.encoder.layers.0.mlp.down_proj.input_max: got a "
            "tensor that is not known, expected those of gemma4");
  const fs::path large = path("31b");
  config = parse_json_file(large / "config.json", "config.json", kMaxConfigBytes);
  config["vision_config"]["standardize"] = false;
  std::ofstream(large / "config.json") << config;
  EXPECT_EQ(error_of([&] { Checkpoint::open(large); }),
            "model.safetensors: model.vision_tower.std_bias: got a tensor that is not known, "
            "expected those of gemma4");
}

// A number, or a list of one number.
TEST_F(EncoderTensors, BoundsMayHaveRankOne) {
  const fs::path made = path();
  rewrite(made, [](StoredTensor& tensor, auto&) {
    if (tensor.name.ends_with("put_max")) {
      tensor.shape = {1};
    }
    return true;
  });
  const auto checkpoint = Checkpoint::open(made);
  double value = 0;
  checkpoint.read(std::string(kEncoder) + "mlp.up_proj.input_max", 0, 1, &value);
  EXPECT_GT(value, 0);
  EXPECT_EQ(message("model.audio_tower.layers.0.lconv1d.linear_end.input_max",
                    [](StoredTensor& tensor, std::vector<std::byte>& bytes) {
                      tensor.shape = {1, 1};
                      return !bytes.empty();
                    }),
            "model.safetensors: model.audio_tower.layers.0.lconv1d.linear_end.input_max: shape: "
            "got [1, 1], expected []");
}

TEST_F(EncoderTensors, BoundsAreNumbersInOrder) {
  const std::string name = std::string(kEncoder) + "self_attn.o_proj.output_max";
  const auto read_with = [&](float bound) {
    const fs::path made = path();
    rewrite(made, [&](const StoredTensor& tensor, std::vector<std::byte>& bytes) {
      if (tensor.name == name) {
        std::memcpy(bytes.data(), &bound, sizeof(bound));
      }
      return true;
    });
    const auto checkpoint = Checkpoint::open(made);
    double value = 0;
    return error_of([&] { checkpoint.read(name, 0, 1, &value); }) + "; " + error_of([&] {
             checkpoint.read(std::string(kEncoder) + "self_attn.o_proj.output_min", 0, 1, &value);
           });
  };
  EXPECT_EQ(read_with(0.5f), "no error; no error");
  const std::string where = "model.safetensors: " + name + ": ";
  EXPECT_TRUE(read_with(NAN).starts_with(where + "element 0: got nan, expected a finite number; "));
  EXPECT_EQ(read_with(INFINITY), "no error; no error");  // never calibrated: lets all through
  EXPECT_TRUE(
      read_with(-INFINITY).starts_with(where + "element 0: got -inf, expected a finite number; "));
  const std::string crossed = read_with(-3.0f);
  EXPECT_TRUE(crossed.starts_with(where + "got -3.000000, expected at least -0.")) << crossed;
  EXPECT_NE(crossed.find("output_min: got -0."), std::string::npos) << crossed;
  EXPECT_NE(crossed.find("expected at most -3.000000, the value of " + name), std::string::npos);
}

}  // namespace
}  // namespace assay
