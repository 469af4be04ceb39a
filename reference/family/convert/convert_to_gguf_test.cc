// SPDX-License-Identifier: Apache-2.0
// golden/tables/gguf_conversions.json: what llama.cpp's own converter makes of committed
// checkpoints (scripts/golden/make_gguf_conversions.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <set>

#include "reference/family/base/json_object.h"
#include "reference/family/base/mapped_file.h"
#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/container.h"
#include "reference/family/checkpoint/gguf_metadata.h"
#include "reference/family/convert/convert.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_models.h"
#include "reference/family/testing/test_signals.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kCheckpoints = source_dir() + "/golden/checkpoints/";

DType type_of(std::string_view name) {
  for (const DTypeInfo& row : all_dtypes()) {
    if (row.name == name) {
      return DType(row);
    }
  }
  throw Error(std::string(name) + ": got nothing, expected a type");
}

DType type_of_option(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), ::toupper);
  return type_of(name);
}

std::string hexadecimal(std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x", value);
  return text;
}

std::string crc_of(std::span<const std::byte> bytes) {
  return hexadecimal(crc32({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}));
}

ConvertSummary converted(const std::string& name, const fs::path& model, const fs::path& projector,
                         std::optional<DType> type) {
  const auto checkpoint = Checkpoint::open(kCheckpoints + name);
  ConvertOptions options;
  options.type = type;
  options.projector = projector;
  return convert_to_gguf(checkpoint, read_companions(kCheckpoints + name), model, options);
}

// Keys that the converter does not write.
bool is_ours(std::string_view key) {
  return key.ends_with(".vocab_size") || key.ends_with(".scale_factor") || key == "general.name" ||
         key == "tokenizer.ggml.suppress_tokens";
}

void expect_keys(const Json& expected, const GgufMetadata& metadata, bool tokenizer,
                 const std::string& what) {
  std::set<std::string, std::less<>> known;
  for (const auto& [key, value] : expected.object()) {
    known.insert(key);
    const GgufValue* found = metadata.find(key);
    ASSERT_NE(found, nullptr) << what << key;
    const std::string got =
        std::to_string(static_cast<int>(found->type)) + ":" + crc_of(found->bytes);
    EXPECT_EQ(got, value.get<std::string>()) << what << key;
  }
  for (const std::string_view key : metadata.keys()) {
    const bool left_out = !tokenizer && key.starts_with("tokenizer.");
    EXPECT_TRUE(known.contains(key) || is_ours(key) || left_out) << what << key;
  }
}

// "blk.5.attn_k.weight" of a layer that reads another one's keys: stored without need.
bool is_left_out(const TextConfig& text, const std::string& name) {
  for (std::size_t i = text.first_kv_shared_layer(); i < text.layers.size(); ++i) {
    const std::string block = "blk." + std::to_string(i) + ".attn_";
    if (name == block + "k.weight" || name == block + "v.weight" ||
        name == block + "k_norm.weight") {
      return true;
    }
  }
  return false;
}

void expect_tensors(const Json& expected, const TextConfig& text, const Container& file,
                    const std::string& what) {
  std::size_t count = 0;
  for (const auto& [name, row] : expected.object()) {
    if (is_left_out(text, name)) {
      continue;
    }
    ++count;
    const StoredTensor* tensor = file.find(name);
    ASSERT_NE(tensor, nullptr) << what << name;
    EXPECT_EQ(tensor->shape, row[0].get<std::vector<std::size_t>>()) << what << name;
    EXPECT_EQ(dtype_name(tensor->dtype), row[1].get<std::string>()) << what << name;
    if (!name.ends_with("per_dim_scale.weight")) {  // a logarithm, of another library
      EXPECT_EQ(crc_of(file.bytes(*tensor)), row[2].get<std::string>()) << what << name;
    }
  }
  EXPECT_EQ(file.tensors().size(), count) << what;
}

TEST(ConvertToGguf, FilesAreThoseOfTheConverterOfLlamaCpp) {
  const Json table = parse_json_file(source_dir() + "/golden/tables/gguf_conversions.json",
                                     "gguf_conversions.json", 1 << 20);
  for (const Json& entry : table.at("files")) {
    const TestDirectory directory;
    const std::string name = entry.at("checkpoint").get<std::string>();
    const std::string type = entry.at("type").get<std::string>();
    const bool projector = entry.at("part") == "projector";
    const fs::path model = directory.path() / "model.gguf";
    const fs::path encoders = directory.path() / "encoders.gguf";
    converted(name, model, projector ? encoders : fs::path(), type_of_option(type));
    const fs::path path = projector ? encoders : model;
    const MappedFile mapped = MappedFile::open(path, name);
    const GgufMetadata metadata(mapped.bytes(), name);
    const std::string what = name + " " + type + ": ";
    expect_keys(entry.at("keys"), metadata, entry.at("tokenizer").get<bool>(), what);
    const auto checkpoint = Checkpoint::open(kCheckpoints + name);
    expect_tensors(entry.at("tensors"), checkpoint.config().text, Container::open(path), what);
  }
}

