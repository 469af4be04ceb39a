// SPDX-License-Identifier: Apache-2.0
// I-1: one call, a call for each token, and any chunks in between give the same.
#include <catch2/catch.hpp>

#include "conformance/properties/prompts.h"
#include "conformance/properties/subjects.h"

namespace assay::conformance {
namespace {

bool ends_with(const std::string& name, const std::string& end) {
  return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

// Scores are taken before the mask; only those of visible keys are every program's.
Tap visible_scores(Tap scores, const Tap& probs) {
  for (std::size_t i = 0; i < scores.values.size(); ++i) {
    scores.values[i] = probs.values[i] == 0 ? 0 : scores.values[i];
  }
  return scores;
}

Tap comparable(const TapMap& taps, const std::string& name) {
  if (!ends_with(name, ".scores")) {
    return taps.at(name);
  }
  return visible_scores(taps.at(name), taps.at(name.substr(0, name.size() - 6) + "probs"));
}

void compare_all(const TapMap& ours, const TapMap& whole, double bound) {
  REQUIRE(ours.size() == whole.size());
  for (const auto& [name, tap] : whole) {
    INFO(name);
    REQUIRE(ours.count(name) == 1);
    CHECK(ours.at(name).shape == tap.shape);
    const double apart =
        relative_distance(comparable(ours, name).values, comparable(whole, name).values);
    CHECK(apart <= (tap.integer ? 0 : bound));
  }
}

void any_chunking(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    for (const bool media : {false, true}) {
      const CaseInput input =
          media ? media_prompt(subject.config.text.hidden_size) : text_prompt(23);
      const TapMap whole = run_taps(subject, input);
      for (const std::size_t chunk : {1u, 2u, 3u, 4u, 5u, 8u, 13u, 22u}) {
        INFO(subject.name << ", " << (media ? "media" : "text") << ", chunks of " << chunk);
        compare_all(run_taps(subject, input, chunk), whole, subject.bound);
      }
    }
  }
}

// What the bound above can still tell: one other token, early enough to be seen by the last row.
void another_token_is_seen(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    CaseInput input = text_prompt(23);
    const auto logits = run_taps(subject, input).at("text.logits");
    input.ids[0] = 45;
    const auto changed = run_taps(subject, input).at("text.logits");
    CHECK(relative_distance(row_of(changed, 22), row_of(logits, 22)) > 2 * subject.bound);
  }
}

TEST_CASE("e2b: any chunking", "[e2b][I-1]") {
  any_chunking("e2b-tiny");
}
TEST_CASE("e4b: any chunking", "[e4b][I-1]") {
  any_chunking("e4b-tiny");
}
TEST_CASE("12b: any chunking", "[12b][I-1]") {
  any_chunking("12b-tiny");
}
TEST_CASE("26b: any chunking", "[26b][I-1]") {
  any_chunking("26b-tiny");
}
TEST_CASE("31b: any chunking", "[31b][I-1]") {
  any_chunking("31b-tiny");
}
TEST_CASE("e2b, odd sharing: any chunking", "[e2b][I-1]") {
  any_chunking("e2b-sharing");
}

TEST_CASE("e2b: another token is seen", "[e2b][I-1]") {
  another_token_is_seen("e2b-tiny");
}
TEST_CASE("e4b: another token is seen", "[e4b][I-1]") {
  another_token_is_seen("e4b-tiny");
}
TEST_CASE("12b: another token is seen", "[12b][I-1]") {
  another_token_is_seen("12b-tiny");
}
TEST_CASE("26b: another token is seen", "[26b][I-1]") {
  another_token_is_seen("26b-tiny");
}
TEST_CASE("31b: another token is seen", "[31b][I-1]") {
  another_token_is_seen("31b-tiny");
}

}  // namespace
}  // namespace assay::conformance
