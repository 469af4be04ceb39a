// SPDX-License-Identifier: Apache-2.0
// golden/tables/tiny_{a,b,c}.json: the tables of spec text, Appendix B, as printed. The weights
// come from the closed form of B.1 and pass through a checkpoint on disk.
// Spec.
#include "reference/family/base/json_object.h"
#include "reference/family/synth/synth.h"
#include "reference/family/synth/weight_generator.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/model/drafter.h"
#include "reference/model/generate.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr LayerKind kS = LayerKind::kSliding;
constexpr LayerKind kF = LayerKind::kFull;
constexpr std::size_t kWidth = 16;

// Half a unit of the last printed digit; fp32 has its own rounding on top.
constexpr double kElementBound = bound_of(1e-4, 5.1e-8);
constexpr double kTotalBound = bound_of(1e-3, 5.1e-7);
// A's drafter makes sixty times as much of a difference in its input, over four layers.
constexpr double kDraftSlack = bound_of(20, 1);

SynthOptions common() {
  SynthOptions options;
  options.vocab_size = 40;
  options.head_dim = 8;
  options.global_head_dim = 16;
  options.sliding_window = 4;
  options.dtype = DType::kF32;
  options.store_shared_kv = false;
  return options;
}

SynthOptions target_options(char which) {
  SynthOptions options = common();
  options.hidden_size = kWidth;
  options.num_attention_heads = 4;
  options.intermediate_size = 24;
  options.num_key_value_heads = which == 'a' ? 1 : 2;
  options.layer_types = {kS, kS, kF};
  if (which == 'a') {
    options.layer_types = {kS, kS, kF, kS, kS, kF};
    options.num_kv_shared_layers = 3;
    options.hidden_size_per_layer_input = 4;
  } else {
    options.num_global_key_value_heads = 1;
  }
  if (which == 'b') {
    options.num_experts = 8;
    options.top_k_experts = 2;
    options.moe_intermediate_size = 6;
  }
  options.num_hidden_layers = options.layer_types.size();
  return options;
}

SynthOptions drafter_options(char which) {
  SynthOptions options = common();
  options.backbone_hidden_size = kWidth;
  options.hidden_size = 8;
  options.num_attention_heads = 2;
  options.intermediate_size = 12;
  options.num_key_value_heads = which == 'a' ? 1 : 2;
  if (which == 'a') {
    options.num_centroids = 10;
    options.centroid_intermediate_top_k = 3;
  } else {
    options.num_global_key_value_heads = 1;
  }
  return options;
}

// A tiny model, its drafter where there is one, and what is printed of them.
class PrintedTables : public testing::TestWithParam<char> {
 protected:
  PrintedTables() {
    const char which = GetParam();
    const std::string size = which == 'a' ? "e2b" : which == 'b' ? "26b" : "31b";
    const std::string file = std::string("tiny_") + which + ".json";
    table_ = parse_json_file(source_dir() + "/golden/tables/" + file, file, 1 << 20);
    write_synthetic_checkpoint(size, directory_.path() / "target", target_options(which));
    checkpoint_.emplace(Checkpoint::open(directory_.path() / "target"));
    model_.emplace(*checkpoint_);
    if (which != 'b') {
      const auto path = directory_.path() / "drafter";
      write_synthetic_checkpoint(size + "-drafter", path, drafter_options(which));
      drafter_.emplace(Checkpoint::open(path));
    }
  }

  TestDirectory directory_;
  Json table_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<Checkpoint> drafter_;
  std::optional<Transformer> model_;
};

TokenChunk prompt_of(const Json& ids) {
  TokenChunk prompt = text_chunk(std::vector<std::int32_t>(ids.size(), 0), 0);
  prompt.soft = make_tensor<T, D>({ids.size(), kWidth});
  for (std::size_t t = 0; t < ids.size(); ++t) {
    if (!ids[t].is_null()) {
      prompt.ids[t] = ids[t].get<std::int32_t>();
      continue;
    }
    prompt.types[t] = TokenType::kImage;
    std::array<float, kWidth> soft{};
    generate_weights("soft." + std::to_string(t), {-1.7, 1.7}, 0, kWidth, soft.data());
    std::copy(soft.begin(), soft.end(), row(prompt.soft, t, kWidth).begin());
  }
  return prompt;
}

void expect_printed(const std::vector<double>& values, const Json& line, double slack = 1) {
  const auto first = line.at("first").get<std::vector<double>>();
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_NEAR(values.at(i), first[i], slack * kElementBound) << line;
  }
  EXPECT_NEAR(values.back(), line.at("last").get<double>(), slack * kElementBound) << line;
  EXPECT_NEAR(sum, line.at("sum").get<double>(), slack * kTotalBound) << line;
  EXPECT_NEAR(std::sqrt(squares), line.at("l2").get<double>(), slack * kTotalBound) << line;
}

void append_greedy(const KeptTap& logits, std::vector<std::int32_t>& tokens) {
  for (std::size_t t = 0; t < logits.shape.at(0); ++t) {
    const auto line = logits.row(t);
    const auto largest = std::max_element(line.begin(), line.end());
    tokens.push_back(static_cast<std::int32_t>(largest - line.begin()));
  }
}

