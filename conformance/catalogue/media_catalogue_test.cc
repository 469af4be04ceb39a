// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_context.h"
#include "reference/family/config/profile.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

std::vector<std::string> words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> all;
  for (std::string word; stream >> word;) {
    all.push_back(word);
  }
  return all;
}

bool is_media_pattern(std::string_view pattern) {
  return find_tap("media.{k}." + std::string(pattern)).has_value();
}

// "RV" of RV-3, "V" of V29, "DIV-M" of DIV-M04.
std::string group_of(std::string_view label) {
  return std::string(label.substr(0, label.find_first_of("-0123456789")));
}

template <class Rows>
std::map<std::string, int> counts(const Rows& rows) {
  std::map<std::string, int> by_group;
  for (const auto& row : rows) {
    ++by_group[group_of(row.label)];
  }
  return by_group;
}

TextConfig text_config() {
  TextConfig text;
  text.layers.resize(2);
  return text;
}

ModelConfig encoder_model() {
  ModelConfig model;
  model.text = text_config();
  model.vision.emplace().num_hidden_layers = 3;
  model.vision->standardize = true;
  model.audio.emplace().num_hidden_layers = 2;
  return model;
}

MediaItem item_with(MediaKind kind, MediaItem::Array MediaItem::*form) {
  MediaItem item;
  item.kind = kind;
  (item.*form) = {{1}, {0}};
  return item;
}

TEST(MediaCatalogue, finds_a_tap_of_an_item_and_its_pattern) {
  const auto match = find_tap("media.3.vision.layer.12.attn.q_rope");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->entry->pattern, "vision.layer.{i}.attn.q_rope");
  EXPECT_EQ(match->item, 3u);
  EXPECT_EQ(match->layer, 12u);
  for (const char* name : {"vision.layer.12.attn.q_rope", "media.{k}.vision.layer.{i}.attn.q_rope",
                           "vision.layer.{i}.attn.q_rope"}) {
    ASSERT_TRUE(find_tap(name)) << name;
    EXPECT_EQ(find_tap(name)->entry, match->entry);
    EXPECT_FALSE(find_tap(name)->item);
  }
  EXPECT_EQ(find_tap("media.0.audio.subsample.1.conv")->step, 1u);
  EXPECT_TRUE(find_tap("media.0.audio.subsample.flat"));
  EXPECT_EQ(media_prefix("media.12.image.rgb"), "media.12.");
  EXPECT_EQ(media_prefix("text.embed"), "");
}

TEST(MediaCatalogue, layers_of_an_encoder_are_not_those_of_the_text_model) {
  EXPECT_LT(execution_key("media.0.vision.layer.26.out"), execution_key("text.layer.0.in"));
  EXPECT_LT(execution_key("media.0.vision.embed.out"), execution_key("media.1.image.rgb"));
  EXPECT_FALSE(find_tap("vision.layer.0.attn.k_ctx"));
  EXPECT_FALSE(find_tap("text.layer.0.mlp.gate"));
}

TEST(MediaCatalogue, a_reason_may_be_filed_under_several_names) {
  EXPECT_THAT(
      patterns_of("media.2.vision.layer.1.attn.logits"),
      ElementsAre("media.2.vision.layer.1.attn.logits", "media.{k}.vision.layer.1.attn.logits",
                  "media.2.vision.layer.{i}.attn.logits", "media.{k}.vision.layer.{i}.attn.logits",
                  "vision.layer.{i}.attn.logits"));
  EXPECT_THAT(patterns_of("text.layer.1.in"), ElementsAre("text.layer.1.in", "text.layer.{i}.in"));
  EXPECT_THAT(patterns_of("nothing"), ElementsAre("nothing"));
}

