// SPDX-License-Identifier: Apache-2.0
// I-4 and I-5: padding and a shift of all positions change nothing.
#include <cmath>

#include "conformance/properties/prompts.h"
#include "conformance/properties/property_tables.h"

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

void expect_finite(const TapMap& taps, const std::string& run, Findings& findings) {
  for (const auto& [name, tap] : taps) {
    bool finite = true;
    for (const double value : tap.values) {
      finite = finite && std::isfinite(value);
    }
    findings.expect(finite, [&, &tap_name = name] {
      return run + ", " + tap_name + ": got a value that is not finite";
    });
  }
}

// padding queries see nothing, and stay finite.
// Row t without padding is row padding + t with it.
void expect_rows_moved(const TapMap& plain, const TapMap& padded_taps, std::size_t padding,
                       const Subject& subject, const std::string& run, Findings& findings) {
  for (const auto& [name, tap] : plain) {
    for (std::size_t t = 0; has_token_rows(tap, kTokens) && t < kTokens; ++t) {
      const double apart =
          relative_distance(row_of(tap_of(padded_taps, name), padding + t), row_of(tap, t));
      const double limit = tap.integer ? 0 : subject.bound;
      findings.expect(apart <= limit, [&, &tap_name = name] {
        return run + ", " + tap_name + ", row " + std::to_string(t) + ": " + at_most(apart, limit);
      });
    }
  }
}

void left_padding(Subject& subject, Findings& findings) {
  const TapMap plain = run_taps(subject, text_prompt(kTokens));
  for (const std::size_t padding : {1u, 3u, 6u}) {
    for (const std::size_t chunk : {0u, 1u, 4u}) {
      if (chunk > 0 && !subject.can.chunked_prefill) {
        continue;
      }
      const std::string run =
          "padding " + std::to_string(padding) + " in chunks of " + std::to_string(chunk);
      const TapMap taps = run_taps(subject, padded(padding, 0), chunk);
      expect_finite(taps, run, findings);
      const auto positions = taps.find("text.positions");
      findings.expect(positions == taps.end() || positions->second.values.back() == kTokens - 1,
                      [&] { return run + ": got another last position than without padding"; });
      expect_rows_moved(plain, taps, padding, subject, run, findings);
    }
  }
}

void padding_ids_are_unseen(Subject& subject, Findings& findings) {
  const Tap zeros = tap_of(run_taps(subject, padded(4, 0)), "text.logits");
  const Tap others = tap_of(run_taps(subject, padded(4, 33)), "text.logits");
  const double limit = subject.rows_apart ? 0 : subject.bound;
  for (std::size_t t = 4; t < 4 + kTokens; ++t) {
    const double apart = relative_distance(row_of(others, t), row_of(zeros, t));
    findings.expect(apart <= limit, [&] {
      return "text.logits, row " + std::to_string(t) + ": " + at_most(apart, limit);
    });
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

void shift_all(Subject& subject, const CaseInput& input, Findings& findings) {
  const TapMap plain = run_taps(subject, input);
  for (const std::int32_t shift : {1, 7, 3000}) {
    const TapMap taps = run_taps(subject, shifted(input, shift, 0));
    const double bound = subject.bound * (shift == 3000 ? 100 : 1);  // angles lose bits
    const std::string run = "shift " + std::to_string(shift);
    for (const auto& [name, tap] : plain) {
      const double apart = relative_distance(tap_of(taps, name).values, tap.values);
      const double limit = tap.integer ? 0 : bound;
      findings.expect(knows_position(name) || apart <= limit, [&, &tap_name = name] {
        return run + ", " + tap_name + ": " + at_most(apart, limit);
      });
    }
    const std::string rotated = "text.layer.0.attn.q_rope";
    findings.expect(
        plain.count(rotated) == 0 || tap_of(taps, rotated).values != tap_of(plain, rotated).values,
        [&] { return run + ", " + rotated + ": got the same, expected another"; });
  }
  const TapMap gap = run_taps(subject, shifted(input, 1, 5));
  const double apart =
      relative_distance(tap_of(gap, "text.logits").values, tap_of(plain, "text.logits").values);
  findings.expect(apart > 1e-4,
                  [&] { return "text.logits, a gap of one position: " + more_than(apart, 1e-4); });
}

// attention sees differences of positions only.
void position_shift(Subject& subject, Findings& findings) {
  shift_all(subject, text_prompt(kTokens), findings);
  if (subject.takes_media) {
    shift_all(subject, media_prompt(subject.config.text.hidden_size), findings);
  }
}

constexpr Property kProperties[] = {
    {"I-4", "left padding", {}, left_padding},
    {"I-4", "padding ids are unseen", {}, padding_ids_are_unseen},
    {"I-5", "shift of all positions", {}, position_shift},
};

}  // namespace

std::span<const Property> position_properties() {
  return kProperties;
}

}  // namespace assay::conformance
