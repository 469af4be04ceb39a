// SPDX-License-Identifier: Apache-2.0
// I-4 and I-5: padding and a shift of all positions change nothing.
#include <cmath>

#include "conformance/properties/agreement.h"
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

// Row t without padding is row padding + t with it.
TapMap moved(const TapMap& padded_taps, const TapMap& plain, std::size_t padding) {
  TapMap rows;
  for (const auto& [name, tap] : plain) {
    const auto found = padded_taps.find(name);
    if (found == padded_taps.end() || found->second.shape[0] != kTokens + padding) {
      continue;
    }
    Tap& part = rows.emplace(name, tap).first->second;
    part.values.clear();
    for (std::size_t t = 0; t < kTokens; ++t) {
      const auto row = row_of(found->second, padding + t);
      part.values.insert(part.values.end(), row.begin(), row.end());
    }
  }
  return rows;
}

TapMap token_taps(const TapMap& taps) {
  TapMap some;
  for (const auto& [name, tap] : taps) {
    if (has_token_rows(tap, kTokens)) {
      some.emplace(name, tap);
    }
  }
  return some;
}

// padding queries see nothing, and stay finite.
void left_padding(Subject& subject, Findings& findings) {
  const Shown plain = show(subject, text_prompt(kTokens));
  const TapMap wanted = token_taps(plain.taps);
  for (const std::size_t padding : {1u, 3u, 6u}) {
    const CaseInput input = padded(padding, 0);
    Agreement agreement(subject, plain, input);
    for (const std::size_t chunk : {0u, 1u, 4u}) {
      if (chunk > 0 && !subject.can.chunked_prefill) {
        continue;
      }
      const std::string run =
          "padding " + std::to_string(padding) + " in chunks of " + std::to_string(chunk);
      const Shown shown = show(subject, input, chunk);
      expect_finite(shown.taps, run, findings);
      const auto positions = shown.taps.find("text.positions");
      findings.expect(
          positions == shown.taps.end() || positions->second.values.back() == kTokens - 1,
          [&] { return run + ": got another last position than without padding"; });
      agreement.expect_same(moved(shown.taps, plain.taps, padding), wanted, run + ", ", findings);
      agreement.expect_right_steps(shown, run + ", ", findings);
    }
  }
}

void padding_ids_are_unseen(Subject& subject, Findings& findings) {
  constexpr std::size_t kPadding = 4;
  const auto logits = [&](std::int32_t id) {
    const TapMap taps = run_taps(subject, padded(kPadding, id));
    tap_of(taps, "text.logits");
    return moved(taps,
                 {{"text.logits", tap_of(run_taps(subject, text_prompt(kTokens)), "text.logits")}},
                 kPadding);
  };
  const TapMap zeros = logits(0);
  const TapMap others = logits(33);
  if (subject.rows_apart) {
    findings.expect(tap_of(others, "text.logits").values == tap_of(zeros, "text.logits").values,
                    [] { return "text.logits: got other bits with other ids of padding"; });
    return;
  }
  const Shown plain = show(subject, text_prompt(kTokens));
  Agreement(subject, plain, plain.input)
      .expect_same(others, zeros, "other ids of padding, ", findings);
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
  const Shown plain = show(subject, input);
  TapMap wanted = plain.taps;
  std::erase_if(wanted, [](const auto& tap) { return knows_position(tap.first); });
  for (const std::int32_t shift : {1, 7, 3000}) {
    const Shown shown = show(subject, shifted(input, shift, 0));
    const std::string run = "shift " + std::to_string(shift) + ", ";
    const bool far = shift == 3000;  // angles lose bits
    Agreement agreement(subject, plain, shown.input,
                        far ? Agreement::OtherFloors::kOwn : Agreement::OtherFloors::kTheirs);
    agreement.expect_same(shown.taps, wanted, run, findings);
    agreement.expect_right_steps(shown, run, findings);
    const std::string rotated = "text.layer.0.attn.q_rope";
    findings.expect(plain.taps.count(rotated) == 0 ||
                        tap_of(shown.taps, rotated).values != tap_of(plain.taps, rotated).values,
                    [&] { return run + rotated + ": got the same, expected another"; });
  }
  const CaseInput gap = shifted(input, 1, 5);
  Agreement(subject, plain, gap)
      .expect_other_row(run_taps(subject, gap), "text.logits", input.ids.size() - 1,
                        "a gap of one position, ", findings);
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
