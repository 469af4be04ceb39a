// SPDX-License-Identifier: Apache-2.0
// Two runs that must agree, judged by what honest programs of the class are off there.
//
//   |a - b| <= K floor_a + K floor_b      as a share of b; the worst row by K_row and its own
//   floors
//
// Scores count at visible keys, integers are equal, a choice may go the other way at a near-tie,
// after which its rows are left out (compare/chained.h). What rounding of the class could hide is
// no check and is counted as such. In 16 bits that is most of a deep model; then the steps of a run
// are judged as well: those that are right in the one run must be right in the other.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "conformance/compare/floors.h"
#include "conformance/properties/findings.h"
#include "conformance/properties/subject.h"

namespace assay::conformance {

// A prompt and what a run on it shows.
struct Shown {
  CaseInput input;
  TapMap taps;
};

Shown show(Subject& subject, CaseInput input, std::size_t prefill_chunk = 0);

class Agreement {
 public:
  // At the taps that `theirs` shows. Both prompts have the floors of theirs, unless the other's
  // `own` ones are asked for.
  enum class OtherFloors { kTheirs, kOwn };
  Agreement(Subject& subject, const Shown& theirs, const CaseInput& other,
            OtherFloors of_other = OtherFloors::kTheirs);

  // Every tap of `wanted`, which has the shapes of their run, is in `ours` and agrees. `where`:
  // what is said before its name.
  void expect_same(const TapMap& ours, const TapMap& wanted, const std::string& where,
                   Findings& findings);
  // The steps of a run on the other prompt that are wrong are wrong in theirs.
  void expect_right_steps(const Shown& ours, const std::string& where, Findings& findings);
  // A row of a tap is another one in a run on the other prompt, where the truth is.
  void expect_other_row(const TapMap& ours, const std::string& tap, std::size_t row,
                        const std::string& where, Findings& findings);

 private:
  std::set<std::string> wrong_steps(const Shown& shown, const Floors& floors);

  Subject& subject_;
  const Shown& theirs_;
  const CaseInput& other_;
  std::set<std::string> names_;
  const Floors& floors_of_theirs_;
  const Floors& floors_of_other_;
  Floors both_;
  bool has_steps_ = false;
  std::set<std::string> wrong_in_theirs_;
};

// How far a tap may be off what follows from the taps before it, as a share of its size: the
// worst row of an honest run, K times.
double step_bound(Subject& subject, const Shown& shown, const std::string& tap);

// A budget within which zeros would pass tells nothing.
bool tells_nothing(double bound);

}  // namespace assay::conformance
