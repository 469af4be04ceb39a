// SPDX-License-Identifier: Apache-2.0
// I-8, I-9 and I-10: what can be read off the values themselves; and the same run twice.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "conformance/properties/prompts.h"
#include "conformance/properties/subjects.h"
#include "reference/family/checkpoint/checkpoint.h"

namespace assay::conformance {
namespace {

std::string at_layer(std::size_t i) {
  return "text.layer." + std::to_string(i) + ".attn.";
}

double mean_square(const std::vector<double>& values, std::size_t first, std::size_t width) {
  double sum = 0;
  for (std::size_t i = first; i < first + width; ++i) {
    sum += values[i] * values[i];
  }
  return sum / static_cast<double>(width);
}

// I-8: every head of v has mean square ms / (ms + eps), that is 1.
void values_have_unit_size(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    const TextConfig& config = subject.config.text;
    const TapMap taps = run_taps(subject, media_prompt(config.hidden_size));
    for (std::size_t i = 0; i < config.first_kv_shared_layer(); ++i) {
      INFO(subject.name << ", layer " << i);
      const auto& raw = taps.at(at_layer(i) + "v_proj").values;
      const auto& normed = taps.at(at_layer(i) + "v_norm").values;
      const std::size_t width = config.layers[i].head_dim;
      for (std::size_t first = 0; first < raw.size(); first += width) {
        const double before = mean_square(raw, first, width);
        const double expected = before / (before + config.rms_norm_eps);
        CHECK(mean_square(normed, first, width) == Approx(expected).epsilon(subject.bound));
        CHECK(expected == Approx(1).epsilon(1e-3));
      }
    }
    for (std::size_t i = config.first_kv_shared_layer(); i < config.layers.size(); ++i) {
      CHECK(taps.count(at_layer(i) + "v_norm") == 0);
    }
  }
}

// I-8: where the value is the raw key, the normed key is the value times the key's scale, exactly.
void values_are_raw_keys(const std::string& checkpoint) {
  const std::string path = golden_checkpoint(checkpoint);
  const Checkpoint weights = Checkpoint::open(path);
  for (Subject& subject : subjects(path)) {
    const TapMap taps = run_taps(subject, media_prompt(subject.config.text.hidden_size));
    for (std::size_t i = 0; i < subject.config.text.layers.size(); ++i) {
      INFO(subject.name << ", layer " << i);
      const LayerConfig& layer = subject.config.text.layers[i];
      const bool same =
          taps.at(at_layer(i) + "k_proj").values == taps.at(at_layer(i) + "v_proj").values;
      CHECK(layer.k_eq_v == (layer.kind == LayerKind::kFull));
      CHECK(same == layer.k_eq_v);  // M-81: not on sliding layers
      if (!layer.k_eq_v) {
        continue;
      }
      std::vector<float> scale(layer.head_dim);
      weights.read("layers." + std::to_string(i) + ".self_attn.k_norm.weight", 0, scale.size(),
                   scale.data());
      auto scaled = taps.at(at_layer(i) + "v_norm").values;
      for (std::size_t j = 0; j < scaled.size(); ++j) {
        scaled[j] *= static_cast<double>(scale[j % scale.size()]);
      }
      const auto& keys = taps.at(at_layer(i) + "k_norm").values;
      const double rounding = subject.implementation->capabilities().precision == "f64" ? 0 : 1e-7;
      CHECK(relative_distance(scaled, keys) <= rounding);
    }
  }
}

std::size_t argmax(const std::vector<double>& row) {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

// I-9, R-07
void cap_keeps_the_choice(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    const double cap = subject.config.text.final_logit_softcapping.value();
    const TapMap taps = run_taps(subject, media_prompt(subject.config.text.hidden_size));
    const Tap& raw = taps.at("text.logits_raw");
    const Tap& capped = taps.at("text.logits");
    for (const double logit : capped.values) {
      CHECK(std::abs(logit) < cap);
    }
    for (std::size_t t = 0; t < raw.shape[0]; ++t) {
      CHECK(argmax(row_of(raw, t)) == argmax(row_of(capped, t)));
    }
    CHECK(raw.values != capped.values);
  }
}

// Channels of a head that are not the same in both taps.
std::vector<bool> changed_channels(const Tap& before, const Tap& after) {
  std::vector<bool> changed(before.shape.back(), false);
  for (std::size_t j = 0; j < before.values.size(); ++j) {
    if (before.values[j] != after.values[j]) {
      changed[j % changed.size()] = true;
    }
  }
  return changed;
}

// I-10: full layers leave the channels beyond their share alone, to the last bit.
void channels_pass_through(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    const TextConfig& config = subject.config.text;
    const TapMap taps = run_taps(subject, text_prompt(9));
    for (std::size_t i = 0; i < config.layers.size(); ++i) {
      const bool full = config.layers[i].kind == LayerKind::kFull;
      const std::size_t half = config.layers[i].head_dim / 2;
      const double share = (full ? config.rope_full : config.rope_sliding).partial_rotary_factor;
      const auto turning = static_cast<std::size_t>(share * static_cast<double>(half));
      REQUIRE((turning < half) == full);
      std::vector<bool> expected;
      for (std::size_t channel = 0; channel < 2 * half; ++channel) {
        expected.push_back(channel % half < turning);
      }
      for (const std::string part : {"q", "k"}) {
        if (part == "q" || !config.shares_kv(i)) {
          INFO(subject.name << ", layer " << i << ", " << part);
          const std::string at = at_layer(i) + part;
          CHECK(changed_channels(taps.at(at + "_norm"), taps.at(at + "_rope")) == expected);
        }
      }
    }
  }
}

