// SPDX-License-Identifier: Apache-2.0
// One tap against its truth: picks the elements that count and the measure that fits its kind.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "conformance/compare/choices.h"
#include "conformance/compare/measure.h"
#include "conformance/compare/open_rows.h"
#include "conformance/compare/roundings.h"
#include "conformance/compare/shapes.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

struct Comparison {
  enum class Kind { kReal, kExact, kChoice, kShape };
  std::string tap;
  Kind kind = Kind::kReal;
  Errors errors;        // kReal
  Roundings roundings;  // kReal, where they are compared
  Mismatches exact;     // kExact
  ChoiceErrors choice;  // kChoice
  Shape got_shape;      // kShape
  Shape wanted_shape;
  std::size_t left_out = 0;  // rows that a near-tie makes incomparable
  bool some_rows = false;    // others are left out, or the dump does not hold them
  std::string open_choice;   // where rows are left out: what is open, or went otherwise
  std::string scores;        // kChoice: the tap that the choice is made from
};

// What else is known at that moment; null or empty: unknown, or of no concern to the tap.
struct ComparisonContext {
  const std::vector<char>* visible = nullptr;  // of scores and probabilities
  const Tap* scores = nullptr;                 // true scores of a choice
  const Tap* truth_choice = nullptr;           // orders the slots of the truth
  const Tap* got_choice = nullptr;             // and of the candidate
  const std::vector<char>* padding = nullptr;  // rows that hold no token
  const std::vector<char>* ties = nullptr;     // rows in which the choice is open
  bool all_rows = false;                       // ... has spread to all rows
  std::string open_choice;                     // whose
  double largest = std::numeric_limits<double>::infinity();
  double scale = 1;
  const PrecisionClass* rounded_to = nullptr;  // compare roundings, too
};

Comparison compare_tap(const Tap& truth, const Tap& got, const ComparisonContext& context);

// Rows of the prompt that are padding; empty when none is.
std::vector<char> padding_rows(const CaseInput& input);

// Compares a candidate's taps, in execution order, with a set of true ones.
class TruthComparer {
 public:
  TruthComparer(const TapSet& truth, const CaseInput& input, double largest);

  // `got` must have a true tap. Remembers the candidate's choices for the taps ordered by them.
  // `open`: rows that a choice has spoilt before.
  Comparison compare(const Tap& got, const OpenRows* open = nullptr);

 private:
  std::vector<char> visible_keys(const Tap& truth) const;

  Comparison compare_rows(const Tap& truth, const Tap& got, const OpenRows::Felt& felt);

  const TapSet& truth_;
  std::vector<char> padding_;
  double largest_;
  double scale_ = 1;
  std::map<std::string, Tap> choices_;
};

// Taps that a comparison of `tap` consults: probabilities for scores, scores for choices, masks.
std::vector<std::string> consulted_taps(const std::string& tap);

}  // namespace assay::conformance
