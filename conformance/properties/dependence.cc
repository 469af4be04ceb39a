// SPDX-License-Identifier: Apache-2.0
// I-2 and I-3: which tokens a row depends on, and which it does not, to the last bit.
#include <algorithm>

#include "conformance/properties/agreement.h"
#include "conformance/properties/prompts.h"
#include "conformance/properties/property_tables.h"

namespace assay::conformance {
namespace {

// Taps whose first axis runs over tokens. Scores are taken before the mask and know the future.
bool has_token_rows(const Tap& tap, std::size_t tokens) {
  return tap.shape.size() > 1 && tap.shape[0] == tokens && !tap.name.ends_with(".scores");
}

// Rows [first, end) of every tap are the same in both runs. Where rows are computed apart from each
// other, to the last bit.
void expect_same_rows(const Subject& subject, Agreement& agreement, const TapMap& ours,
                      const TapMap& before, std::size_t first, std::size_t end, std::size_t tokens,
                      Findings& findings) {
  TapMap theirs;
  TapMap of_interest;  // ours there, theirs elsewhere
  for (const auto& [name, tap] : before) {
    if (!has_token_rows(tap, tokens)) {
      continue;
    }
    const Tap& now = tap_of(ours, name);
    theirs.emplace(name, tap);
    Tap& mixed = of_interest.emplace(name, tap).first->second;
    const std::size_t width = tap.values.size() / tokens;
    for (std::size_t t = first; t < end; ++t) {
      const auto row = row_of(now, t);
      findings.expect(!subject.rows_apart || row == row_of(tap, t), [&, &tap_name = name] {
        return tap_name + ", row " + std::to_string(t) +
               ", which must not change: " + at_most(relative_distance(row, row_of(tap, t)), 0);
      });
      std::ranges::copy(row, mixed.values.begin() + static_cast<std::ptrdiff_t>(t * width));
    }
  }
  if (!subject.rows_apart) {
    agreement.expect_same(of_interest, theirs, "rows that must not change, ", findings);
  }
}

void change_ids(CaseInput& input, std::size_t first, std::size_t end) {
  for (std::size_t t = first; t < end; ++t) {
    input.ids[t] = (input.ids[t] + 5) % 47;
  }
}

// I-2, text: all tokens after t are others, and up to t nothing changes.
void future_is_unseen(Subject& subject, Findings& findings) {
  constexpr std::size_t kTokens = 23;
  const Shown before = show(subject, text_prompt(kTokens));
  for (const std::size_t t : {0u, 1u, 4u, 9u, 21u}) {
    CaseInput other = before.input;
    change_ids(other, t + 1, kTokens);
    Agreement agreement(subject, before, other);
    const TapMap after = run_taps(subject, other);
    expect_same_rows(subject, agreement, after, before.taps, 0, t + 1, kTokens, findings);
    agreement.expect_other_row(after, "text.logits", t + 1, "another token, ", findings);
  }
}

// I-2, blocks: tokens after a block's end change nothing up to there.
void expect_unseen_after_block(Subject& subject, const Shown& before, Findings& findings) {
  CaseInput after_block = before.input;
  change_ids(after_block, kImageEnd, 13);
  for (double& value : after_block.media[1].values) {
    value = -value;
  }
  Agreement agreement(subject, before, after_block);
  expect_same_rows(subject, agreement, run_taps(subject, after_block), before.taps, 0, kImageEnd,
                   before.input.ids.size(), findings);
}

// I-2, blocks: inside a block the future is seen where there are blocks (12B, 26B, 31B), and is not
// where there are none.
void blocks_see_themselves_only(Subject& subject, Findings& findings) {
  const std::size_t width = subject.config.text.hidden_size;
  const Shown before = show(subject, media_prompt(width));
  expect_unseen_after_block(subject, before, findings);
  CaseInput in_block = before.input;
  for (std::size_t i = 0; i < width; ++i) {  // the block's last row
    in_block.media[0].values[6 * width + i] *= -1;
  }
  Agreement agreement(subject, before, in_block);
  const TapMap changed = run_taps(subject, in_block);
  const bool blocks = subject.config.text.vision_blocks;
  expect_same_rows(subject, agreement, changed, before.taps, 0,
                   blocks ? kImageFirst : kImageEnd - 1, before.input.ids.size(), findings);
  if (blocks) {
    agreement.expect_other_row(changed, "text.logits", kImageEnd - 2,
                               "sight of the last row of its image, ", findings);
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
  const Shown before = show(subject, text_prompt(count));
  for (const std::size_t last : {0u, 1u, 4u}) {  // tokens 0 ... last are others
    CaseInput other = before.input;
    change_ids(other, 0, last + 1);
    Agreement agreement(subject, before, other);
    const TapMap after = run_taps(subject, other);
    for (std::size_t n = 1; n <= sliding; ++n) {
      const std::string name = "text.layer." + std::to_string(n - 1) + ".out";
      agreement.expect_other_row(after, name, last + n * reach, "in reach, ", findings);
      expect_same_rows(subject, agreement, after, {{name, tap_of(before.taps, name)}},
                       last + n * reach + 1, count, count, findings);
    }
    agreement.expect_other_row(after, "text.logits", count - 1, "in reach of full layers, ",
                               findings);
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
