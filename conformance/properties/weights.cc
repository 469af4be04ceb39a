// SPDX-License-Identifier: Apache-2.0
// I-6 and I-7: factors that a norm takes out, and experts under other numbers.
#include <algorithm>

#include "conformance/properties/checkpoint_copy.h"
#include "conformance/properties/prompts.h"
#include "conformance/properties/property_tables.h"

namespace assay::conformance {
namespace {

constexpr const char* kNoEps = "1e-30";  // next to a mean square around 1 it leaves no bit
constexpr const char* kUsualEps = "1e-06";

void keep(const std::string& /*name*/, const std::vector<std::size_t>& /*shape*/,
          std::vector<float>& /*values*/) {}

TapMap run_on(Subject& subject, const std::string& checkpoint, const CaseInput& input) {
  load(subject, checkpoint);
  return run_taps(subject, input);
}

std::vector<double> eightfold(std::vector<double> values) {
  for (double& value : values) {
    value *= 8;
  }
  return values;
}

// A copy in which the weights that end in `weight` are eight times as large.
CheckpointCopy scaled_copy(const Subject& subject, const char* eps, const std::string& weight,
                           std::size_t& changed) {
  return {
      subject.checkpoint, eps,
      [&](const std::string& name, const std::vector<std::size_t>&, std::vector<float>& values) {
        if (name.ends_with(weight)) {
          ++changed;
          std::ranges::for_each(values, [](float& value) { value *= 8; });
        }
      }};
}

// Factors of two are exact in every format, so without eps the bits downstream are the same.
void expect_absorbed(Subject& subject, const std::string& weight, const std::string& tap_of_it,
                     Findings& findings) {
  std::size_t changed = 0;
  const CheckpointCopy plain(subject.checkpoint, kNoEps, keep);
  const CheckpointCopy scaled = scaled_copy(subject, kNoEps, weight, changed);
  findings.expect(changed > 0, [&] { return "got no weight *" + weight + ", expected some"; });
  const CaseInput input = usual_prompt(subject);
  const TapMap theirs = run_on(subject, plain.path(), input);
  const TapMap ours = run_on(subject, scaled.path(), input);
  for (const std::string name : {"text.logits", "text.layer.2.out"}) {
    const auto& now = tap_of(ours, name).values;
    const auto& then = tap_of(theirs, name).values;
    findings.expect(now == then, [&] {
      return name + ", " + weight +
             " eight times as large: " + at_most(relative_distance(now, then), 0);
    });
  }
  const auto& now = tap_of(ours, tap_of_it).values;
  const auto expected = eightfold(tap_of(theirs, tap_of_it).values);
  findings.expect(now == expected, [&] {
    return tap_of_it + ", " + weight + " eight times as large: got other than eight times as much";
  });
}

void norms_take_out_factors(Subject& subject, Findings& findings) {
  const TextConfig& config = subject.config.text;
  expect_absorbed(subject, ".self_attn.o_proj.weight", "text.layer.1.attn.o_proj", findings);
  expect_absorbed(subject, ".mlp.down_proj.weight", "text.layer.1.ffn.down", findings);
  if (config.moe) {
    expect_absorbed(subject, ".experts.down_proj", "text.layer.1.moe.sum", findings);
  }
  if (config.hidden_size_per_layer_input > 0) {
    expect_absorbed(subject, ".per_layer_projection.weight", "text.layer.1.ple.proj", findings);
  }
}

// With the usual eps the factor shows, but no more than eps allows.
void eps_shows_a_little(Subject& subject, Findings& findings) {
  std::size_t changed = 0;
  const CheckpointCopy plain(subject.checkpoint, kUsualEps, keep);
  const CheckpointCopy scaled =
      scaled_copy(subject, kUsualEps, ".self_attn.o_proj.weight", changed);
  const TapMap theirs = run_on(subject, plain.path(), text_prompt(15));
  const TapMap ours = run_on(subject, scaled.path(), text_prompt(15));
  const double apart =
      relative_distance(tap_of(ours, "text.logits").values, tap_of(theirs, "text.logits").values);
  findings.expect(apart > 1e-12, [&] { return "text.logits: " + more_than(apart, 1e-12); });
  findings.expect(apart < 1e-3, [&] { return "text.logits: " + at_most(apart, 1e-3); });
}

// Expert e becomes expert order[e].
void permute_slices(const std::vector<std::size_t>& order, std::vector<float>& values) {
  const std::vector<float> before = values;
  const std::size_t size = values.size() / order.size();
  for (std::size_t e = 0; e < order.size(); ++e) {
    std::copy_n(before.begin() + static_cast<std::ptrdiff_t>(e * size), size,
                values.begin() + static_cast<std::ptrdiff_t>(order[e] * size));
  }
}

// 5 4 3 2 1 0 7 6 of eight experts: of an even number none keeps its own.
std::vector<std::size_t> order_of(std::size_t experts) {
  std::vector<std::size_t> order;
  for (std::size_t e = 0; e < experts; ++e) {
    order.push_back((experts - e + 5) % experts);
  }
  return order;
}

// Weights that know the experts' numbers, per layer.
constexpr const char* kByExpert[] = {".experts.gate_up_proj", ".experts.down_proj",
                                     ".router.proj.weight", ".router.per_expert_scale"};

void compare_experts(const TapMap& ours, TapMap theirs, const std::vector<std::size_t>& order,
                     double bound, Findings& findings) {
  for (auto& [name, tap] : theirs) {
    if (name.ends_with(".moe.topk_index")) {
      for (double& expert : tap.values) {
        expert = static_cast<double>(order.at(static_cast<std::size_t>(expert)));
      }
    }
    const bool by_expert = name.ends_with(".router_logits") || name.ends_with(".router_probs");
    const double apart = relative_distance(tap_of(ours, name).values, tap.values);
    findings.expect(by_expert ? apart > 0.01 : apart <= bound, [&, &tap_name = name] {
      return tap_name + ": " + (by_expert ? more_than(apart, 0.01) : at_most(apart, bound));
    });
  }
}

void experts_under_other_numbers(Subject& subject, Findings& findings) {
  const std::vector<std::size_t> order = order_of(subject.config.text.moe->num_experts);
  std::size_t changed = 0;
  const CheckpointCopy permuted(
      subject.checkpoint, "",
      [&](const std::string& name, const std::vector<std::size_t>& shape,
          std::vector<float>& values) {
        for (const char* part : kByExpert) {
          if (name.ends_with(part) && !shape.empty() && shape[0] == order.size()) {
            permute_slices(order, values);
            ++changed;
          }
        }
      });
  const std::size_t expected = std::size(kByExpert) * subject.config.text.layers.size();
  findings.expect(changed == expected, [&] {
    return "got " + std::to_string(changed) + " weights of experts, expected " +
           std::to_string(expected);
  });
  const CaseInput input = usual_prompt(subject);
  TapMap theirs = run_taps(subject, input);
  const TapMap ours = run_on(subject, permuted.path(), input);
  compare_experts(ours, std::move(theirs), order, subject.bound, findings);
}

constexpr Property kProperties[] = {
    {"I-6", "norms take out factors", {.copies = true}, norms_take_out_factors},
    {"I-6", "eps shows a little", {.copies = true}, eps_shows_a_little},
    {"I-7",
     "experts under other numbers",
     {.experts = true, .copies = true},
     experts_under_other_numbers},
};

}  // namespace

std::span<const Property> weight_properties() {
  return kProperties;
}

}  // namespace assay::conformance
