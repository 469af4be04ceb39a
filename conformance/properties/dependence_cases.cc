// SPDX-License-Identifier: Apache-2.0
// I-2 and I-3: which tokens a row depends on, and which it does not, to the last bit.
#include <catch2/catch.hpp>

#include "conformance/properties/prompts.h"
#include "conformance/properties/subjects.h"

namespace assay::conformance {
namespace {

// Taps whose first axis runs over tokens. Scores are taken before the mask and know the future.
bool has_token_rows(const Tap& tap, std::size_t tokens) {
  return tap.shape.size() > 1 && tap.shape[0] == tokens && !tap.name.ends_with(".scores");
}

std::size_t tokens_of(const TapMap& taps) {
  return taps.at("text.ids").values.size();
}

// Rows [first, end) of every tap are the same in both runs.
void expect_same_rows(const Subject& subject, const TapMap& ours, const TapMap& before,
                      std::size_t first, std::size_t end) {
  std::size_t compared = 0;
  for (const auto& [name, tap] : before) {
    if (!has_token_rows(tap, tokens_of(before))) {
      continue;
    }
    for (std::size_t t = first; t < end; ++t) {
      INFO(subject.name << ", " << name << ", row " << t);
      const auto now = row_of(ours.at(name), t);
      const auto then = row_of(tap, t);
      if (subject.rows_apart ? now != then : relative_distance(now, then) > subject.bound) {
        CHECK(now == then);
      }
      ++compared;
    }
  }
  CHECK(compared > 0);
}

bool row_differs(const TapMap& ours, const TapMap& before, const std::string& name, std::size_t t) {
  return relative_distance(row_of(ours.at(name), t), row_of(before.at(name), t)) > 1e-5;
}

void change_ids(CaseInput& input, std::size_t first, std::size_t end) {
  for (std::size_t t = first; t < end; ++t) {
    input.ids[t] = (input.ids[t] + 5) % 47;
  }
}

// I-2, text: all tokens after t are others, and up to t nothing changes.
void future_is_unseen(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    const TapMap before = run_taps(subject, text_prompt(23));
    for (const std::size_t t : {0u, 1u, 4u, 9u, 21u}) {
      CaseInput other = text_prompt(23);
      change_ids(other, t + 1, 23);
      const TapMap after = run_taps(subject, other);
      expect_same_rows(subject, after, before, 0, t + 1);
      CHECK(row_differs(after, before, "text.logits", t + 1));
    }
  }
}

// I-2, blocks: tokens after a block's end change nothing up to there; inside a block the future is
// seen where there are blocks (12B, 26B, 31B), and is not where there are none.
void blocks_see_themselves_only(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    const std::size_t width = subject.config.text.hidden_size;
    const TapMap before = run_taps(subject, media_prompt(width));

    CaseInput after_block = media_prompt(width);
    change_ids(after_block, kImageEnd, 13);
    for (double& value : after_block.media[1].values) {
      value = -value;
    }
    expect_same_rows(subject, run_taps(subject, after_block), before, 0, kImageEnd);

    CaseInput in_block = media_prompt(width);
    for (std::size_t i = 0; i < width; ++i) {  // the block's last row
      in_block.media[0].values[6 * width + i] *= -1;
    }
    const TapMap changed = run_taps(subject, in_block);
    expect_same_rows(subject, changed, before, 0, kImageFirst);
    CHECK(row_differs(changed, before, "text.logits", kImageEnd - 2) ==
          subject.config.text.vision_blocks);
    if (!subject.config.text.vision_blocks) {
      expect_same_rows(subject, changed, before, 0, kImageEnd - 1);
    }
  }
}

std::size_t leading_sliding_layers(const TextConfig& config) {
  std::size_t count = 0;
  while (config.layers.at(count).kind == LayerKind::kSliding) {
    ++count;
  }
  return count;
}

// I-3: one sliding layer reaches back W - 1 tokens, n of them n (W - 1), and not one more.
void window_reach(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    const std::size_t reach = subject.config.text.sliding_window - 1;
    const std::size_t sliding = leading_sliding_layers(subject.config.text);
    REQUIRE(sliding >= 1);
    const std::size_t count = sliding * reach + 9;
    const TapMap before = run_taps(subject, text_prompt(count));
    for (const std::size_t last : {0u, 1u, 4u}) {  // tokens 0 ... last are others
      CaseInput other = text_prompt(count);
      change_ids(other, 0, last + 1);
      const TapMap after = run_taps(subject, other);
      for (std::size_t n = 1; n <= sliding; ++n) {
        const std::string name = "text.layer." + std::to_string(n - 1) + ".out";
        INFO(subject.name << ", " << name << ", tokens up to " << last);
        CHECK(row_differs(after, before, name, last + n * reach));
        const TapMap ours = {{"text.ids", after.at("text.ids")}, {name, after.at(name)}};
        const TapMap theirs = {{"text.ids", before.at("text.ids")}, {name, before.at(name)}};
        expect_same_rows(subject, ours, theirs, last + n * reach + 1, count);
      }
      CHECK(row_differs(after, before, "text.logits", count - 1));  // full layers reach everything
    }
  }
}

TEST_CASE("e2b: the future is unseen", "[e2b][I-2]") {
  future_is_unseen("e2b-tiny");
}
TEST_CASE("e4b: the future is unseen", "[e4b][I-2]") {
  future_is_unseen("e4b-tiny");
}
TEST_CASE("12b: the future is unseen", "[12b][I-2]") {
  future_is_unseen("12b-tiny");
}
TEST_CASE("26b: the future is unseen", "[26b][I-2]") {
  future_is_unseen("26b-tiny");
}
TEST_CASE("31b: the future is unseen", "[31b][I-2]") {
  future_is_unseen("31b-tiny");
}

TEST_CASE("e2b: no blocks", "[e2b][I-2]") {
  blocks_see_themselves_only("e2b-tiny");
}
TEST_CASE("e4b: no blocks", "[e4b][I-2]") {
  blocks_see_themselves_only("e4b-tiny");
}
TEST_CASE("12b: blocks see themselves", "[12b][I-2]") {
  blocks_see_themselves_only("12b-tiny");
}
TEST_CASE("26b: blocks see themselves", "[26b][I-2]") {
  blocks_see_themselves_only("26b-tiny");
}
TEST_CASE("31b: blocks see themselves", "[31b][I-2]") {
  blocks_see_themselves_only("31b-tiny");
}

TEST_CASE("e2b: reach of the window", "[e2b][I-3]") {
  window_reach("e2b-tiny");
}
TEST_CASE("e4b: reach of the window", "[e4b][I-3]") {
  window_reach("e4b-tiny");
}
TEST_CASE("12b: reach of the window", "[12b][I-3]") {
  window_reach("12b-tiny");
}
TEST_CASE("26b: reach of the window", "[26b][I-3]") {
  window_reach("26b-tiny");
}
TEST_CASE("31b: reach of the window", "[31b][I-3]") {
  window_reach("31b-tiny");
}

}  // namespace
}  // namespace assay::conformance
