// SPDX-License-Identifier: Apache-2.0
// I-6 and I-7: factors that a norm takes out, and experts under other numbers.
#include <catch2/catch.hpp>

#include "conformance/properties/prompts.h"
#include "conformance/properties/subjects.h"
#include "conformance/testing/checkpoint_copy.h"

namespace assay::conformance {
namespace {

constexpr const char* kNoEps = "1e-30";  // next to a mean square around 1 it leaves no bit

void keep(const std::string& /*name*/, const std::vector<std::size_t>& /*shape*/,
          std::vector<float>& /*values*/) {}

// Factors of two are exact in every format, so without eps the bits downstream are the same.
void expect_absorbed(const std::string& checkpoint, const std::string& weight,
                     const std::string& tap_of_it) {
  std::size_t changed = 0;
  const auto scale = [&](const std::string& name, const std::vector<std::size_t>&,
                         std::vector<float>& values) {
    if (!name.ends_with(weight)) {
      return;
    }
    ++changed;
    for (float& value : values) {
      value *= 8;
    }
  };
  const std::string golden = golden_checkpoint(checkpoint);
  const CheckpointCopy plain(golden, kNoEps, keep);
  const CheckpointCopy scaled(golden, kNoEps, scale);
  REQUIRE(changed > 0);
  auto before = subjects(plain.path());
  auto after = subjects(scaled.path());
  for (std::size_t i = 0; i < before.size(); ++i) {
    INFO(before[i].name << ", " << weight);
    const CaseInput input = media_prompt(before[i].config.text.hidden_size);
    const TapMap ours = run_taps(after[i], input);
    const TapMap theirs = run_taps(before[i], input);
    CHECK(ours.at("text.logits").values == theirs.at("text.logits").values);
    CHECK(ours.at("text.layer.2.out").values == theirs.at("text.layer.2.out").values);
    auto eightfold = theirs.at(tap_of_it).values;
    for (double& value : eightfold) {
      value *= 8;
    }
    CHECK(ours.at(tap_of_it).values == eightfold);
  }
}

void post_norms_absorb_factors(const std::string& checkpoint) {
  const TextConfig config = subjects(golden_checkpoint(checkpoint)).front().config.text;
  expect_absorbed(checkpoint, ".self_attn.o_proj.weight", "text.layer.1.attn.o_proj");
  expect_absorbed(checkpoint, ".mlp.down_proj.weight", "text.layer.1.ffn.down");
  if (config.moe) {
    expect_absorbed(checkpoint, ".experts.down_proj", "text.layer.1.moe.sum");
  }
  if (config.hidden_size_per_layer_input > 0) {
    expect_absorbed(checkpoint, ".per_layer_projection.weight", "text.layer.1.ple.proj");
  }
}

// With the checkpoint's own eps the factor shows, but no more than eps allows.
void eps_shows_a_little(const std::string& checkpoint) {
  const auto scale = [](const std::string& name, const std::vector<std::size_t>&,
                        std::vector<float>& values) {
    for (float& value : values) {
      value *= name.ends_with(".self_attn.o_proj.weight") ? 8.0F : 1.0F;
    }
  };
  const std::string golden = golden_checkpoint(checkpoint);
  const CheckpointCopy scaled(golden, "1e-06", scale);
  auto before = subjects(golden);
  auto after = subjects(scaled.path());
  const auto ours = run_taps(after[0], text_prompt(15)).at("text.logits").values;
  const auto theirs = run_taps(before[0], text_prompt(15)).at("text.logits").values;
  CHECK(relative_distance(ours, theirs) > 1e-12);
  CHECK(relative_distance(ours, theirs) < 1e-3);
}

// Expert e becomes expert order[e].
template <class Order>
void permute_slices(const Order& order, std::vector<float>& values) {
  const std::vector<float> before = values;
  const std::size_t size = values.size() / order.size();
  for (std::size_t e = 0; e < order.size(); ++e) {
    std::copy_n(before.begin() + static_cast<std::ptrdiff_t>(e * size), size,
                values.begin() + static_cast<std::ptrdiff_t>(order[e] * size));
  }
}

void experts_under_other_numbers(const std::string& checkpoint) {
  const std::vector<std::size_t> order = {5, 2, 7, 0, 3, 6, 1, 4};
  std::size_t changed = 0;
  const auto permute = [&](const std::string& name, const std::vector<std::size_t>& shape,
                           std::vector<float>& values) {
    for (const char* part : {".experts.gate_up_proj", ".experts.down_proj", ".router.proj.weight",
                             ".router.per_expert_scale"}) {
      if (name.ends_with(part)) {
        REQUIRE(shape.at(0) == order.size());
        permute_slices(order, values);
        ++changed;
      }
    }
  };
  const std::string golden = golden_checkpoint(checkpoint);
  const CheckpointCopy permuted(golden, "1e-06", permute);
  auto before = subjects(golden);
  REQUIRE(changed == 4 * before.front().config.text.layers.size());
  auto after = subjects(permuted.path());
  for (std::size_t i = 0; i < before.size(); ++i) {
    const CaseInput input = media_prompt(before[i].config.text.hidden_size);
    const TapMap ours = run_taps(after[i], input);
    TapMap theirs = run_taps(before[i], input);
    for (auto& [name, tap] : theirs) {
      INFO(before[i].name << ", " << name);
      if (name.ends_with(".moe.topk_index")) {
        for (double& expert : tap.values) {
          expert = static_cast<double>(order[static_cast<std::size_t>(expert)]);
        }
      }
      const bool by_expert = name.ends_with(".router_logits") || name.ends_with(".router_probs");
      const double apart = relative_distance(ours.at(name).values, tap.values);
      CHECK((by_expert ? apart > 0.01 : apart <= before[i].bound));
    }
  }
}

TEST_CASE("e2b: norms take out factors", "[e2b][I-6]") {
  post_norms_absorb_factors("e2b-tiny");
}
TEST_CASE("e4b: norms take out factors", "[e4b][I-6]") {
  post_norms_absorb_factors("e4b-tiny");
}
TEST_CASE("12b: norms take out factors", "[12b][I-6]") {
  post_norms_absorb_factors("12b-tiny");
}
TEST_CASE("26b: norms take out factors", "[26b][I-6]") {
  post_norms_absorb_factors("26b-tiny");
}
TEST_CASE("31b: norms take out factors", "[31b][I-6]") {
  post_norms_absorb_factors("31b-tiny");
}

TEST_CASE("e2b: eps shows a little", "[e2b][I-6]") {
  eps_shows_a_little("e2b-tiny");
}
TEST_CASE("12b: eps shows a little", "[12b][I-6]") {
  eps_shows_a_little("12b-tiny");
}

TEST_CASE("26b: experts under other numbers", "[26b][I-7]") {
  experts_under_other_numbers("26b-tiny");
}

}  // namespace
}  // namespace assay::conformance
