// SPDX-License-Identifier: Apache-2.0
// I-4 and I-5: padding and a shift of all positions change nothing.
#include <catch2/catch.hpp>
#include <cmath>

#include "conformance/properties/prompts.h"
#include "conformance/properties/subjects.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kTokens = 15;

CaseInput padded(std::size_t padding, std::int32_t padding_id) {
  CaseInput input = text_prompt(kTokens);
  input.ids.insert(input.ids.begin(), padding, padding_id);
  input.valid.assign(padding, 0);
  input.valid.resize(padding + kTokens, 1);
  return input;
}

// Rows of tokens whose width does not depend on the number of keys.
bool has_token_rows(const Tap& tap, std::size_t tokens) {
  return tap.shape[0] == tokens && tap.shape.back() != tokens;
}

bool all_finite(const TapMap& taps) {
  for (const auto& [name, tap] : taps) {
    for (const double value : tap.values) {
      if (!std::isfinite(value)) {
        return false;
      }
    }
  }
  return true;
}

// padding queries see nothing, and stay finite.
void left_padding(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    const TapMap plain = run_taps(subject, text_prompt(kTokens));
    for (const std::size_t padding : {1u, 3u, 6u}) {
      for (const std::size_t chunk : {0u, 1u, 4u}) {
        const TapMap taps = run_taps(subject, padded(padding, 0), chunk);
        CHECK(all_finite(taps));
        CHECK(taps.at("text.positions").values.back() == kTokens - 1);
        for (const auto& [name, tap] : plain) {
          INFO(subject.name << ", " << name << ", padding " << padding << ", chunk " << chunk);
          for (std::size_t t = 0; has_token_rows(tap, kTokens) && t < kTokens; ++t) {
            const auto ours = row_of(taps.at(name), padding + t);
            CHECK(relative_distance(ours, row_of(tap, t)) <= (tap.integer ? 0 : subject.bound));
          }
        }
      }
    }
  }
}

void padding_ids_are_unseen(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    const Tap zeros = run_taps(subject, padded(4, 0)).at("text.logits");
    const Tap others = run_taps(subject, padded(4, 33)).at("text.logits");
    for (std::size_t t = 4; t < 4 + kTokens; ++t) {
      INFO(subject.name << ", row " << t);
      const double apart = relative_distance(row_of(others, t), row_of(zeros, t));
      CHECK(apart <= (subject.rows_apart ? 0 : subject.bound));
    }
  }
}

CaseInput shifted(const CaseInput& input, std::int32_t shift, std::size_t first) {
  CaseInput other = input;
  for (std::size_t t = 0; t < input.ids.size(); ++t) {
    other.positions.push_back(static_cast<std::int32_t>(t) + (t >= first ? shift : 0));
  }
  return other;
}

// What holds rotated vectors or the positions themselves.
bool knows_position(const std::string& name) {
  for (const char* part :
       {".q_rope", ".k_rope", ".k_ctx", ".cache.k", ".cache.pos", "text.rope.", "text.positions"}) {
    if (name.find(part) != std::string::npos) {
      return true;
    }
  }
  return false;
}

// attention sees differences of positions only.
void position_shift(const std::string& checkpoint) {
  for (Subject& subject : subjects(golden_checkpoint(checkpoint))) {
    for (const bool media : {false, true}) {
      const CaseInput input =
          media ? media_prompt(subject.config.text.hidden_size) : text_prompt(kTokens);
      const TapMap plain = run_taps(subject, input);
      for (const std::int32_t shift : {1, 7, 3000}) {
        const TapMap taps = run_taps(subject, shifted(input, shift, 0));
        const double bound = subject.bound * (shift == 3000 ? 100 : 1);  // angles lose bits
        for (const auto& [name, tap] : plain) {
          INFO(subject.name << ", " << name << ", shift " << shift);
          const double apart = relative_distance(taps.at(name).values, tap.values);
          CHECK((knows_position(name) || apart <= (tap.integer ? 0 : bound)));
        }
        CHECK(taps.at("text.layer.0.attn.q_rope").values !=
              plain.at("text.layer.0.attn.q_rope").values);
      }
      const TapMap gap = run_taps(subject, shifted(input, 1, 5));
      CHECK(relative_distance(gap.at("text.logits").values, plain.at("text.logits").values) > 1e-4);
    }
  }
}

TEST_CASE("e2b: left padding", "[e2b][I-4]") {
  left_padding("e2b-tiny");
}
TEST_CASE("e4b: left padding", "[e4b][I-4]") {
  left_padding("e4b-tiny");
}
TEST_CASE("12b: left padding", "[12b][I-4]") {
  left_padding("12b-tiny");
}
TEST_CASE("26b: left padding", "[26b][I-4]") {
  left_padding("26b-tiny");
}
TEST_CASE("31b: left padding", "[31b][I-4]") {
  left_padding("31b-tiny");
}

TEST_CASE("e2b: padding ids", "[e2b][I-4]") {
  padding_ids_are_unseen("e2b-tiny");
}
TEST_CASE("e4b: padding ids", "[e4b][I-4]") {
  padding_ids_are_unseen("e4b-tiny");
}
TEST_CASE("12b: padding ids", "[12b][I-4]") {
  padding_ids_are_unseen("12b-tiny");
}
TEST_CASE("26b: padding ids", "[26b][I-4]") {
  padding_ids_are_unseen("26b-tiny");
}
TEST_CASE("31b: padding ids", "[31b][I-4]") {
  padding_ids_are_unseen("31b-tiny");
}

TEST_CASE("e2b: shift of all positions", "[e2b][I-5]") {
  position_shift("e2b-tiny");
}
TEST_CASE("e4b: shift of all positions", "[e4b][I-5]") {
  position_shift("e4b-tiny");
}
TEST_CASE("12b: shift of all positions", "[12b][I-5]") {
  position_shift("12b-tiny");
}
TEST_CASE("26b: shift of all positions", "[26b][I-5]") {
  position_shift("26b-tiny");
}
TEST_CASE("31b: shift of all positions", "[31b][I-5]") {
  position_shift("31b-tiny");
}

}  // namespace
}  // namespace assay::conformance
