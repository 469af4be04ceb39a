// SPDX-License-Identifier: Apache-2.0
// Speculative decoding over any session: a drafter proposes, one pass of the model disposes.
//
//   draft    d_1 … d_N after x, the newest token, which is not in the caches yet
//   judge    one pass of the model over [x, d_1 … d_N]: a row of logits for each
//   accept   the leading drafts that the model itself chooses, and its own choice after them, the
//            bonus: the next x
//   forget   the cache entries of the rest
//
// A draft d is kept with the probability P(d) that the model gives it, else a token is drawn from P
// with d removed and renormalised. Drafts are argmaxes, so their distribution Q is a point mass and
// this is the exact rule of Leviathan et al. 2023; the drafter's softmax as Q, as some programs
// have it, biases the output (DIV-24). Greedy choice is the case in which P is a point mass too:
// output equals plain greedy decoding whatever the drafter says.  Spec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/interface/session.h"
#include "reference/family/sampling/sampler.h"

namespace assay::conformance {

using Uniform = std::function<double()>;  // numbers in [0, 1)

// Draws from what candidates() gives; without a number where there is only one candidate.
std::int32_t choose(const std::vector<Candidate>& candidates, const Uniform& uniform);

struct Acceptance {
  std::size_t accepted = 0;  // leading drafts kept
  std::int32_t bonus = 0;    // the model's token after them
};

// `candidates(j)`: what the model may draw after x and j drafts, j = 0 … N; asked in this order and
// no further than needed.
Acceptance accept(const std::vector<std::int32_t>& drafted,
                  const std::function<std::vector<Candidate>(std::size_t)>& candidates,
                  const Uniform& uniform);

struct Round {
  std::int32_t position = 0;  // of x
  std::vector<std::int32_t> drafted;
  Logits rows;  // [N+1, V], of x and each draft
  Acceptance acceptance;
  std::size_t kv_len = 0;  // tokens in the caches after the round
};

// One round after `newest`. Throws Error for drafts and rows that make no sense, and for a session
// that fails.
Round speculate(Session& session, std::int32_t newest, std::size_t steps,
                const SamplingOptions& sampling, const Uniform& uniform);

// Taps spec.round.{number}.….
void emit_round(const Round& round, std::size_t number, TapListener& taps);

// Row r. Throws Error unless there are `expected` rows.
std::span<const double> row_of(const Logits& logits, std::size_t r, std::size_t expected);

}  // namespace assay::conformance
