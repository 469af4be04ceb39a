// SPDX-License-Identifier: Apache-2.0
// Speculative decoding: a drafter proposes, one target pass disposes.
//
// A round: draft d_1 ... d_N; run the target once over [x_p, d_1, ..., d_N]; accept the longest
// prefix that the target itself would have produced; take back the cache entries of the rest; the
// target's own choice after the last accepted token is the bonus and the next x.
//
//   greedy    d_j is accepted when it is the target's argmax at the position before it
//   sampled   d_j is accepted with probability P(d_j); on rejection a token is drawn from P with
//             d_j removed and renormalised. Drafts are argmaxes, so Q is a point mass and this is
//             the exact rule of Leviathan et al. 2023; using the drafter's softmax as Q, as some
//             programs do, biases the output.
//
// Greedy output equals plain greedy decoding whatever the drafter says.  Spec.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "reference/model/drafter.h"
#include "reference/model/transformer.h"

namespace assay::ASSAY_REFERENCE {

struct Acceptance {
  std::size_t accepted = 0;  // leading drafts kept
  std::int32_t bonus = 0;    // the target's token after them
};

// `logits` [N+1, V]: the target's rows over [x_p, d_1 ... d_N].
Acceptance accept_greedy(const std::vector<std::int32_t>& drafted, const Tensor<T, V>& logits,
                         const std::vector<std::int32_t>& suppressed);

// `probs` [N+1, V]; `uniform` gives numbers in [0, 1).
Acceptance accept_sampled(const std::vector<std::int32_t>& drafted, const Tensor<T, V>& probs,
                          const std::function<double()>& uniform);

struct Round {
  std::int32_t position = 0;  // p of the round
  std::vector<std::int32_t> drafted;
  Acceptance acceptance;
  std::size_t kv_len = 0;  // cached tokens after the round
};

struct Speculation {
  std::vector<std::int32_t> tokens;
  std::vector<Round> rounds;
};

// Greedy; taps `spec.round.{r}.…` beside those of target and drafter.
Speculation speculate_greedy(const Transformer& target, const Drafter& drafter,
                             const TokenChunk& prompt, std::size_t count, std::size_t draft_steps,
                             DraftWindow window, Taps& taps);

}  // namespace assay::ASSAY_REFERENCE
