// SPDX-License-Identifier: Apache-2.0
// From logits to the next token, in the normative order (spec prompting 4.3, RS-2 to RS-8):
//
//   suppress -> z / temperature -> top-k (ties at the threshold stay) -> softmax -> top-p (the
//   smallest prefix that reaches top_p, the crossing token included) -> renormalise -> draw
//
// temperature 0 is greedy: the largest logit, the lowest id among equals. A draw takes the first
// token, by descending probability and then by id, whose cumulative probability exceeds u.
// Everything is fp64 and the generator is named, so the same logits and the same seed give the same
// tokens everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace assay {

struct SamplingOptions {
  double temperature = 1.0;  // of the released generation_config.json, as the two below
  std::size_t top_k = 64;    // 0: all
  double top_p = 0.95;       // 1: all
  std::vector<std::int32_t> suppress;
};

struct Candidate {
  std::int32_t id = 0;
  double probability = 0;
};

// What may be drawn, by descending probability and then by id; the probabilities sum to 1. Throws
// Error on an option out of range, a logit that is not a number, and when nothing is left.
std::vector<Candidate> candidates(std::span<const double> logits, const SamplingOptions& options);

// The first candidate whose cumulative probability exceeds u in [0, 1).
std::int32_t draw(const std::vector<Candidate>& candidates, double u);

// Of the uncut distribution at temperature 1: log softmax(logits)[id]. Throws Error for an id that
// has no logit, a logit that is not a number, and when the largest is infinite.
double log_probability(std::span<const double> logits, std::int32_t id);

class Sampler {
 public:
  Sampler(SamplingOptions options, std::uint64_t seed);

  std::int32_t next(std::span<const double> logits);

 private:
  SamplingOptions options_;
  std::mt19937_64 random_;  // its numbers are fixed by the C++ standard
};

}  // namespace assay