// The same input gives the same bits, also after another one.
void runs_repeat(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    const CaseInput input = media_prompt(subject.config.text.hidden_size);
    for (const std::size_t chunk : {0u, 3u}) {
      const TapMap once = run_taps(subject, input, chunk);
      run_taps(subject, text_prompt(9));
      const TapMap again = run_taps(subject, input, chunk);
      REQUIRE(once.size() == again.size());
      for (const auto& [name, tap] : once) {
        INFO(subject.name << ", " << name);
        CHECK(tap.values == again.at(name).values);
      }
    }
  }
}

TEST_CASE("e2b: values have unit size", "[e2b][I-8]") {
  values_have_unit_size("e2b-tiny");
}
TEST_CASE("e4b: values have unit size", "[e4b][I-8]") {
  values_have_unit_size("e4b-tiny");
}
TEST_CASE("12b: values have unit size", "[12b][I-8]") {
  values_have_unit_size("12b-tiny");
}
TEST_CASE("26b: values have unit size", "[26b][I-8]") {
  values_have_unit_size("26b-tiny");
}
TEST_CASE("31b: values have unit size", "[31b][I-8]") {
  values_have_unit_size("31b-tiny");
}

TEST_CASE("12b: values are raw keys", "[12b][I-8]") {
  values_are_raw_keys("12b-tiny");
}
TEST_CASE("26b: values are raw keys", "[26b][I-8]") {
  values_are_raw_keys("26b-tiny");
}
TEST_CASE("31b: values are raw keys", "[31b][I-8]") {
  values_are_raw_keys("31b-tiny");
}

TEST_CASE("e2b: the cap keeps the choice", "[e2b][I-9]") {
  cap_keeps_the_choice("e2b-tiny");
}
TEST_CASE("e4b: the cap keeps the choice", "[e4b][I-9]") {
  cap_keeps_the_choice("e4b-tiny");
}
TEST_CASE("12b: the cap keeps the choice", "[12b][I-9]") {
  cap_keeps_the_choice("12b-tiny");
}
TEST_CASE("26b: the cap keeps the choice", "[26b][I-9]") {
  cap_keeps_the_choice("26b-tiny");
}
TEST_CASE("31b: the cap keeps the choice", "[31b][I-9]") {
  cap_keeps_the_choice("31b-tiny");
}

TEST_CASE("e2b: channels pass through", "[e2b][I-10]") {
  channels_pass_through("e2b-tiny");
}
TEST_CASE("e4b: channels pass through", "[e4b][I-10]") {
  channels_pass_through("e4b-tiny");
}
TEST_CASE("12b: channels pass through", "[12b][I-10]") {
  channels_pass_through("12b-tiny");
}
TEST_CASE("26b: channels pass through", "[26b][I-10]") {
  channels_pass_through("26b-tiny");
}
TEST_CASE("31b: channels pass through", "[31b][I-10]") {
  channels_pass_through("31b-tiny");
}

TEST_CASE("e2b: runs repeat", "[e2b]") {
  runs_repeat("e2b-tiny");
}
TEST_CASE("e4b: runs repeat", "[e4b]") {
  runs_repeat("e4b-tiny");
}
TEST_CASE("12b: runs repeat", "[12b]") {
  runs_repeat("12b-tiny");
}
TEST_CASE("26b: runs repeat", "[26b]") {
  runs_repeat("26b-tiny");
}
TEST_CASE("31b: runs repeat", "[31b]") {
  runs_repeat("31b-tiny");
}

}  // namespace
}  // namespace assay::conformance
