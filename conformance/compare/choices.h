// SPDX-License-Identifier: Apache-2.0
// Discrete choices made from scores: experts, centroids, drafted tokens.
//
//   regret = max over truth\got of score - min over got\truth of score      (0: the same set)
//
// A choice is a set: the order within it is not compared. Whether a regret is excused is for the
// judge; here it is only measured. Which taps are choices is said by catalogue/roles.h.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "conformance/compare/measure.h"
#include "conformance/records/tap.h"

namespace assay::conformance {

struct ChoiceErrors {
  Mismatches sets;         // different: rows whose sets differ
  std::vector<char> rows;  // per row: differs
  double worst_regret = 0;
  bool scored = false;  // regrets are known
  double score_rms = 0;
  std::vector<double> regrets;  // of the differing rows, in order
  // Differing rows that name an index twice, or one that is none: no choice at all, and no regret.
  std::size_t invalid = 0;
  std::size_t first_invalid = 0;  // flat index of the entry
  double invalid_index = 0;       // what stands there
  std::size_t near = 0;           // rows in which scores are so near that a choice is open
};

// `truth` and `got` hold rows of the last axis; `scores` (may be null) the true scores.
ChoiceErrors measure_choice(const Tap& truth, std::span<const double> got, const Tap* scores,
                            const Selection& selection = {});

// Rows whose last chosen and first unchosen score lie within `gap`.
std::vector<char> near_ties(const Tap& choice, const Tap& scores, double gap);

// Whole, distinct within each row, below the number of scores.
bool valid_choice(std::span<const double> got, std::size_t row_size, std::size_t scores);

// `got` with the k slots of each row put into the order in which they are nearest to the truth:
// without the indices, the order of slots is no information. Rows of the leading axis; `truth` has
// shape [T, k, ...].
std::vector<double> match_slots(const Tap& truth, std::span<const double> got);

// `got` with the k axis of each row put into the truth's order of choices. Rows in which the
// chosen sets differ are left as they are and flagged.
struct Aligned {
  std::vector<double> values;
  std::vector<char> rows;  // per row of the choice: sets differ
};
std::optional<Aligned> align_slots(std::span<const double> got, const Tap& truth_choice,
                                   std::span<const double> got_choice);

}  // namespace assay::conformance
