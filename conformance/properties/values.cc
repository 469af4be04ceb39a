// SPDX-License-Identifier: Apache-2.0
// I-8, I-9 and I-10: what can be read off the values themselves; and the same run twice.
#include <algorithm>
#include <cmath>

#include "conformance/properties/agreement.h"
#include "conformance/properties/prompts.h"
#include "conformance/properties/property_tables.h"
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

void expect_near(double got, double expected, double bound, const std::string& what,
                 Findings& findings) {
  if (tells_nothing(bound)) {
    findings.leave(what);
    return;
  }
  findings.expect(std::abs(got - expected) <= bound * std::abs(expected), [&] {
    return what + ": mean square: " + between(got, expected * (1 - bound), expected * (1 + bound));
  });
}

// I-8: every head of v has mean square ms / (ms + eps), that is 1.
void values_have_unit_size(Subject& subject, Findings& findings) {
  const TextConfig& config = subject.config.text;
  const Shown shown = show(subject, usual_prompt(subject));
  for (std::size_t i = 0; i < config.first_kv_shared_layer(); ++i) {
    const auto& raw = tap_of(shown.taps, at_layer(i) + "v_proj").values;
    const auto& normed = tap_of(shown.taps, at_layer(i) + "v_norm").values;
    const double bound = 2 * step_bound(subject, shown, at_layer(i) + "v_norm");  // of a square
    const std::size_t width = config.layers[i].head_dim;
    for (std::size_t first = 0; first < raw.size(); first += width) {
      const double before = mean_square(raw, first, width);
      const double expected = before / (before + config.rms_norm_eps);
      const std::string what =
          at_layer(i) + "v_norm, head " + std::to_string(first / width) + " of all tokens";
      findings.expect(before > 0, [&] { return what + ": got values that are all zero"; });
      expect_near(mean_square(normed, first, width), expected, bound, what, findings);
    }
  }
  for (std::size_t i = config.first_kv_shared_layer(); i < config.layers.size(); ++i) {
    findings.expect(shown.taps.count(at_layer(i) + "v_norm") == 0, [&] {
      return at_layer(i) + "v_norm: got values of a layer that has none of its own";
    });
  }
}

std::vector<double> scaled_values(const Subject& subject, const Checkpoint& weights, std::size_t i,
                                  const TapMap& taps) {
  std::vector<float> scale(subject.config.text.layers[i].head_dim);
  weights.read("layers." + std::to_string(i) + ".self_attn.k_norm.weight", 0, scale.size(),
               scale.data());
  auto scaled = tap_of(taps, at_layer(i) + "v_norm").values;
  for (std::size_t j = 0; j < scaled.size(); ++j) {
    scaled[j] *= static_cast<double>(scale[j % scale.size()]);
  }
  return scaled;
}

// I-8: where the value is the raw key, the normed key is the value times the key's scale.
void values_are_raw_keys(Subject& subject, Findings& findings) {
  const Checkpoint weights = Checkpoint::open(subject.checkpoint);
  const Shown shown = show(subject, usual_prompt(subject));
  const TapMap& taps = shown.taps;
  for (std::size_t i = 0; i < subject.config.text.layers.size(); ++i) {
    const LayerConfig& layer = subject.config.text.layers[i];
    const bool same =
        tap_of(taps, at_layer(i) + "k_proj").values == tap_of(taps, at_layer(i) + "v_proj").values;
    findings.expect(layer.k_eq_v == (layer.kind == LayerKind::kFull),
                    [&] { return at_layer(i) + ": got raw keys as values on a sliding layer"; });
    findings.expect(same == layer.k_eq_v, [&] {  // M-81: not on sliding layers
      return at_layer(i) + "v_proj: got " + (same ? "the raw keys" : "values of their own") +
             ", expected the other";
    });
    if (!layer.k_eq_v) {
      continue;
    }
    const auto& keys = tap_of(taps, at_layer(i) + "k_norm").values;
    const double apart = relative_distance(scaled_values(subject, weights, i, taps), keys);
    const double rounding = step_bound(subject, shown, at_layer(i) + "k_norm") +
                            step_bound(subject, shown, at_layer(i) + "v_norm");
    findings.expect(apart <= rounding,
                    [&] { return at_layer(i) + "k_norm: " + at_most(apart, rounding); });
  }
}

