// SPDX-License-Identifier: Apache-2.0
// The tables of docs/spec say what the rows of sizes.cc say. A row that is missing there is in the
// message as it should stand.
#include "reference/family/config/sizes.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "reference/family/config/soft_tokens.h"
#include "reference/family/testing/source_dir.h"

namespace assay {
namespace {

std::string page(const std::string& name) {
  std::ifstream file(source_dir() + "/docs/spec/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string number(std::size_t value) {
  return value == 0 ? "–" : std::to_string(value);
}

std::string yes(bool value, const char* word = "yes") {
  return value ? word : "–";
}

using Cell = std::function<std::string(const ReleasedSize&)>;

// "| name | cell | cell |" over the released sizes.
std::string row(const std::string& name, const Cell& cell) {
  std::string text = name.empty() ? "| |" : "| " + name + " |";
  for (const ReleasedSize& size : released_sizes()) {
    text += " " + cell(size) + " |";
  }
  return text + "\n";
}

std::string rule(std::size_t columns) {
  std::string text = "| --- |";
  for (std::size_t i = 0; i < columns; ++i) {
    text += " --: |";
  }
  return text + "\n";
}

std::string period_letters(const ReleasedSize& size) {
  return std::string(size.period - 1, 'S') + "F";
}

std::string experts(const ReleasedSize& size) {
  return !has_experts(size) ? "–"
                            : std::to_string(size.experts) + ", " + std::to_string(size.top_k) +
                                  ", " + std::to_string(size.expert_width);
}

std::string full_heads(const ReleasedSize& size) {
  return size.full_kv_heads == 0 ? "as sliding" : std::to_string(size.full_kv_heads);
}

// The heading is `title`; the rows follow it.
void expect_table(const std::string& text, const std::string& heading, const std::string& rows) {
  const std::size_t begin = text.find(heading);
  ASSERT_NE(begin, std::string::npos) << heading;
  const std::size_t end = text.find("\n#", begin + 1);
  const std::string section = text.substr(begin, end - begin);
  EXPECT_NE(section.find(rows), std::string::npos) << heading << ": got\n"
                                                   << section << "\nexpected in it\n"
                                                   << rows;
}

TEST(Sizes, TheSpecificationHasTheSizes) {
  const std::string text = page("text.md");
  expect_table(
      text, "### 1.1 ",
      row("", [](const auto& s) { return std::string(s.title); }) + rule(released_sizes().size()) +
          row("`model_type`",
              [](const auto& s) { return s.unified ? "gemma4_unified" : "gemma4"; }) +
          row("`num_hidden_layers`", [](const auto& s) { return number(s.layers); }) +
          row("`hidden_size`", [](const auto& s) { return number(s.hidden); }) +
          row("`intermediate_size`", [](const auto& s) { return number(s.ffn); }) +
          row("`num_attention_heads`", [](const auto& s) { return number(s.heads); }) +
          row("`num_key_value_heads` (sliding)", [](const auto& s) { return number(s.kv_heads); }) +
          row("`num_global_key_value_heads` (full)", full_heads) +
          row("`sliding_window`", [](const auto& s) { return number(s.window); }) +
          row("pattern of layers, S sliding, F full", period_letters) +
          row("`hidden_size_per_layer_input`", [](const auto& s) { return number(s.ple); }) +
          row("`num_kv_shared_layers`", [](const auto& s) { return std::to_string(s.shared); }) +
          row("`use_double_wide_mlp`", [](const auto& s) { return yes(s.double_wide); }) +
          row("`attention_k_eq_v` (full layers)", [](const auto& s) { return yes(s.k_eq_v); }) +
          row("experts, chosen, width of one", experts) +
          row("`use_bidirectional_attention`",
              [](const auto& s) { return yes(s.k_eq_v, "vision"); }) +
          row("`max_position_embeddings`", [](const auto& s) { return number(s.positions); }));
}

TEST(Sizes, TheSpecificationHasTheDrafters) {
  const auto centroids = [](const ReleasedSize& s) {
    return s.drafter.centroids == 0
               ? "–"
               : std::to_string(s.drafter.centroids) + ", " + std::to_string(s.drafter.top_k);
  };
  expect_table(
      page("text.md"), "### 3.1 ",
      row("`backbone_hidden_size` (B)", [](const auto& s) { return number(s.hidden); }) +
          row("`hidden_size` (h)", [](const auto& s) { return number(s.drafter.hidden); }) +
          row("`intermediate_size`", [](const auto& s) { return number(s.drafter.ffn); }) +
          row("`num_attention_heads`", [](const auto& s) { return number(s.drafter.heads); }) +
          row("centroids, active", centroids));
}

// One column for the sizes that have the same encoder, in the order of the sizes.
TEST(Sizes, TheSpecificationHasTheVisionEncoders) {
  std::string titles, hidden, ffn, layers, heads, width, clipped, standardize;
  const ReleasedSize* last = nullptr;
  std::size_t columns = 0;
  for (const ReleasedSize& size : released_sizes()) {
    if (!has_vision_encoder(size)) {
      continue;
    }
    if (last != nullptr && last->vision.hidden == size.vision.hidden) {
      titles += ", " + std::string(size.title);
      continue;
    }
    const auto boolean = [](bool value) { return value ? " | true" : " | false"; };
    titles += " | " + std::string(size.title);
    hidden += " | " + number(size.vision.hidden);
    ffn += " | " + number(size.vision.ffn);
    layers += " | " + number(size.vision.layers);
    heads += " | " + number(size.vision.heads);
    width += " | " + number(size.vision.head_dim);
    clipped += boolean(size.vision.clipped);
    standardize += boolean(size.vision.standardize);
    last = &size;
    ++columns;
  }
  expect_table(page("multimodal.md"), "### 1.2 ",
               "| key of `vision_config`" + titles + " |\n" + rule(columns) + "| `hidden_size` D" +
                   hidden + " |\n| `intermediate_size` F" + ffn + " |\n| `num_hidden_layers`" +
                   layers + " |\n| `num_attention_heads` = `num_key_value_heads`" + heads +
                   " |\n| `head_dim` d" + width + " |\n| `use_clipped_linears`" + clipped +
                   " |\n| `standardize`" + standardize + " |\n");
}

TEST(Sizes, AreFoundByNameAndListed) {
  EXPECT_EQ(find_size("26b")->title, "26B-A4B");
  EXPECT_EQ(find_size("26b-drafter"), nullptr);
  EXPECT_EQ(find_size(""), nullptr);
  std::string names;
  for (const ReleasedSize& size : released_sizes()) {
    EXPECT_EQ(find_size(size.name), &size);
    names += (names.empty() ? "" : ", ") + std::string(size.name);
  }
  EXPECT_EQ(size_names(), names);
  EXPECT_EQ(size_titles(has_audio_encoder), "E2B, E4B");
  EXPECT_EQ(size_titles(has_experts), "26B-A4B");
  for (const ReleasedSize& size : released_sizes()) {
    EXPECT_EQ(size.unified, !has_vision_encoder(size)) << size.name;
    EXPECT_EQ(size.unified, size.audio == ReleasedAudio::kUnified) << size.name;
    EXPECT_EQ(size.k_eq_v, size.full_kv_heads > 0) << size.name;
  }
}

TEST(SoftTokens, TheBudgetsInWords) {
  EXPECT_EQ(budgets_text(), "70, 140, 280, 560 or 1120");
  EXPECT_TRUE(is_budget(kImageBudget) && is_budget(kFrameBudget));
  EXPECT_FALSE(is_budget(0) || is_budget(71));
  EXPECT_NE(page("multimodal.md").find("Budgets are " + budgets_text() + "."), std::string::npos);
}

}  // namespace
}  // namespace assay
