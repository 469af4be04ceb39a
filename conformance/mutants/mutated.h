// SPDX-License-Identifier: Apache-2.0
// An implementation with a mistake in it: any that takes forced taps, run with the mutants'
// formulas in between.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "conformance/compare/precision.h"
#include "conformance/interface/implementation.h"
#include "conformance/mutants/mutant.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {

// What a mistake changed at a tap, from the same inputs.
struct Change {
  std::string tap;
  double relative = 0;  // L2 of the change
  // Where a class is given: the share of values whose rounding becomes another, and the largest
  // change in units of the spacing of its numbers.
  double differing = 0;
  double spacings = 0;
  std::size_t others = 0;  // how many round otherwise
  // Of those the largest change in unit roundoffs of fp32: of the value, or of the tap's rms where
  // that is larger.
  double excess = 0;
};

class Mutated : public Implementation {
 public:
  // All of it outlives this; `inner` has the model's checkpoint loaded. Several mutants act one
  // after another at the same tap, in their order. `rounds`: the class that changes are counted in.
  Mutated(Implementation& inner, const MutantModel& model, std::vector<const Mutant*> mutants,
          const PrecisionClass* rounds = nullptr);

  Capabilities capabilities() const override { return inner_.capabilities(); }
  Status load(const std::string& checkpoint, const std::string& drafter) override {
    return inner_.load(checkpoint, drafter);
  }
  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override;

  // The taps of the last run whose values a mistake changed, in the order of the run.
  const std::vector<Change>& changed() const { return changed_; }

 private:
  Implementation& inner_;
  const MutantModel& model_;
  std::vector<const Mutant*> mutants_;
  const PrecisionClass* rounds_;
  std::vector<Change> changed_;
};

// Whether a model's run of this kind has a tap that the mutant rewrites, by the config alone.
bool rewrites_layer(const Rewrite& rewrite, const MutantModel& model, const std::string& tap);

}  // namespace assay::conformance
