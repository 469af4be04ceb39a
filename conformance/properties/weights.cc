// SPDX-License-Identifier: Apache-2.0
// I-6 and I-7: factors that a norm takes out, and experts under other numbers.
#include <algorithm>
#include <cmath>

#include "conformance/properties/agreement.h"
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

// A copy in which the weights that end in `weight` are `factor` times as large.
CheckpointCopy scaled_copy(const Subject& subject, const char* eps, const std::string& weight,
                           float factor, std::size_t& changed) {
  return {
      subject.checkpoint, eps,
      [&](const std::string& name, const std::vector<std::size_t>&, std::vector<float>& values) {
        if (name.ends_with(weight)) {
          ++changed;
          std::ranges::for_each(values, [factor](float& value) { value *= factor; });
        }
      }};
}

// Factors of two are exact in every format, so without eps the bits downstream are the same.
void expect_absorbed(Subject& subject, const std::string& weight, const std::string& tap_of_it,
                     Findings& findings) {
  std::size_t changed = 0;
  const CheckpointCopy plain(subject.checkpoint, kNoEps, keep);
  const CheckpointCopy scaled = scaled_copy(subject, kNoEps, weight, 8, changed);
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

double mean_square(const std::vector<double>& row) {
  double sum = 0;
  for (const double value : row) {
    sum += value * value;
  }
  return sum / static_cast<double>(row.size());
}

// The first norm after a product that is 1024 times as small: with the usual eps the factor shows,
// as much as eps allows.
//
//   |y'| / |y| = (ms' / (ms' + eps))^(1/2) / (ms / (ms + eps))^(1/2)
void eps_shows_a_little(Subject& subject, Findings& findings) {
  const std::string product = "text.layer.0.attn.o_proj";
  const std::string norm = "text.layer.0.attn.post_norm";
  const std::string weight = ".self_attn.o_proj.weight";
  constexpr float kFactor = 0x1p-10F;
  const double eps = std::stod(kUsualEps);
  std::size_t changed = 0;
  const CheckpointCopy plain(subject.checkpoint, kUsualEps, keep);
  const CheckpointCopy scaled = scaled_copy(subject, kUsualEps, weight, kFactor, changed);
  findings.expect(changed > 0, [&] { return "got no weight *" + weight + ", expected some"; });
  load(subject, plain.path());
  const Shown theirs = show(subject, text_prompt(15));
  const double bound = 2 * step_bound(subject, theirs, norm);
  const TapMap ours = run_on(subject, scaled.path(), theirs.input);
  const auto size = [](const TapMap& taps, const std::string& tap, std::size_t t) {
    return mean_square(row_of(tap_of(taps, tap), t));
  };
  for (std::size_t t = 0; t < theirs.input.ids.size(); ++t) {
    const double before = size(theirs.taps, product, t);
    const double after = size(ours, product, t);
    const double expected = std::sqrt(after / (after + eps) * ((before + eps) / before));
    const std::string place = norm + ", row " + std::to_string(t);
    if (!(1 - expected > 2 * bound)) {
      findings.leave(place);
      continue;
    }
    const double got = std::sqrt(size(ours, norm, t) / size(theirs.taps, norm, t));
    findings.expect(std::abs(got - expected) <= bound * expected, [&] {
      return place + ", " + weight + " 1024 times as small, its share: " +
             between(got, expected * (1 - bound), expected * (1 + bound));
    });
  }
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

// What a run shows when its experts have other numbers.
TapMap renumbered(TapMap taps, const std::vector<std::size_t>& order) {
  const std::size_t experts = order.size();
  for (auto& [name, tap] : taps) {
    if (name.ends_with(".moe.topk_index")) {
      for (double& expert : tap.values) {
        expert = static_cast<double>(order.at(static_cast<std::size_t>(expert)));
      }
    } else if (name.ends_with(".router_logits") || name.ends_with(".router_probs")) {
      const std::vector<double> before = tap.values;
      for (std::size_t i = 0; i < before.size(); ++i) {
        tap.values[i / experts * experts + order[i % experts]] = before[i];
      }
    }
  }
  return taps;
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
  const Shown theirs = show(subject, usual_prompt(subject));
  Agreement agreement(subject, theirs, theirs.input);
  const TapMap ours = run_on(subject, permuted.path(), theirs.input);
  agreement.expect_same(ours, renumbered(theirs.taps, order), "", findings);
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