TEST(ConvertToGguf, TheTypeIsThatOfTheCheckpointWhereNoneIsAskedFor) {
  const TestDirectory directory;
  converted("e2b-tiny", directory.path() / "x.gguf", {}, std::nullopt);
  const auto file = Container::open(directory.path() / "x.gguf");
  const auto source = Checkpoint::open(kCheckpoints + "e2b-tiny");
  EXPECT_EQ(file.find("token_embd.weight")->dtype, source.stored("embed_tokens.weight")->dtype);
}

TEST(ConvertToGguf, PerDimScalesHavePassedTheSoftplus) {
  const TestDirectory directory;
  converted("e2b-media-tiny", directory.path() / "x.gguf", directory.path() / "y.gguf",
            DType::kF32);
  const auto found =
      Container::open(directory.path() / "y.gguf").read("a.blk.1.per_dim_scale.weight");
  std::vector<double> raw(found.size());
  Checkpoint::open(kCheckpoints + "e2b-media-tiny")
      .read("model.audio_tower.layers.1.self_attn.per_dim_scale", 0, raw.size(), raw.data());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const double expected = std::log(1 + std::exp(raw[i]));
    EXPECT_NEAR(found[i], expected, 0x1p-24 * expected);
  }
}

TEST(ConvertToGguf, WhatIsLeftOutAndWhatBecameHalvesIsTold) {
  const TestDirectory directory;
  const ConvertSummary drafter =
      converted("e2b-tiny-drafter", directory.path() / "a.gguf", {}, type_of("Q4_0"));
  EXPECT_THAT(
      drafter.notes,
      ElementsAre("masked_embedding.centroids.weight is left out: llama.cpp does not load it",
                  "masked_embedding.token_ordering is left out: llama.cpp does not load it"));
  EXPECT_THAT(drafter.in_halves, testing::Contains("token_embd.weight"));
  const ConvertSummary media =
      converted("e2b-media-tiny", directory.path() / "b.gguf", {}, DType::kF32);
  EXPECT_THAT(media.notes,
              ElementsAre("the encoders are left out: a projector file is not asked for"));
}

TEST(ConvertToGguf, NothingIsOverwrittenAndNothingIsLeft) {
  const TestDirectory directory;
  const auto path = directory.write("x.gguf", "mine");
  EXPECT_EQ(error_of([&] { converted("e2b-tiny", path, {}, DType::kF32); }),
            path.string() + ": got a file that is there, expected a new name");
  EXPECT_THAT(error_of([&] {
                converted("e2b-tiny", directory.path() / "a.gguf", directory.path() / "b.gguf",
                          DType::kF32);
              }),
              HasSubstr("got a model without encoders, expected one for a projector file"));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

// The first element of two tensors is beyond F16.
TEST(ConvertToGguf, ValuesThatATypeCannotHoldAreNamed) {
  const TestDirectory directory;
  const auto checkpoint = directory.path() / "model";
  write_synthetic_checkpoint("31b", checkpoint, tiny_widths());
  rewrite(checkpoint, [](StoredTensor& tensor, std::vector<std::byte>& content) {
    if (tensor.name.ends_with("model.norm.weight") ||
        tensor.name.ends_with("layers.0.self_attn.o_proj.weight")) {
      const std::uint16_t large = bf16_from_float(-1e5f);
      std::memcpy(content.data(), &large, sizeof large);
    }
    return true;
  });
  const auto opened = Checkpoint::open(checkpoint);
  ConvertOptions options;
  options.type = DType::kF16;
  const auto out = directory.path() / "x.gguf";
  EXPECT_EQ(error_of([&] { convert_to_gguf(opened, {}, out, options); }),
            "blk.0.attn_output.weight: element 0: got -99840, expected at most 65520 to be stored "
            "as F16");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
  options.type = DType::kBf16;
  convert_to_gguf(opened, {}, out, options);
  EXPECT_EQ(Container::open(out).read("blk.0.attn_output.weight")[0], -99840);
}

}  // namespace
}  // namespace assay