TEST(MediaCatalogue, expands_a_image_in_each_of_its_forms) {
  const ModelConfig model = encoder_model();
  const std::vector<MediaItem> media = {item_with(MediaKind::kImage, &MediaItem::rgb),
                                        item_with(MediaKind::kImage, &MediaItem::patches)};
  const auto names = expand_taps(context_of(model, media));
  EXPECT_THAT(names, Contains("media.0.image.resized"));
  EXPECT_THAT(names, Contains("media.1.image.patches"));
  EXPECT_THAT(names, Not(Contains("media.1.image.rgb")));
  EXPECT_THAT(names, Contains("media.1.vision.layer.2.mlp.act"));
  EXPECT_THAT(names, Not(Contains("media.0.vision.layer.3.mlp.act")));
  EXPECT_THAT(names, Contains("media.0.vision.standardized"));
  EXPECT_THAT(names, Not(Contains("media.0.audio.layer.0.out")));
  EXPECT_THAT(names, Not(Contains("media.0.unified.vision.ln1")));
  EXPECT_THAT(names, Not(Contains("media.0.video.frame_indices")));
  EXPECT_THAT(names, Contains("text.ids_expanded"));
  EXPECT_TRUE(
      std::ranges::is_sorted(names, {}, [](const auto& name) { return execution_key(name); }));
  for (const std::string& name : names) {
    EXPECT_TRUE(find_tap(name)) << name;
  }
}

TEST(MediaCatalogue, expands_a_audio_in_each_of_its_forms) {
  const ModelConfig model = encoder_model();
  const std::vector<MediaItem> media = {item_with(MediaKind::kAudio, &MediaItem::samples),
                                        item_with(MediaKind::kAudio, &MediaItem::mel)};
  const auto names = expand_taps(context_of(model, media));
  EXPECT_THAT(names, Contains("media.0.audio.magnitude"));
  EXPECT_THAT(names, Contains("media.1.audio.mel"));
  EXPECT_THAT(names, Not(Contains("media.1.audio.samples")));
  EXPECT_THAT(names, Contains("media.1.audio.subsample.1.out"));
  EXPECT_THAT(names, Contains("media.1.audio.layer.1.lconv.glu"));
  EXPECT_THAT(names, Not(Contains("media.1.audio.layer.2.lconv.glu")));
  EXPECT_THAT(names, Not(Contains("media.0.vision.pool")));
  EXPECT_TRUE(
      std::ranges::is_sorted(names, {}, [](const auto& name) { return execution_key(name); }));
}

TEST(MediaCatalogue, a_video_counts_once_for_each_frame) {
  const ModelConfig model = encoder_model();
  MediaItem video;
  video.kind = MediaKind::kVideo;
  video.file = {1};
  video.num_frames = 3;
  const std::vector<MediaItem> media = {video, item_with(MediaKind::kAudio, &MediaItem::samples)};
  const auto names = expand_taps(context_of(model, media));
  EXPECT_THAT(names, Contains("media.0.video.timestamps"));
  EXPECT_THAT(names, Not(Contains("media.1.video.timestamps")));
  EXPECT_THAT(names, Contains("media.2.image.rgb"));
  EXPECT_THAT(names, Contains("media.3.audio.mel"));
  EXPECT_THAT(names, Not(Contains("media.0.video.patches")));
}

TEST(MediaCatalogue, the_12b_has_embedders_and_soft_embeddings_have_no_taps) {
  ModelConfig model;
  model.text = text_config();
  model.unified_vision.emplace();
  model.unified_audio.emplace();
  const std::vector<MediaItem> media = {item_with(MediaKind::kImage, &MediaItem::rgb),
                                        item_with(MediaKind::kAudio, &MediaItem::audio_rows)};
  const auto names = expand_taps(context_of(model, media));
  EXPECT_THAT(names, Contains("media.0.unified.vision.pos_add"));
  EXPECT_THAT(names, Contains("media.0.vision.embed.out"));
  EXPECT_THAT(names, Not(Contains("media.0.vision.pool")));
  EXPECT_THAT(names, Contains("media.1.unified.audio.frames"));
  EXPECT_THAT(names, Not(Contains("media.1.audio.mel")));
  EXPECT_THAT(names, Contains("media.1.audio.embed.pre_norm"));

  MediaItem soft;
  soft.kind = MediaKind::kImage;
  soft.values = {1};
  const std::vector<MediaItem> given = {soft};
  EXPECT_EQ(expand_taps(context_of(model, given)), expand_taps(context_of(model.text)));
}

