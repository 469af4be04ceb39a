// SPDX-License-Identifier: Apache-2.0
// I-1: one call, a call for each token, and any chunks in between give the same.
#include "conformance/properties/agreement.h"
#include "conformance/properties/prompts.h"
#include "conformance/properties/property_tables.h"

namespace assay::conformance {
namespace {

void compare_all(Agreement& agreement, const Shown& ours, const TapMap& whole,
                 const std::string& run, Findings& findings) {
  findings.expect(ours.taps.size() == whole.size(), [&] {
    return run + ": got " + std::to_string(ours.taps.size()) + " taps, expected the " +
           std::to_string(whole.size()) + " of one call";
  });
  agreement.expect_same(ours.taps, whole, run + ", ", findings);
  agreement.expect_right_steps(ours, run + ", ", findings);
}

void any_chunking(Subject& subject, Findings& findings) {
  for (const bool media : {false, true}) {
    if (media && !subject.takes_media) {
      continue;
    }
    const CaseInput input = media ? media_prompt(subject.config.text.hidden_size) : text_prompt(23);
    const Shown whole = show(subject, input);
    Agreement agreement(subject, whole, input);
    for (const std::size_t chunk : {1u, 2u, 3u, 4u, 5u, 8u, 13u, 22u}) {
      const std::string run =
          std::string(media ? "media" : "text") + " in chunks of " + std::to_string(chunk);
      compare_all(agreement, show(subject, input, chunk), whole.taps, run, findings);
    }
  }
}

// What the bounds above can still tell: one other token, early enough to be seen by the last row.
void another_token_is_seen(Subject& subject, Findings& findings) {
  const Shown usual = show(subject, text_prompt(23));
  CaseInput other = usual.input;
  other.ids[0] = 45;
  Agreement agreement(subject, usual, other);
  agreement.expect_other_row(run_taps(subject, other), "text.logits", 22, "another first token, ",
                             findings);
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
