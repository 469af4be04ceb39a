// SPDX-License-Identifier: Apache-2.0
// I-2 and I-3: which tokens a row depends on, and which it does not, to the last bit.
#include "conformance/properties/prompts.h"
#include "conformance/properties/property_tables.h"

namespace assay::conformance {
namespace {

// Taps whose first axis runs over tokens. Scores are taken before the mask and know the future.
bool has_token_rows(const Tap& tap, std::size_t tokens) {
  return tap.shape.size() > 1 && tap.shape[0] == tokens && !tap.name.ends_with(".scores");
}

// Rows [first, end) of a tap are the same in both runs.
void expect_same_rows(const Subject& subject, const Tap& ours, const Tap& before, std::size_t first,
                      std::size_t end, Findings& findings) {
  for (std::size_t t = first; t < end; ++t) {
    const auto now = row_of(ours, t);
    const auto then = row_of(before, t);
    const double limit = subject.rows_apart ? 0 : subject.bound;
    findings.expect(subject.rows_apart ? now == then : relative_distance(now, then) <= limit, [&] {
      return before.name + ", row " + std::to_string(t) +
             ", which must not change: " + at_most(relative_distance(now, then), limit);
    });
  }
}

// The same of every tap.
void expect_same_rows(const Subject& subject, const TapMap& ours, const TapMap& before,
                      std::size_t first, std::size_t end, std::size_t tokens, Findings& findings) {
  for (const auto& [name, tap] : before) {
    if (has_token_rows(tap, tokens)) {
      expect_same_rows(subject, tap_of(ours, name), tap, first, end, findings);
    }
  }
}

bool row_differs(const TapMap& ours, const TapMap& before, const std::string& name, std::size_t t) {
  const Tap& now = tap_of(ours, name);
  return relative_distance(row_of(now, t), row_of(tap_of(before, name), t)) > 1e-5;
}

void expect_row_differs(const TapMap& ours, const TapMap& before, const std::string& name,
                        std::size_t t, Findings& findings) {
  findings.expect(row_differs(ours, before, name, t), [&] {
    return name + ", row " + std::to_string(t) + ": got the same, expected another";
  });
}

void change_ids(CaseInput& input, std::size_t first, std::size_t end) {
  for (std::size_t t = first; t < end; ++t) {
    input.ids[t] = (input.ids[t] + 5) % 47;
  }
}

// I-2, text: all tokens after t are others, and up to t nothing changes.
void future_is_unseen(Subject& subject, Findings& findings) {
  constexpr std::size_t kTokens = 23;
  const TapMap before = run_taps(subject, text_prompt(kTokens));
  for (const std::size_t t : {0u, 1u, 4u, 9u, 21u}) {
    CaseInput other = text_prompt(kTokens);
    change_ids(other, t + 1, kTokens);
    const TapMap after = run_taps(subject, other);
    expect_same_rows(subject, after, before, 0, t + 1, kTokens, findings);
    expect_row_differs(after, before, "text.logits", t + 1, findings);
  }
}

// I-2, blocks: tokens after a block's end change nothing up to there; inside a block the future is
// seen where there are blocks (12B, 26B, 31B), and is not where there are none.
void blocks_see_themselves_only(Subject& subject, Findings& findings) {
  const std::size_t width = subject.config.text.hidden_size;
  const CaseInput input = media_prompt(width);
  const std::size_t tokens = input.ids.size();
  const TapMap before = run_taps(subject, input);

  CaseInput after_block = input;
  change_ids(after_block, kImageEnd, 13);
  for (double& value : after_block.media[1].values) {
    value = -value;
  }
  expect_same_rows(subject, run_taps(subject, after_block), before, 0, kImageEnd, tokens, findings);

  CaseInput in_block = input;
  for (std::size_t i = 0; i < width; ++i) {  // the block's last row
    in_block.media[0].values[6 * width + i] *= -1;
  }
  const TapMap changed = run_taps(subject, in_block);
  expect_same_rows(subject, changed, before, 0, kImageFirst, tokens, findings);
  const bool blocks = subject.config.text.vision_blocks;
  findings.expect(row_differs(changed, before, "text.logits", kImageEnd - 2) == blocks, [&] {
    return std::string("text.logits, row ") + std::to_string(kImageEnd - 2) + ": got " +
           (blocks ? "no sight" : "sight") + " of the last row of its image, expected the other";
  });
  if (!blocks) {
    expect_same_rows(subject, changed, before, 0, kImageEnd - 1, tokens, findings);
  }
}

std::size_t leading_sliding_layers(const TextConfig& config) {
  std::size_t count = 0;
  while (count < config.layers.size() && config.layers[count].kind == LayerKind::kSliding) {
    ++count;
  }
  return count;
}

// I-3: one sliding layer reaches back W - 1 tokens, n of them n (W - 1), and not one more.
void window_reach(Subject& subject, Findings& findings) {
  constexpr std::size_t kMostTokens = 512;  // of which every tap is kept
  const std::size_t reach = subject.config.text.sliding_window - 1;
  const std::size_t sliding = leading_sliding_layers(subject.config.text);
  findings.expect(sliding >= 1, [] { return "got a full first layer, expected a sliding one"; });
  const std::size_t count = sliding * reach + 9;
  if (count > kMostTokens) {
    throw Stopped(Verdict::kNotSupported, "needs a prompt of " + std::to_string(count) +
                                              " tokens, more than " + std::to_string(kMostTokens));
  }
  const TapMap before = run_taps(subject, text_prompt(count));
  for (const std::size_t last : {0u, 1u, 4u}) {  // tokens 0 ... last are others
    CaseInput other = text_prompt(count);
    change_ids(other, 0, last + 1);
    const TapMap after = run_taps(subject, other);
    for (std::size_t n = 1; n <= sliding; ++n) {
      const std::string name = "text.layer." + std::to_string(n - 1) + ".out";
      expect_row_differs(after, before, name, last + n * reach, findings);
      expect_same_rows(subject, tap_of(after, name), tap_of(before, name), last + n * reach + 1,
                       count, findings);
    }
    expect_row_differs(after, before, "text.logits", count - 1, findings);  // full layers: all
  }
}

constexpr Property kProperties[] = {
    {"I-2", "the future is unseen", {}, future_is_unseen},
    {"I-2", "blocks see themselves only", {.media = true}, blocks_see_themselves_only},
    {"I-3", "reach of the window", {}, window_reach},
};

}  // namespace

std::span<const Property> dependence_properties() {
  return kProperties;
}

}  // namespace assay::conformance
