// SPDX-License-Identifier: Apache-2.0
// golden/tables/loading_forms.json: what transformers makes of some 160 forms in which a checkpoint
// may be stored. What it loads without a key missing or unexpected loads here, with the same
// weights and logits; what it would load wrongly in silence is refused.
#include <map>
#include <optional>
#include <set>

#include "reference/blocks/embedder.h"
#include "reference/family/base/json_object.h"
#include "reference/family/checkpoint/tensor_table.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_loading_form.h"
#include "reference/model/generate.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

const std::string kCheckpoints = source_dir() + "/golden/checkpoints/";

// transformers loads these, and they are refused here with these words.
const std::map<std::string, std::string> kRefused = {
    // It takes one of two tensors of one name, or numbers that are none.
    {"both-names-differ", "got other values than"},
    {"both-prefixes-differ", "got other values than"},
    {"twice-differs", "got other values than"},
    {"weight-is-integer", "dtype: got I8, expected one of"},
    // Arithmetic that no Gemma 4 has.
    {"key-activation-relu", "text_config.hidden_activation: got \"relu\""},
    {"key-activation-gelu", "text_config.hidden_activation: got \"gelu\""},
    {"key-attn-softcap", "text_config.attn_logit_softcapping: got 50.0"},
    {"key-bidirectional-all", "text_config.use_bidirectional_attention: got \"all\""},
    {"key-rope-factor", "text_config.rope_parameters.full_attention.factor: got 8.0"},
    {"key-rope-linear", "text_config.rope_parameters.full_attention.rope_type: got \"linear\""},
    {"key-rope-sliding-factor", "sliding_attention.factor: got 8.0"},
    {"key-rope-yarn", "text_config.rope_parameters.sliding_attention.rope_type: got \"yarn\""},
    {"key-rope-sliding-part", "sliding_attention.partial_rotary_factor: got 0.5"},
    {"key-vision-activation", "vision_config.hidden_activation: got \"relu\""},
    {"key-vision-bias", "vision_config.attention_bias: got true"},
    {"key-audio-context", "audio_config.attention_context_right: got 4"},
    {"key-audio-act", "audio_config.hidden_act: got \"relu\""},
    // Keys without which a library's default would be taken.
    {"key-eps-absent", "text_config.rms_norm_eps: got nothing"},
    {"key-rope-absent", "text_config.rope_parameters: got nothing"},
    {"key-rope-missing", "text_config.rope_parameters: got null"},
};

// transformers reports these, and they load here: what is left out or stands beside is told apart
// from what the model needs.
const std::set<std::string> kTaken = {"no-audio-tensors", "no-audio-config", "bounds-of-rank-1",
                                      "inv-freq", "key-quantization"};

class LoadingForms : public testing::Test {
 protected:
  LoadingForms() {
    const std::string file = "loading_forms.json";
    table_ = parse_json_file(source_dir() + "/golden/tables/" + file, file, 1 << 20);
    for (const Json& row : table_.at("forms")) {
      if (row.at("form") == "released") {
        released_.emplace(row.at("base").string(), row.at("transformers"));
      }
    }
  }

  std::filesystem::path write(const Json& row) const {
    LoadingForm form(kCheckpoints + row.at("base").string());
    for (const Json& step : row.at("steps")) {
      form.apply(step);
    }
    const auto path = directory_.path() / "form";
    std::filesystem::remove_all(path);
    form.write(path);
    return path;
  }

  // [V], as make_loading_forms.py computes them.
  std::vector<double> logits_of(const Checkpoint& checkpoint) const {
    if (checkpoint.config().drafter) {
      const WeightReader reader(checkpoint);
      Tensor<T, D> hidden = make_tensor<T, D>({1, checkpoint.config().text.hidden_size});
      for (std::size_t i = 0; i < hidden.size(); ++i) {
        hidden(0, i) = static_cast<Real>(i + 1) / Real(8);
      }
      return values_of(unembed(reader, head_table(reader), hidden));
    }
    const Transformer model(checkpoint);
    KvCache cache = model.new_cache();
    Taps taps;
    const auto prompt = text_chunk(table_.at("prompt").get<std::vector<std::int32_t>>(), 0);
    const auto logits = model.forward(prompt, cache, taps).logits;
    const auto last = row(logits, prompt.ids.size() - 1, logits.shape()[1]);
    return {last.begin(), last.end()};
  }

  void expect_logits(const Checkpoint& checkpoint, const Json& row) const {
    const Json& found = row.at("transformers");
    const bool as_released = found.at("logits") == "as released";
    const Json& expected =
        (as_released ? released_.at(row.at("base").string()) : found).at("logits");
    const auto logits = logits_of(checkpoint);
    ASSERT_EQ(logits.size(), expected.size());
    for (std::size_t i = 0; i < logits.size(); ++i) {
      ASSERT_NEAR(logits[i], expected[i].get<double>(), bound_of(2e-2, 2e-11)) << i;
    }
  }

  static void expect_released_weights(const Checkpoint& checkpoint, const std::string& base) {
    const auto released = Checkpoint::open(kCheckpoints + base);
    for (const ExpectedTensor& tensor : expected_tensors(checkpoint.config())) {
      if (tensor.use == TensorUse::kIgnored || tensor.use == TensorUse::kInteger) {
        continue;
      }
      std::size_t elements = 1;
      for (const std::size_t extent : tensor.shape) {
        elements *= extent;
      }
      std::vector<double> got(elements);
      std::vector<double> expected(elements);
      checkpoint.read(tensor.name, 0, elements, got.data());
      released.read(tensor.name, 0, elements, expected.data());
      ASSERT_EQ(got, expected) << tensor.name;
    }
  }

  void expect_as_transformers(const Json& row) const {
    const auto path = write(row);
    const std::string form = row.at("form").string();
    const Json& found = row.at("transformers");
    const std::string message = error_of([&] { Checkpoint::open(path); });
    const auto refused = kRefused.find(form);
    if (refused != kRefused.end()) {
      EXPECT_TRUE(found.contains("state"));
      EXPECT_NE(message.find(refused->second), std::string::npos) << message;
      return;
    }
    if (!found.contains("state") && !kTaken.contains(form)) {
      EXPECT_NE(message, "no error") << found;
      return;
    }
    ASSERT_EQ(message, "no error") << found;
    const auto checkpoint = Checkpoint::open(path);
    if (!found.contains("state") || found.at("state") == "as released") {
      expect_released_weights(checkpoint, row.at("base").string());
    }
    if (found.contains("logits")) {
      expect_logits(checkpoint, row);
    }
  }

  TestDirectory directory_;
  Json table_;
  std::map<std::string, Json> released_;
};

TEST_F(LoadingForms, AreTakenAsTransformersTakesThem) {
  std::set<std::string> names;
  for (const Json& row : table_.at("forms")) {
    SCOPED_TRACE(row.at("form").string() + " of " + row.at("base").string());
    names.insert(row.at("form").string());
    expect_as_transformers(row);
  }
  for (const auto& [name, words] : kRefused) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
