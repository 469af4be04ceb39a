// SPDX-License-Identifier: Apache-2.0
// The sampling loop over any session: tokens are chosen until one of them stops the answer.
//
//   plain        token = choose(last row); extend by it
//   speculative  a round of speculation.h: some accepted drafts and the model's own choice after
//   them
//
// Greedy output is the same with and without drafts.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/interface/session.h"
#include "reference/family/sampling/sampler.h"

namespace assay::conformance {

struct GenerationOptions {
  SamplingOptions sampling;
  std::uint64_t seed = 0;
  std::size_t max_tokens = 256;
  std::vector<std::int32_t> stop;
  std::size_t draft_steps = 0;  // 0: no drafter
  TapListener* taps = nullptr;  // hears spec.round.{r}.…; null: nobody
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

// Goes on from the last row of the prompt. Calls `on_token` for each token as it is chosen. Throws
// Error for a session that fails.
Generation generate(Session& session, const Logits& last, const GenerationOptions& options,
                    const std::function<void(const GeneratedToken&)>& on_token);

}  // namespace assay::conformance
