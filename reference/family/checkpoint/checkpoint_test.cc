// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>

#include "reference/family/base/json.h"
#include "reference/family/synth/synth.h"
#include "reference/family/synth/weight_generator.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

SynthOptions tiny(const std::string& size) {
  SynthOptions options = tiny_widths();
  options.hidden_size_per_layer_input = size == "e2b" ? 4 : 0;
  options.num_hidden_layers = size == "e2b" ? 10 : size.ends_with("-drafter") ? 4 : 6;
  options.num_experts = size == "26b" ? 8 : 0;
  options.top_k_experts = 2;
  options.moe_intermediate_size = 6;
  options.num_centroids = size == "e2b-drafter" ? 10 : 0;
  options.centroid_intermediate_top_k = 3;
  options.backbone_hidden_size = 16;
  return options;
}

fs::path synthesize(const TestDirectory& directory, const std::string& size,
                    const SynthOptions& options) {
  fs::path path = directory.path() / size;
  write_synthetic_checkpoint(size, path, options);
  return path;
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(Checkpoint, ReadsEverySizeAndForm) {
  const TestDirectory directory;
  for (const std::string& size : synthetic_sizes()) {
    for (const bool text_only : {false, true}) {
      SynthOptions options = tiny(size);
      options.form = text_only ? SynthForm::kTextOnly : SynthForm::kMultimodal;
      const auto path = synthesize(directory, size, options);
      const auto checkpoint = Checkpoint::open(path);
      EXPECT_EQ(checkpoint.path(), path);
      EXPECT_TRUE(checkpoint.has("embed_tokens.weight")) << size;
      EXPECT_EQ(checkpoint.shape("norm.weight"), std::vector<std::size_t>{16});
      fs::remove_all(path);
    }
  }
}

TEST(Checkpoint, ValuesAreTheGeneratorsInEveryDType) {
  const TestDirectory directory;
  const std::string name = "layers.1.mlp.down_proj.weight";
  for (const auto& [dtype, tolerance] :
       {std::pair{DType::kF32, 0.0}, std::pair{DType::kBf16, 0x1p-8},
        std::pair{DType::kF16, 0x1p-11}}) {
    SynthOptions options = tiny("31b");
    options.dtype = dtype;
    const auto path = synthesize(directory, "31b", options);
    const auto checkpoint = Checkpoint::open(path);
    const auto shape = checkpoint.shape(name);
    std::vector<float> expected(shape[0] * shape[1]);
    generate_weights("model." + name, weight_range(name, shape), 0, expected.size(),
                     expected.data());
    std::vector<float> values(expected.size());
    std::vector<double> wide(expected.size() - 5);
    checkpoint.read(name, 0, values.size(), values.data());
    checkpoint.release(name);
    checkpoint.read(name, 5, wide.size(), wide.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(values[i], expected[i], tolerance * std::abs(expected[i]));
      ASSERT_TRUE(i < 5 || wide[i - 5] == values[i]);
    }
    fs::remove_all(path);
  }
}

TEST(Checkpoint, DrafterNamesAndOrdering) {
  const TestDirectory directory;
  const auto checkpoint =
      Checkpoint::open(synthesize(directory, "e2b-drafter", tiny("e2b-drafter")));
  EXPECT_EQ(checkpoint.shape("pre_projection.weight"), (std::vector<std::size_t>{16, 32}));
  EXPECT_TRUE(checkpoint.has("layers.3.self_attn.q_norm.weight"));
  EXPECT_FALSE(checkpoint.has("layers.3.self_attn.k_norm.weight"));
  const auto ordering = checkpoint.read_integers("masked_embedding.token_ordering");
  ASSERT_EQ(ordering.size(), 40u);
  EXPECT_EQ(ordering[1], 10);
  EXPECT_EQ(error_of([&] { checkpoint.read_integers("norm.weight"); }),
            "model.safetensors: model.norm.weight: dtype: got BF16, expected I64 or I32");
}

// with and without the keys and values that nobody reads.
TEST(Checkpoint, SharedKeysAndValuesAreOptionalAndNeverRead) {
  const TestDirectory directory;
  SynthOptions options = tiny("e2b");
  const auto with = synthesize(directory, "e2b", options);
  const auto full = Checkpoint::open(with);
  EXPECT_TRUE(full.has("layers.4.self_attn.k_proj.weight"));
  EXPECT_FALSE(full.has("layers.5.self_attn.k_proj.weight"));
  float value = 0;
  EXPECT_EQ(error_of([&] { full.read("layers.5.self_attn.k_proj.weight", 0, 1, &value); }),
            with.string() +
                ": layers.5.self_attn.k_proj.weight: got nothing, expected a tensor "
                "of the model");
  options.store_shared_kv = false;
  write_synthetic_checkpoint("e2b", directory.path() / "without", options);
  const auto lean = Checkpoint::open(directory.path() / "without");
  EXPECT_EQ(full.tensors().size() - lean.tensors().size(), 15u);
  rewrite(with, [](const StoredTensor& tensor, auto&) {
    return !tensor.name.ends_with("layers.7.self_attn.v_proj.weight");
  });
  Checkpoint::open(with);  // one of them missing is no error either
}

TEST(Checkpoint, EncoderTensorsAreAllowedOnlyBesideATextModel) {
  const TestDirectory directory;
  const auto path = synthesize(directory, "31b", tiny("31b"));
  const auto rename_to = [&](const char* name) {
    return [name](StoredTensor& tensor, std::vector<std::byte>&) {
      if (tensor.name.find("zzz") != std::string::npos || tensor.name.starts_with("model.v")) {
        tensor.name = name;
      }
      return true;
    };
  };
  {
    const auto file = Container::open(path / "model.safetensors");
    auto tensors = file.tensors();
    tensors.push_back({"zzz", *dtype_from_name("U8"), {0}});
    SafetensorsWriter writer(path / "more", tensors);
    for (const StoredTensor& tensor : file.tensors()) {
      writer.append(file.bytes(tensor));
    }
    writer.finish();
  }
  fs::rename(path / "more", path / "model.safetensors");
  EXPECT_EQ(error_of([&] { Checkpoint::open(path); }),
            "model.safetensors: zzz: got a tensor that is not known, expected those of gemma4");
  rewrite(path, rename_to("model.vision_tower.patch_embedder.weight"));
  EXPECT_EQ(Checkpoint::open(path).tensors().front().name,
            "model.language_model.embed_tokens.weight");
  EXPECT_FALSE(Checkpoint::open(path).has("model.vision_tower.patch_embedder.weight"));
}

TEST(Checkpoint, TensorsThatDoNotFitTheConfigAreNamed) {
  const TestDirectory directory;
  const std::string name = "model.language_model.layers.2.mlp.up_proj.weight";
  const auto message = [&](auto edit) {
    fs::remove_all(directory.path() / "31b");
    const auto path = synthesize(directory, "31b", tiny("31b"));
    rewrite(path, [&](StoredTensor& tensor, std::vector<std::byte>& bytes) {
      return tensor.name != name || edit(tensor, bytes);
    });
    return error_of([&] { Checkpoint::open(path); });
  };
  EXPECT_EQ(message([](auto&, auto&) { return false; }),
            "model.safetensors: " + name + ": got nothing, expected a tensor [24, 16]");
  EXPECT_EQ(message([](StoredTensor& tensor, auto&) {
              tensor.shape = {16, 24};
              return true;
            }),
            "model.safetensors: " + name + ": shape: got [16, 24], expected [24, 16]");
  EXPECT_EQ(message([](StoredTensor& tensor, auto&) {
              tensor.shape = {24 * 16};
              return true;
            }),
            "model.safetensors: " + name + ": shape: got [384], expected [24, 16]");
  EXPECT_EQ(
      message([](StoredTensor& tensor, auto&) {
        tensor.dtype = *dtype_from_name("I16");
        return true;
      }),
      "model.safetensors: " + name + ": dtype: got I16, expected one of " +
          dtype_names([](const DTypeInfo& row) { return row.floating && row.in_safetensors; }));
  EXPECT_EQ(message([](StoredTensor& tensor, auto&) {
              tensor.name = "model.language_model.lm_head.weight";
              return true;
            }),
            "model.safetensors: " + name + ": got nothing, expected a tensor [24, 16]");
}

TEST(Checkpoint, NanAndInfinityAreNamedWhenRead) {
  const TestDirectory directory;
  const auto path = synthesize(directory, "31b", tiny("31b"));
  rewrite(path, [](StoredTensor& tensor, std::vector<std::byte>& bytes) {
    const std::uint16_t bad = tensor.name.ends_with("norm.weight") ? 0x7FC0 : 0xFF80;
    std::memcpy(bytes.data() + (bytes.size() - 2), &bad, 2);
    return true;
  });
  const auto checkpoint = Checkpoint::open(path);
  std::vector<double> values(40 * 16);
  EXPECT_EQ(error_of([&] { checkpoint.read("norm.weight", 0, 16, values.data()); }),
            "model.safetensors: model.language_model.norm.weight: element 15: got nan, expected a "
            "finite number");
  EXPECT_EQ(error_of([&] { checkpoint.read("embed_tokens.weight", 600, 40, values.data()); }),
            "model.safetensors: model.language_model.embed_tokens.weight: element 639: got -inf, "
            "expected a finite number");
  checkpoint.read("embed_tokens.weight", 0, 639, values.data());
  EXPECT_EQ(error_of([&] { checkpoint.read("norm.weight", 10, 7, values.data()); }),
            "model.safetensors: model.language_model.norm.weight: got a read of 7 elements from "
            "element 10, expected a range within its 16");
}

class ShardedCheckpoint : public testing::Test {
 protected:
  void SetUp() override {
    SynthOptions options = tiny("31b");
    options.shard_bytes = 4096;
    synthesize(directory_, "31b", options);
    index_ = parse_json(read_text(path() / kIndex), "test");
  }

  fs::path path() const { return directory_.path() / "31b"; }

  std::string message(const Json& index) const {
    write_text(path() / kIndex, json_text(index));
    return error_of([&] { Checkpoint::open(path()); });
  }

  // The index with one tensor's file replaced.
  Json moved(const std::string& file) const {
    Json index = index_;
    index["weight_map"][kName] = file;
    return index;
  }

  static constexpr const char* kIndex = "model.safetensors.index.json";
  static constexpr const char* kName = "model.language_model.norm.weight";
  TestDirectory directory_;
  Json index_;
};

TEST_F(ShardedCheckpoint, ReadsAcrossFiles) {
  const auto checkpoint = Checkpoint::open(path());
  EXPECT_GT(checkpoint.tensors().back().file, checkpoint.tensors().front().file);
  EXPECT_TRUE(checkpoint.has("norm.weight"));
}

TEST_F(ShardedCheckpoint, PathsThatLeaveTheDirectoryAreRefused) {
  for (const std::string file : {"../x.safetensors", "/etc/passwd", "a/b", "..", ".", ""}) {
    EXPECT_EQ(message(moved(file)),
              file + ": got a path, expected the plain name of a file of the checkpoint");
  }
  EXPECT_EQ(message(moved(std::string("a\0b", 3))),
            "a?b: got a path, expected the plain name of a file of the checkpoint");
  write_text(directory_.path() / "outside", "");
  fs::create_symlink(directory_.path() / "outside", path() / "link");
  EXPECT_EQ(message(moved("link")),
            "link: got a link that leaves the directory, expected a file in it");
  fs::create_symlink("loop", path() / "loop");
  EXPECT_EQ(message(moved("loop")),
            "loop: got \"Too many levels of symbolic links\", expected a readable file");
}

TEST_F(ShardedCheckpoint, TheHubCacheLayoutIsFollowed) {
  const fs::path snapshot = directory_.path() / "snapshots" / "0123";
  fs::create_directories(directory_.path() / "snapshots");
  fs::create_directories(directory_.path() / "blobs");
  fs::rename(path(), snapshot);
  for (const auto& entry : fs::directory_iterator(snapshot)) {
    const auto name = entry.path().filename();
    fs::rename(entry.path(), directory_.path() / "blobs" / name);
    fs::create_symlink(fs::path("../../blobs") / name, entry.path());
  }
  EXPECT_TRUE(Checkpoint::open(snapshot).has("norm.weight"));
}

TEST_F(ShardedCheckpoint, FilesOfTheIndexMustBeThere) {
  EXPECT_EQ(message(moved("none.safetensors")),
            "none.safetensors: got \"No such file or directory\", expected a readable file");
}

// transformers reads every file that the index names, whole.
TEST_F(ShardedCheckpoint, AnIndexThatIsWrongAboutPlacesIsNoted) {
  const auto note = [this](const Json& index) {
    EXPECT_EQ(message(index), "no error");
    const auto notes = Checkpoint::open(path()).notes();
    return notes.empty() ? std::string() : notes.front();
  };
  const std::string first = index_["weight_map"].object().front().second.string();
  const std::string last = index_["weight_map"][kName].string();
  ASSERT_NE(first, last);
  const std::string label = std::string(kIndex) + ": ";
  EXPECT_EQ(note(index_), "");
  EXPECT_EQ(note(moved(first)), label + kName + ": got " + first + ", expected a file that has it");
  Json index = index_;
  index["weight_map"].erase(kName);
  EXPECT_EQ(note(index), label + "got no entry, expected one for " + kName + " of " + last);
}

TEST_F(ShardedCheckpoint, ATensorInTwoFilesIsOneWhereBothAreEqual) {
  const std::string last = index_["weight_map"][kName].string();
  fs::copy(path() / last, path() / "zz.safetensors");
  Json index = index_;
  index["weight_map"]["model.language_model.another.weight"] = "zz.safetensors";
  EXPECT_EQ(message(index), "no error");
  const auto size = fs::file_size(path() / "zz.safetensors");
  std::fstream file(path() / "zz.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size - 1));
  file.put(1);
  file.close();
  const std::string differs = message(index);
  EXPECT_NE(differs.find("zz.safetensors: "), std::string::npos) << differs;
  EXPECT_NE(differs.find(": got other values than " + last), std::string::npos) << differs;
}

TEST_F(ShardedCheckpoint, TheConfigMayNameTheFile) {
  Json config = parse_json(read_text(path() / "config.json"), "test");
  config["transformers_weights"] = "other.index.json";
  write_text(path() / "config.json", json_text(config));
  fs::rename(path() / kIndex, path() / "other.index.json");
  EXPECT_TRUE(Checkpoint::open(path()).has("norm.weight"));
  config["transformers_weights"] = "../other.safetensors";
  write_text(path() / "config.json", json_text(config));
  EXPECT_EQ(
      error_of([&] { Checkpoint::open(path()); }),
      "../other.safetensors: got a path, expected the plain name of a file of the checkpoint");
}

TEST_F(ShardedCheckpoint, MalformedIndexesAreNamed) {
  const std::string label = std::string(kIndex) + ": ";
  EXPECT_EQ(message(Json::Array{}), label + "got an array of 0 values, expected an object");
  EXPECT_EQ(message(Json::Object{}), label + "weight_map: got nothing, expected an object");
  EXPECT_EQ(message(Json::Object{{"weight_map", Json::Object{}}}),
            label + "weight_map: got an empty object, expected tensors");
  EXPECT_EQ(message(Json::Object{{"weight_map", Json::Object{{"a", 3}}}}),
            label + "weight_map.a: got 3, expected a string");
  fs::resize_file(path() / kIndex, std::uintmax_t{1} << 36);
  EXPECT_EQ(error_of([&] { Checkpoint::open(path()); }),
            label + "got 68719476736 bytes, expected at most 16777216");
}

// transformers' own default is to round such weights to the config's type.
TEST(Checkpoint, ATypeThatIsNarrowerThanTheWeightsIsNoted) {
  const TestDirectory directory;
  SynthOptions options = tiny("31b");
  options.dtype = DType::kF32;
  const auto path = synthesize(directory, "31b", options);
  EXPECT_TRUE(Checkpoint::open(path).notes().empty());
  Json config = parse_json(read_text(path / "config.json"), "test");
  config["dtype"] = "bfloat16";
  write_text(path / "config.json", json_text(config));
  EXPECT_EQ(Checkpoint::open(path).notes(),
            std::vector<std::string>{
                "config.json: dtype: got bfloat16, expected a type that holds the F32 of "
                "model.language_model.embed_tokens.weight: it is taken as stored"});
}

TEST(Checkpoint, WeightsInAnotherFormAreNamed) {
  const TestDirectory directory;
  const auto path = synthesize(directory, "31b", tiny("31b"));
  const auto message = [&path] { return error_of([&] { Checkpoint::open(path); }); };
  fs::rename(path / "model.safetensors", path / "model-00001-of-00002.safetensors");
  EXPECT_EQ(message(),
            "model-00001-of-00002.safetensors: got weights of another name, expected "
            "model.safetensors or model.safetensors.index.json beside it");
  write_text(path / "pytorch_model.bin", "PK");
  EXPECT_EQ(message(),
            "pytorch_model.bin: got pickled tensors, expected safetensors, as save_pretrained "
            "writes them");
  write_text(path / "adapter_config.json", "{}");
  EXPECT_EQ(message(),
            "adapter_config.json: got an adapter, expected the model that it is merged into");
  fs::rename(path / "model-00001-of-00002.safetensors", path / "model.safetensors");
  EXPECT_EQ(message(), "no error");
}

TEST(Checkpoint, DirectoryMustBeOne) {
  const TestDirectory directory;
  const auto missing = directory.path() / "none";
  EXPECT_EQ(error_of([&] { Checkpoint::open(missing); }),
            missing.string() +
                ": got \"No such file or directory\", expected a checkpoint's "
                "directory");
  const auto file = directory.write("file", "");
  EXPECT_EQ(error_of([&] { Checkpoint::open(file); }),
            file.string() + ": got \"not a directory\", expected a checkpoint's directory");
}

}  // namespace
}  // namespace assay
