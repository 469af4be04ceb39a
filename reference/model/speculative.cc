// SPDX-License-Identifier: Apache-2.0
#include "reference/model/speculative.h"

#include <algorithm>

#include "reference/model/generate.h"

namespace assay::ASSAY_REFERENCE {
namespace {

// The token whose share of [0, total) holds u * total; never one of probability zero.
std::int32_t drawn_from(std::span<const Real> probs, double u) {
  double total = 0;
  for (const Real p : probs) {
    total += static_cast<double>(p);
  }
  std::int32_t token = -1;
  double below = 0;
  for (std::size_t v = 0; v < probs.size(); ++v) {
    if (probs[v] > 0) {
      token = static_cast<std::int32_t>(v);
      below += static_cast<double>(probs[v]);
      if (u * total < below) {
        break;
      }
    }
  }
  if (token < 0) {
    throw Error("accept_sampled: got no token of positive probability, expected one");
  }
  return token;
}

// Drafts of the vocabulary, and a row of the target for x_p and each of them.
void check_drafts(const std::vector<std::int32_t>& drafted, const Tensor<T, V>& rows) {
  if (rows.shape()[0] <= drafted.size()) {
    throw Error("speculation: got " + std::to_string(rows.shape()[0]) +
                " rows of the target, expected " + std::to_string(drafted.size() + 1));
  }
  for (const std::int32_t token : drafted) {
    if (token < 0 || static_cast<std::size_t>(token) >= rows.shape()[1]) {
      throw Error("speculation: got draft " + std::to_string(token) + ", expected 0 to " +
                  std::to_string(rows.shape()[1] - 1));
    }
  }
}

void emit_round(const Round& round, std::size_t number, Taps& taps) {
  const TapScope tap(taps, "spec.round." + std::to_string(number) + ".");
  const auto scalar = [&tap](const char* name, std::int32_t value) {
    IntTensor<R> tensor = {value};
    tap.whole(name, tensor);
  };
  scalar("position", round.position);
  IntTensor<R> drafted = IntTensor<R>::from_shape({round.drafted.size()});
  std::copy(round.drafted.begin(), round.drafted.end(), drafted.begin());
  tap.whole("drafted", drafted);
  scalar("accepted", static_cast<std::int32_t>(round.acceptance.accepted));
  scalar("bonus", round.acceptance.bonus);
  scalar("kv_len", static_cast<std::int32_t>(round.kv_len));
}

}  // namespace

Acceptance accept_greedy(const std::vector<std::int32_t>& drafted, const Tensor<T, V>& logits,
                         const std::vector<std::int32_t>& suppressed) {
  check_drafts(drafted, logits);
  const std::size_t vocabulary = logits.shape()[1];
  Acceptance acceptance;
  for (;;) {
    acceptance.bonus = greedy_token(row(logits, acceptance.accepted, vocabulary), suppressed);
    if (acceptance.accepted == drafted.size() || drafted[acceptance.accepted] != acceptance.bonus) {
      return acceptance;
    }
    ++acceptance.accepted;
  }
}

Acceptance accept_sampled(const std::vector<std::int32_t>& drafted, const Tensor<T, V>& probs,
                          const std::function<double()>& uniform) {
  check_drafts(drafted, probs);
  const std::size_t vocabulary = probs.shape()[1];
  Acceptance acceptance;
  for (; acceptance.accepted < drafted.size(); ++acceptance.accepted) {
    const auto p = row(probs, acceptance.accepted, vocabulary);
    const auto token = static_cast<std::size_t>(drafted[acceptance.accepted]);
    if (uniform() >= static_cast<double>(p[token])) {
      std::vector<Real> rest(p.begin(), p.end());
      rest[token] = 0;
      acceptance.bonus = drawn_from(rest, uniform());
      return acceptance;
    }
  }
  acceptance.bonus = drawn_from(row(probs, acceptance.accepted, vocabulary), uniform());
  return acceptance;
}

Speculation speculate_greedy(const Transformer& target, const Drafter& drafter,
                             const TokenChunk& prompt, std::size_t count, std::size_t draft_steps,
                             DraftWindow window, Taps& taps) {
  Taps silent;
  const auto& suppressed = target.config().suppress_tokens;
  KvCache cache = target.new_cache(Drafter::rollback_reserve(draft_steps));
  const auto first = target.forward(prompt, cache, silent);
  const std::size_t last = prompt.ids.size() - 1;
  auto hidden = one_row(first.final_norm, last);
  std::int32_t position = prompt.positions.back() + 1;
  Speculation output;
  output.tokens.push_back(
      greedy_token(row(first.logits, last, first.logits.shape()[1]), suppressed));

  while (output.tokens.size() < count) {
    Round round;
    round.position = position;
    const std::int32_t newest = output.tokens.back();
    round.drafted = drafter.draft(cache, newest, position, hidden, draft_steps, window, taps);

    std::vector<std::int32_t> ids = {newest};
    ids.insert(ids.end(), round.drafted.begin(), round.drafted.end());
    const std::size_t before = cache.length();
    const auto pass =
        target.forward(text_chunk(ids, static_cast<std::size_t>(position)), cache, silent);
    round.acceptance = accept_greedy(round.drafted, pass.logits, suppressed);
    cache.forget_from(before + 1 + round.acceptance.accepted);
    round.kv_len = cache.length();
    emit_round(round, output.rounds.size(), taps);

    const auto kept = static_cast<std::ptrdiff_t>(round.acceptance.accepted);
    output.tokens.insert(output.tokens.end(), round.drafted.begin(), round.drafted.begin() + kept);
    output.tokens.push_back(round.acceptance.bonus);
    hidden = one_row(pass.final_norm, round.acceptance.accepted);
    position += 1 + static_cast<std::int32_t>(round.acceptance.accepted);
    output.rounds.push_back(std::move(round));
  }
  output.tokens.resize(count);
  return output;
}

}  // namespace assay::ASSAY_REFERENCE
