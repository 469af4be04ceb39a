// SPDX-License-Identifier: Apache-2.0
// I-1: one call, a call for each token, and any chunks in between give the same.
#include "conformance/properties/prompts.h"
#include "conformance/properties/property_tables.h"

namespace assay::conformance {
namespace {

// Scores are taken before the mask; only those of visible keys are every program's.
Tap visible_scores(Tap scores, const Tap& probs) {
  for (std::size_t i = 0; i < scores.values.size() && i < probs.values.size(); ++i) {
    scores.values[i] = probs.values[i] == 0 ? 0 : scores.values[i];
  }
  return scores;
}

Tap comparable(const TapMap& taps, const std::string& name) {
  if (!name.ends_with(".scores")) {
    return taps.at(name);
  }
  return visible_scores(taps.at(name), tap_of(taps, name.substr(0, name.size() - 6) + "probs"));
}

void compare_all(const TapMap& ours, const TapMap& whole, double bound, const std::string& run,
                 Findings& findings) {
  findings.expect(ours.size() == whole.size(), [&] {
    return run + ": got " + std::to_string(ours.size()) + " taps, expected the " +
           std::to_string(whole.size()) + " of one call";
  });
  for (const auto& [name, tap] : whole) {
    const auto found = ours.find(name);
    const bool same_shape = found != ours.end() && found->second.shape == tap.shape;
    findings.expect(same_shape, [&, &tap_name = name] {
      return run + ", " + tap_name + ": got no tap of the shape that one call gives";
    });
    if (!same_shape) {
      continue;
    }
    const double apart =
        relative_distance(comparable(ours, name).values, comparable(whole, name).values);
    const double limit = tap.integer ? 0 : bound;
    findings.expect(apart <= limit, [&, &tap_name = name] {
      return run + ", " + tap_name + ": " + at_most(apart, limit);
    });
  }
}

void any_chunking(Subject& subject, Findings& findings) {
  for (const bool media : {false, true}) {
    if (media && !subject.takes_media) {
      continue;
    }
    const CaseInput input = media ? media_prompt(subject.config.text.hidden_size) : text_prompt(23);
    const TapMap whole = run_taps(subject, input);
    for (const std::size_t chunk : {1u, 2u, 3u, 4u, 5u, 8u, 13u, 22u}) {
      const std::string run =
          std::string(media ? "media" : "text") + " in chunks of " + std::to_string(chunk);
      compare_all(run_taps(subject, input, chunk), whole, subject.bound, run, findings);
    }
  }
}

// What the bound above can still tell: one other token, early enough to be seen by the last row.
void another_token_is_seen(Subject& subject, Findings& findings) {
  CaseInput input = text_prompt(23);
  const Tap logits = tap_of(run_taps(subject, input), "text.logits");
  input.ids[0] = 45;
  const Tap changed = tap_of(run_taps(subject, input), "text.logits");
  const double apart = relative_distance(row_of(changed, 22), row_of(logits, 22));
  findings.expect(apart > 2 * subject.bound, [&] {
    return "text.logits, row 22, another first token: " + more_than(apart, 2 * subject.bound);
  });
}

constexpr Property kProperties[] = {
    {"I-1", "any chunking", {.chunks = true}, any_chunking},
    {"I-1", "another token is seen", {}, another_token_is_seen},
};

}  // namespace

std::span<const Property> chunking_properties() {
  return kProperties;
}

}  // namespace assay::conformance