TEST_P(PrintedTables, TextPrompt) {
  const Json& text = table_.at("text");
  KvCache cache = model_->new_cache();
  TapRecorder taps;
  model_->forward(prompt_of(text.at("ids")), cache, taps);
  for (const Json& line : text.at("taps")) {
    expect_printed(taps.at(line.at("tap").string()).row(line.at("position").get<std::size_t>()),
                   line);
  }
  std::vector<std::int32_t> tokens;
  append_greedy(taps.at("text.logits"), tokens);
  EXPECT_EQ(Json(tokens), text.at("argmax"));
}

TEST_P(PrintedTables, SelectedExperts) {
  const Json& text = table_.at("text");
  KvCache cache = model_->new_cache();
  TapRecorder taps;
  model_->forward(prompt_of(text.at("ids")), cache, taps);
  const Json* printed = text.find("selected_experts_position_11");
  const Json experts = printed == nullptr ? Json::Array{} : *printed;
  EXPECT_EQ(experts.size(), GetParam() == 'b' ? 3u : 0u);
  for (std::size_t i = 0; i < experts.size(); ++i) {
    const auto& index = taps.at("text.layer." + std::to_string(i) + ".moe.topk_index");
    EXPECT_EQ(index.row(11), experts[i].get<std::vector<double>>()) << "layer " << i;
  }
}

TEST_P(PrintedTables, SoftPromptAndDecode) {
  const Json& media = table_.at("multimodal");
  const TokenChunk prompt = prompt_of(media.at("ids"));
  KvCache cache = model_->new_cache();
  std::vector<TapRecorder> calls(3);
  model_->forward(prompt, cache, calls[0]);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto id = media.at("decode_ids").at(i).get<std::int32_t>();
    model_->forward(text_chunk({id}, 12 + i), cache, calls[1 + i]);
  }
  for (const Json& line : media.at("taps")) {
    const auto position = line.at("position").get<std::size_t>();
    const TapRecorder& call = calls[position < 12 ? 0 : position - 11];
    expect_printed(call.at(line.at("tap").string()).row(position < 12 ? position : 0), line);
  }
  std::vector<std::int32_t> tokens;
  for (const TapRecorder& call : calls) {
    append_greedy(call.at("text.logits"), tokens);
  }
  EXPECT_EQ(Json(tokens), media.at("argmax"));
}

// Once more, one token or one block a call: the ring of the sliding layers wraps twice.
TEST_P(PrintedTables, TextPromptTokenByToken) {
  const Json& text = table_.at("text");
  const TokenChunk prompt = prompt_of(text.at("ids"));
  KvCache cache = model_->new_cache();
  TapRecorder taps;
  for (std::size_t t = 0; t < prompt.ids.size(); ++t) {
    model_->forward(slice(prompt, t, t + 1), cache, taps);
  }
  for (const Json& line : text.at("taps")) {
    expect_printed(taps.at(line.at("tap").string()).row(0), line);
  }
}

TEST_P(PrintedTables, Drafts) {
  if (!drafter_) {
    EXPECT_FALSE(table_.contains("drafter"));
    return;
  }
  const Json& printed = table_.at("drafter");
  KvCache cache = model_->new_cache(Drafter::rollback_reserve(3));
  Taps silent;
  const auto prompt = prompt_of(table_.at("text").at("ids"));
  const auto result = model_->forward(prompt, cache, silent);
  auto hidden = make_tensor<T, D>({1, kWidth});
  std::copy_n(result.final_norm.data() + 11 * kWidth, kWidth, hidden.data());
  const Drafter drafter(*drafter_, *model_);
  for (const auto window : {DraftWindow::kStandard, DraftWindow::kLastKeys}) {
    const std::string name = window == DraftWindow::kStandard ? "std" : "hf";
    TapRecorder taps;
    const auto drafted =
        drafter.draft(cache, printed.at("token").get<std::int32_t>(),
                      printed.at("position").get<std::int32_t>(), hidden, 3, window, taps);
    EXPECT_EQ(Json(drafted), printed.at("drafted_tokens_" + name));
    EXPECT_EQ(taps.at("mtp.step.0.layer.0.attn.kv_source").values[0],
              printed.at("target_layer_sliding").get<double>());
    EXPECT_EQ(taps.at("mtp.step.0.layer.3.attn.kv_source").values[0],
              printed.at("target_layer_full").get<double>());
    for (const Json& line : printed.at("taps")) {
      if (line.at("window") != "any" && line.at("window") != name) {
        continue;
      }
      const auto& values = taps.at(line.at("tap").string()).values;
      if (line.contains("value")) {
        EXPECT_EQ(values, line["value"].get<std::vector<double>>()) << line;
      } else {
        expect_printed(values, line, kDraftSlack);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tiny, PrintedTables, testing::Values('a', 'b', 'c'),
                         [](const auto& value) { return std::string(1, value.param); });

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
