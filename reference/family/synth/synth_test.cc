// SPDX-License-Identifier: Apache-2.0
#include "reference/family/synth/synth.h"

#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/config/sizes.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_models.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr LayerKind kS = LayerKind::kSliding;
constexpr LayerKind kF = LayerKind::kFull;

// Spec: text 1.6 and 5.2: tensors and parameters, with and without unused keys and values.
TEST(Synth, ReleasedSizesHaveTheReleasedCounts) {
  struct Counts {
    std::size_t tensors, lean_tensors, lean_parameters;
  };
  const std::map<std::string, Counts> released = {
      {"e2b", {600, 540, 4'628'569'379}},
      {"e4b", {719, 665, 7'463'013'418}},
      {"12b", {666, 666, 11'907'350'320}},
      {"26b", {657, 657, 25'233'141'790}},
      {"31b", {832, 832, 30'697'345'340}},
      {"e2b-drafter", {50, 50, 77'731'332 + 262'144}},
      {"e4b-drafter", {50, 50, 78'517'764 + 262'144}},
  };
  for (const auto& [size, counts] : released) {
    SynthOptions options;
    EXPECT_EQ(plan_synthetic_checkpoint(size, options).tensors, counts.tensors) << size;
    options.store_shared_kv = false;
    const SynthSummary lean = plan_synthetic_checkpoint(size, options);
    EXPECT_EQ(lean.tensors, counts.lean_tensors) << size;
    EXPECT_EQ(lean.parameters, counts.lean_parameters) << size;
  }
  EXPECT_EQ(plan_synthetic_checkpoint("31b-drafter", {}).parameters -
                plan_synthetic_checkpoint("26b-drafter", {}).parameters,
            41'943'040u + 3u * 1024u * (5376u - 2816u));
}

// Spec: multimodal 1.6, with the projections and, in "all", the clip bounds.
TEST(Synth, ReleasedEncodersHaveTheReleasedCounts) {
  struct Counts {
    std::size_t tensors, vision, audio;
  };
  const std::map<std::string, Counts> released = {
      {"e2b", {659 + 752, 167'364'608 + 448 + 1'179'648, 304'824'608 + 480 + 2'359'296}},
      {"e4b", {659 + 752, 167'364'608 + 448 + 1'966'080, 304'824'608 + 480 + 3'932'160}},
      {"12b", {10 + 1, 49'922'304, 2'457'600}},
      {"26b", {356, 569'548'080 + 2'304 + 3'244'032, 0}},
      {"31b", {356, 569'548'080 + 2'304 + 6'193'152, 0}},
  };
  for (const auto& [size, counts] : released) {
    SynthOptions options;
    const SynthSummary text = plan_synthetic_checkpoint(size, options);
    options.encoders = SynthEncoders();
    const SynthSummary all = plan_synthetic_checkpoint(size, options);
    EXPECT_EQ(all.tensors - text.tensors, counts.tensors) << size;
    EXPECT_EQ(all.parameters - text.parameters, counts.vision + counts.audio) << size;
    options.encoders->vision_width = 0;
    const SynthSummary heard = plan_synthetic_checkpoint(size, options);
    EXPECT_EQ(heard.parameters - text.parameters, counts.audio) << size;
  }
}

// What the published E2B file holds.
TEST(Synth, TheWholeE2bFile) {
  SynthOptions options;
  options.encoders = SynthEncoders();
  const SynthSummary summary = plan_synthetic_checkpoint("e2b", options);
  EXPECT_EQ(summary.parameters, 5'123'178'979u);
  EXPECT_EQ(summary.tensors, 2011u);
  options.store_shared_kv = false;
  const SynthSummary lean = plan_synthetic_checkpoint("e2b", options);
  EXPECT_EQ(lean.parameters, 5'104'298'467u);
  EXPECT_EQ(lean.tensors, 1951u);
}

SynthOptions tiny_options() {
  SynthOptions options = tiny_widths();
  options.sliding_window = 4;
  options.dtype = DType::kF32;
  options.store_shared_kv = false;
  return options;
}

TEST(Synth, TinyModelsOfTheSpecification) {
  const TestDirectory directory;
  SynthOptions a = tiny_options();
  a.layer_types = {kS, kS, kF, kS, kS, kF};
  a.num_hidden_layers = 6;
  a.num_kv_shared_layers = 3;
  a.num_key_value_heads = 1;
  a.hidden_size_per_layer_input = 4;
  write_synthetic_checkpoint("e2b", directory.path() / "A", a);
  const auto tiny_a = Checkpoint::open(directory.path() / "A");
  EXPECT_EQ(tiny_a.config().text.layers[5].kv_source, 2u);
  EXPECT_EQ(tiny_a.config().text.layers[5].intermediate_size, 48u);
  float value = 0;
  tiny_a.read("norm.weight", 0, 1, &value);
  EXPECT_EQ(value, static_cast<float>(0.5 + 0.04868784));

  SynthOptions b = tiny_options();
  b.layer_types = {kS, kS, kF};
  b.num_hidden_layers = 3;
  b.num_key_value_heads = 2;
  b.num_global_key_value_heads = 1;
  b.num_experts = 8;
  b.top_k_experts = 2;
  b.moe_intermediate_size = 6;
  write_synthetic_checkpoint("26b", directory.path() / "B", b);
  const auto tiny_b = Checkpoint::open(directory.path() / "B");
  EXPECT_EQ(tiny_b.shape("layers.2.experts.gate_up_proj"), (std::vector<std::size_t>{8, 12, 16}));
  EXPECT_FALSE(tiny_b.has("layers.2.self_attn.v_proj.weight"));
}

TEST(Synth, FewerLayersKeepThePatternAndASourceForEachKind) {
  for (std::size_t layers = 1; layers <= 42; ++layers) {
    for (const ReleasedSize& size : released_sizes()) {
      SynthOptions options;
      options.num_hidden_layers = layers;
      EXPECT_GT(plan_synthetic_checkpoint(size.name, options).tensors, 0u) << size.name << layers;
    }
  }
}

TEST(Synth, ProgressEndsAtTheTotal) {
  const TestDirectory directory;
  SynthOptions options = tiny_options();
  options.num_hidden_layers = 5;
  SynthProgress last;
  const SynthSummary summary = write_synthetic_checkpoint(
      "12b", directory.path() / "x", options, [&](const SynthProgress& progress) {
        EXPECT_GT(progress.bytes_done, last.bytes_done);
        last.bytes_done = progress.bytes_done;
        last.bytes_total = progress.bytes_total;
      });
  EXPECT_EQ(last.bytes_done, summary.bytes);
  EXPECT_EQ(last.bytes_total, summary.bytes);
  EXPECT_EQ(summary.files, 1u);
}

std::size_t entries(const fs::path& path) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

TEST(Synth, NothingHalfMadeIsLeft) {
  const TestDirectory directory;
  const auto stop = [](const SynthProgress&) { throw Error("stopped"); };
  EXPECT_EQ(error_of([&] {
              write_synthetic_checkpoint("31b", directory.path() / "x", tiny_options(), stop);
            }),
            "stopped");
  EXPECT_EQ(entries(directory.path()), 0u);
}

TEST(Synth, NothingIsOverwritten) {
  const TestDirectory directory;
  const auto target = directory.path() / "x";
  SynthOptions options = tiny_options();
  options.num_hidden_layers = 2;
  fs::create_directory(target);
  write_synthetic_checkpoint("31b", target.string() + "/", options);  // empty: filled
  EXPECT_EQ(entries(target), 2u);
  EXPECT_EQ(error_of([&] { write_synthetic_checkpoint("31b", target, options); }),
            target.string() + ": got something that is there, expected an empty directory or none");
  const auto file = directory.write("file", "kept");
  EXPECT_EQ(error_of([&] { write_synthetic_checkpoint("31b", file, options); }),
            file.string() + ": got something that is there, expected an empty directory or none");
  const auto orphan = directory.path() / "none" / "x";
  EXPECT_EQ(error_of([&] { write_synthetic_checkpoint("31b", orphan, options); }),
            orphan.string() + ": got no directory to make it in, expected one");
}

TEST(Synth, ImpossibleOptionsAreNamed) {
  const auto message = [](const std::string& size, auto change) {
    SynthOptions options = tiny_options();
    change(options);
    return error_of([&] { plan_synthetic_checkpoint(size, options); });
  };
  const std::string drafters = std::regex_replace(size_names(), std::regex("[^, ]+"), "$&-drafter");
  EXPECT_EQ(message("7b", [](auto&) {}),
            "synth: size: got \"7b\", expected one of " + size_names() + ", " + drafters);
  EXPECT_EQ(message("31b", [](auto& options) { options.hidden_size = 0; }),
            "synth 31b: text_config.hidden_size: got 0, expected a positive integer");
  EXPECT_EQ(message("31b", [](auto& options) { options.head_dim = 5; }),
            "synth 31b: text_config.head_dim: got 5, expected an even number");
  EXPECT_EQ(message("31b", [](auto& options) { options.dtype = *dtype_from_name("I8"); }),
            "synth: dtype: got I8, expected one of BF16, F16, F32");
  EXPECT_EQ(message("26b", [](auto& options) { options.top_k_experts = 129; }),
            "synth 26b: text_config.top_k_experts: got 129, expected at most 128");
  EXPECT_EQ(message("31b", [](auto& options) { options.num_hidden_layers = 1u << 30; }),
            "synth 31b: text_config.num_hidden_layers: got 1073741824, expected at most 4096");
}

TEST(Synth, ImpossibleEncodersAreNamed) {
  const auto message = [](const std::string& size, auto change) {
    SynthOptions options = tiny_options();
    options.encoders = SynthEncoders();
    change(options, *options.encoders);
    return error_of([&] { plan_synthetic_checkpoint(size, options); });
  };
  EXPECT_EQ(message("31b", [](auto&, auto& encoders) { encoders.audio_layers = 2; }),
            "synth: audio_layers: got 2, expected none: 31b has no audio encoder");
  EXPECT_EQ(message("12b", [](auto&, auto& encoders) { encoders.vision_ffn = 8; }),
            "synth: vision_ffn: got 8, expected none: 12b has no vision encoder");
  EXPECT_EQ(message("12b", [](auto&, auto& encoders) { encoders.audio_heads = 8; }),
            "synth: audio_heads: got 8, expected none: 12b has no audio encoder");
  EXPECT_EQ(message("e2b", [](auto&, auto& encoders) { encoders.vision_head_dim = 18; }),
            "synth e2b: vision_config.head_dim: got 18, expected a multiple of 4");
  EXPECT_EQ(message("e2b", [](auto&, auto& encoders) { encoders.image_soft_tokens = 71; }),
            "synth e2b: image_processor.max_soft_tokens: got 71, expected 70, 140, 280, 560 or "
            "1120 soft tokens");
  EXPECT_EQ(message("e2b", [](auto& options, auto&) { options.form = SynthForm::kTextOnly; }),
            "synth: form: got text-only, expected the multimodal form for encoders");
  EXPECT_EQ(message("31b-drafter", [](auto&, auto&) {}),
            "synth: size: got \"31b-drafter\" with encoders, expected one of " + size_names());
}

TEST(Synth, TheDiskIsAskedFirst) {
  const TestDirectory directory;
  SynthOptions options;
  options.vocab_size = 1u << 24;
  options.hidden_size = 1u << 20;  // 32 TiB of embeddings
  const std::string message =
      error_of([&] { write_synthetic_checkpoint("31b", directory.path() / "x", options); });
  EXPECT_NE(message.find("MiB of free space, expected"), std::string::npos) << message;
  EXPECT_EQ(entries(directory.path()), 0u);
}

}  // namespace
}  // namespace assay