TEST(MediaCatalogue, whole_numbers_are_those_of_preprocessing) {
  std::set<std::string_view> whole;
  for (const TapEntry& entry : all_taps()) {
    if (is_media_pattern(entry.pattern) && entry.discrete) {
      whole.insert(entry.pattern);
    }
  }
  EXPECT_THAT(whole, ElementsAre("audio.mel_mask", "image.num_soft_tokens", "image.positions",
                                 "image.resized", "image.rgb", "image.target_size",
                                 "video.frame_indices", "video.positions"));
}

TEST(MediaCatalogue, has_all_rules_mistakes_and_divergences) {
  const std::map<std::string, int> rules = counts(all_rules());
  EXPECT_EQ(rules, (std::map<std::string, int>{{"R", 64},
                                               {"RA", 10},
                                               {"RC", 21},
                                               {"RI", 10},
                                               {"RN", 16},
                                               {"RP", 21},
                                               {"RS", 10},
                                               {"RT", 16},
                                               {"RU", 7},
                                               {"RV", 21},
                                               {"RX", 17}}));
  auto mistakes = counts(all_mistakes());
  mistakes.erase("M");
  EXPECT_EQ(mistakes, (std::map<std::string, int>{
                          {"A", 20}, {"C", 56}, {"I", 27}, {"P", 61}, {"V", 61}, {"X", 17}}));
  EXPECT_EQ(all_divergences().size(), 49u);
  EXPECT_TRUE(find_divergence("DIV-M48"));
  EXPECT_FALSE(find_divergence("DIV-M"));
}

TEST(MediaCatalogue, every_rule_of_media_is_cited_by_a_tap) {
  std::set<std::string> cited;
  for (const TapEntry& entry : all_taps()) {
    const auto labels = words(entry.rules);
    EXPECT_FALSE(labels.empty()) << entry.pattern;
    cited.insert(labels.begin(), labels.end());
  }
  for (const Rule& rule : all_rules()) {
    if (std::set<std::string>{"RA", "RC", "RI", "RU", "RV", "RX"}.contains(group_of(rule.label))) {
      EXPECT_TRUE(cited.contains(std::string(rule.label))) << rule.label;
    }
  }
}

TEST(MediaCatalogue, labels_are_unique_and_rows_complete) {
  std::set<std::string_view> labels;
  for (const Rule& rule : all_rules()) {
    EXPECT_TRUE(labels.insert(rule.label).second) << rule.label;
  }
  for (const Mistake& mistake : all_mistakes()) {
    EXPECT_TRUE(labels.insert(mistake.label).second) << mistake.label;
    EXPECT_FALSE(mistake.note.empty()) << mistake.label;
  }
  for (const Divergence& row : all_divergences()) {
    EXPECT_TRUE(labels.insert(row.label).second) << row.label;
    EXPECT_FALSE(row.topic.empty() || row.who.empty() || row.consequence.empty() ||
                 row.reference.empty())
        << row.label;
  }
}

TEST(MediaCatalogue, switches_and_ledger_name_each_other) {
  std::set<std::string_view> keys;
  for (const ProfileSwitch& choice : kProfileSwitches) {
    keys.insert(choice.key);
    EXPECT_TRUE(find_tap(choice.first_tap)) << choice.key;
    const auto labels = words(choice.ledger);
    EXPECT_FALSE(labels.empty()) << choice.key;
    for (const std::string& label : labels) {
      const Divergence* row = find_divergence(label);
      ASSERT_TRUE(row) << label;
      EXPECT_EQ(row->key, choice.key) << label;
    }
  }
  for (const Divergence& row : all_divergences()) {
    EXPECT_TRUE(row.key.empty() || keys.contains(row.key)) << row.label;
  }
}