std::size_t argmax(const std::vector<double>& row) {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

// I-9, R-07
void cap_keeps_the_choice(Subject& subject, Findings& findings) {
  if (!subject.config.text.final_logit_softcapping) {
    throw Stopped(Verdict::kNotSupported, "needs a model with a soft cap");
  }
  const double cap = *subject.config.text.final_logit_softcapping;
  const TapMap taps = run_taps(subject, usual_prompt(subject));
  const Tap& raw = tap_of(taps, "text.logits_raw");
  const Tap& capped = tap_of(taps, "text.logits");
  for (const double logit : capped.values) {
    findings.expect(std::abs(logit) < cap,
                    [&] { return "text.logits: " + at_most(std::abs(logit), cap); });
  }
  for (std::size_t t = 0; t < raw.shape[0]; ++t) {
    const auto row = row_of(capped, t);  // rounding may make equal what was not, and no more
    findings.expect(row[argmax(row_of(raw, t))] == std::ranges::max(row), [&] {
      return "text.logits, row " + std::to_string(t) + ": got another choice than before the cap";
    });
  }
  findings.expect(raw.values != capped.values,
                  [] { return "text.logits: got no cap, expected one"; });
}

// Channels of a head that are not the same in both taps.
std::vector<bool> changed_channels(const Tap& before, const Tap& after) {
  std::vector<bool> changed(before.shape.back(), false);
  for (std::size_t j = 0; j < before.values.size() && j < after.values.size(); ++j) {
    if (before.values[j] != after.values[j]) {
      changed[j % changed.size()] = true;
    }
  }
  return changed;
}

// I-10: full layers leave the channels beyond their share alone, to the last bit.
void channels_pass_through(Subject& subject, Findings& findings) {
  const TextConfig& config = subject.config.text;
  const TapMap taps = run_taps(subject, text_prompt(9));
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    const bool full = config.layers[i].kind == LayerKind::kFull;
    const std::size_t half = config.layers[i].head_dim / 2;
    const double share = (full ? config.rope_full : config.rope_sliding).partial_rotary_factor;
    const auto turning = static_cast<std::size_t>(share * static_cast<double>(half));
    findings.expect((turning < half) == full, [&] {
      return at_layer(i) + ": got a share of " + std::to_string(turning) + " of " +
             std::to_string(half) + " channel pairs, expected part of them on full layers only";
    });
    std::vector<bool> expected;
    for (std::size_t channel = 0; channel < 2 * half; ++channel) {
      expected.push_back(channel % half < turning);
    }
    for (const std::string part : {"q", "k"}) {
      if (part == "q" || !config.shares_kv(i)) {
        const std::string at = at_layer(i) + part;
        findings.expect(
            changed_channels(tap_of(taps, at + "_norm"), tap_of(taps, at + "_rope")) == expected,
            [&] { return at + "_rope: got other channels turned than the share says"; });
      }
    }
  }
}

// The same input gives the same bits, also after another one.
void runs_repeat(Subject& subject, Findings& findings) {
  const CaseInput input = usual_prompt(subject);
  for (const std::size_t chunk : {0u, 3u}) {
    if (chunk > 0 && !subject.can.chunked_prefill) {
      continue;
    }
    const TapMap once = run_taps(subject, input, chunk);
    run_taps(subject, text_prompt(9));
    const TapMap again = run_taps(subject, input, chunk);
    findings.expect(once.size() == again.size(), [] { return "got other taps the second time"; });
    for (const auto& [name, tap] : once) {
      findings.expect(tap.values == tap_of(again, name).values, [&, &tap_name = name] {
        return tap_name + ": got other bits the second time";
      });
    }
  }
}

constexpr Property kProperties[] = {
    {"I-8", "values have unit size", {}, values_have_unit_size},
    {"I-8", "values are raw keys", {.raw_keys_as_values = true}, values_are_raw_keys},
    {"I-9", "the cap keeps the choice", {}, cap_keeps_the_choice},
    {"I-10", "channels pass through", {}, channels_pass_through},
    {"", "runs repeat", {}, runs_repeat},
};

}  // namespace

std::span<const Property> value_properties() {
  return kProperties;
}

}  // namespace assay::conformance
