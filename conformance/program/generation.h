// SPDX-License-Identifier: Apache-2.0
// Choosing tokens: sampling, stopping, speculation, over any session.
//
//   plain        token = choose(last row); extend by it
//   speculative  draft d_1 … d_N after the newest token x; extend by [x, d_1 … d_N] in one call;
//   keep
//                the leading drafts that the model itself would have chosen, and its own choice
//                after them; take the rest back
//
// Greedy output is the same with and without drafts. A sampled draft is kept with the probability
// that the model gives it, else one is drawn from what is left of the distribution.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "conformance/interface/session.h"
#include "reference/family/sampling/sampler.h"

namespace assay::program {

struct GenerationOptions {
  SamplingOptions sampling;
  std::uint64_t seed = 0;
  std::size_t max_tokens = 256;
  std::vector<std::int32_t> stop;
  std::size_t draft_steps = 0;  // 0: no drafter
};

struct GeneratedToken {
  std::int32_t id = 0;
  double log_probability = 0;  // of the uncut distribution at temperature 1
};

struct Generation {
  std::vector<GeneratedToken> tokens;  // the stop token included
  bool stopped = false;                // by a stop token; otherwise by max_tokens
  std::size_t drafted = 0;
  std::size_t accepted = 0;
};

// Goes on from the last row of the prompt. Calls `show` for each token as it is chosen. Throws
// Error for a session that fails.
Generation generate(conformance::Session& session, const conformance::Logits& last,
                    const GenerationOptions& options,
                    const std::function<void(const GeneratedToken&)>& show);

}  // namespace assay::program
