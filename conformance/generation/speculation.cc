// SPDX-License-Identifier: Apache-2.0
#include "conformance/generation/speculation.h"

#include <algorithm>
#include <string>

#include "conformance/compare/harness.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

// What is drawn in place of a rejected draft.
std::int32_t choose_other(std::vector<Candidate> candidates, std::int32_t draft,
                          const Uniform& uniform) {
  if (candidates.size() == 1) {
    return candidates.front().id;
  }
  const auto own = std::ranges::find(candidates, draft, &Candidate::id);
  if (own != candidates.end()) {
    const double left = 1 - own->probability;
    candidates.erase(own);
    for (Candidate& candidate : candidates) {
      candidate.probability /= left;
    }
  }
  return draw(candidates, uniform());
}

void check_drafts(const std::vector<std::int32_t>& drafted, std::size_t vocabulary) {
  for (const std::int32_t token : drafted) {
    if (token < 0 || static_cast<std::size_t>(token) >= vocabulary) {
      throw Error("speculation: got draft " + std::to_string(token) + ", expected 0 to " +
                  std::to_string(vocabulary - 1));
    }
  }
}

}  // namespace

std::int32_t choose(const std::vector<Candidate>& candidates, const Uniform& uniform) {
  return candidates.size() == 1 ? candidates.front().id : draw(candidates, uniform());
}

Acceptance accept(const std::vector<std::int32_t>& drafted,
                  const std::function<std::vector<Candidate>(std::size_t)>& candidates,
                  const Uniform& uniform) {
  Acceptance acceptance;
  for (const std::int32_t draft : drafted) {
    const auto own = candidates(acceptance.accepted);
    const auto same = std::ranges::find(own, draft, &Candidate::id);
    const double probability = same == own.end() ? 0 : same->probability;
    const bool kept = own.size() == 1 ? probability > 0 : uniform() < probability;
    if (!kept) {
      acceptance.bonus = choose_other(own, draft, uniform);
      return acceptance;
    }
    ++acceptance.accepted;
  }
  acceptance.bonus = choose(candidates(acceptance.accepted), uniform);
  return acceptance;
}

Round speculate(Session& session, std::int32_t newest, std::size_t steps,
                const SamplingOptions& sampling, const Uniform& uniform) {
  Round round;
  round.position = static_cast<std::int32_t>(session.length());
  require_ok(session.draft(newest, steps, round.drafted), "", "session");
  std::vector<std::int32_t> tokens = {newest};
  tokens.insert(tokens.end(), round.drafted.begin(), round.drafted.end());
  require_ok(session.extend(tokens, round.rows), "", "session");
  const auto row = [&](std::size_t j) { return row_of(round.rows, j, tokens.size()); };
  check_drafts(round.drafted, row(0).size());
  round.acceptance = accept(
      round.drafted, [&](std::size_t j) { return candidates(row(j), sampling); }, uniform);
  const std::size_t rejected = round.drafted.size() - round.acceptance.accepted;
  require_ok(session.take_back(rejected), "", "session");
  round.kv_len = session.length();
  return round;
}

void emit_round(const Round& round, std::size_t number, TapListener& taps) {
  const auto emit = [&](const std::string& name, const std::vector<std::int32_t>& values) {
    const std::string tap = "spec.round." + std::to_string(number) + "." + name;
    if (taps.wants(tap)) {
      const std::size_t count = values.size();
      taps.on_tap({tap, TensorDtype::kI32, {&count, 1}, values.data()});
    }
  };
  emit("position", {round.position});
  emit("drafted", round.drafted);
  emit("accepted", {static_cast<std::int32_t>(round.acceptance.accepted)});
  emit("bonus", {round.acceptance.bonus});
  emit("kv_len", {static_cast<std::int32_t>(round.kv_len)});
}

std::span<const double> row_of(const Logits& logits, std::size_t r, std::size_t expected) {
  if (logits.rows != expected) {
    throw Error("logits: got " + std::to_string(logits.rows) + " rows, expected " +
                std::to_string(expected));
  }
  return std::span(logits.values).subspan(r * logits.vocabulary(), logits.vocabulary());
}

}  // namespace assay::conformance