struct MapRow {
  std::string file;
  std::string tap;
  std::string module;
  std::string io;
};

std::vector<MapRow> rows_of_maps() {
  std::vector<MapRow> rows;
  for (const auto& file :
       std::filesystem::directory_iterator(source_dir() + "/scripts/ports/maps")) {
    std::ifstream map(file.path());
    const bool is_map = file.path().extension() == ".csv";
    for (std::string line; is_map && std::getline(map, line);) {
      MapRow row{file.path().filename(), "", "", ""};
      std::istringstream cells(line);
      std::getline(std::getline(std::getline(cells, row.tap, ','), row.module, ','), row.io, ',');
      if (!line.starts_with('#') && row.tap != "tap" && row.tap != "media") {
        rows.push_back(row);
      }
    }
  }
  return rows;
}

std::string replaced(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  return at == std::string::npos ? text : std::string(text).replace(at, from.size(), to);
}

// "layers.{i}.self_attn.q_proj out (eager)" -> module and io as a map has them; none for places
// that are no module's boundary.
std::pair<std::string, std::string> boundary_of(const TapMatch& match) {
  std::smatch found;
  const std::string hf(match.entry->hf);
  if (!std::regex_search(hf, found, std::regex("^(\\S+) (in|out)\\b"))) {
    return {};
  }
  std::string module =
      std::regex_replace(found[1].str(), std::regex("^S\\."), "subsample_conv_projection.");
  module = replaced(module, "{s}", std::to_string(match.step.value_or(0)));
  return {match.entry->stage == Stage::kDraft ? replaced(module, "{i}", "{j}") : module, found[2]};
}

TEST(MediaCatalogue, maps_for_ports_say_what_the_rows_say) {
  int seen = 0;
  int boundaries = 0;
  for (const MapRow& row : rows_of_maps()) {
    const auto match = find_tap(row.tap);
    ASSERT_TRUE(match) << row.file << " " << row.tap;
    ++seen;
    const auto [module, io] = boundary_of(*match);
    if (module.empty()) {
      continue;
    }
    ++boundaries;
    const std::string known = "." + replaced(row.module, ".multimodal_embedder", "");  // 12B
    EXPECT_TRUE(known.ends_with("." + module)) << row.file << " " << row.tap << " " << module;
    EXPECT_EQ(row.io, io) << row.file << " " << row.tap;
  }
  EXPECT_GT(seen, 150);
  EXPECT_GT(boundaries, 140);
}

// The list of places in transformers that the project was given, where it is at hand.
TEST(MediaCatalogue, has_every_tap_of_the_list_of_transformers_modules) {
  const std::filesystem::path list = source_dir() + "/../shared/data/maps/hf_mm.csv";
  std::ifstream file(list);
  if (!file) {
    GTEST_SKIP() << "no list of modules beside the repository";
  }
  // In transformers an angle is seen as its cosine and sine, and the 12B's embedder stands apart.
  const std::map<std::string, std::string> renamed = {
      {"vision.rope.cos", "vision.rope.angles"},
      {"vision.rope.sin", "vision.rope.angles"},
      {"unified.vision.embed.pre_norm", "vision.embed.pre_norm"},
      {"unified.vision.embed.out", "vision.embed.out"}};
  std::string line;
  std::getline(file, line);
  int seen = 0;
  while (std::getline(file, line)) {
    const std::string name = line.substr(0, line.find(','));
    const auto other = renamed.find(name);
    EXPECT_TRUE(find_tap(other == renamed.end() ? name : other->second)) << name;
    ++seen;
  }
  EXPECT_EQ(seen, 100);
}

}  // namespace
}  // namespace assay::conformance
