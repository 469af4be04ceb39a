// SPDX-License-Identifier: Apache-2.0
// An implementation with a mistake in it: any that takes forced taps, run with the mutants'
// formulas in between.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/mutants/mutant.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {

class Mutated : public Implementation {
 public:
  // All of it outlives this; `inner` has the model's checkpoint loaded. Several mutants act one
  // after another at the same tap, in their order.
  Mutated(Implementation& inner, const MutantModel& model, std::vector<const Mutant*> mutants);

  Capabilities capabilities() const override { return inner_.capabilities(); }
  Status load(const std::string& checkpoint, const std::string& drafter) override {
    return inner_.load(checkpoint, drafter);
  }
  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override;

  // The taps of the last run whose values a mistake changed, in the order of the run, with the
  // relative L2 of the change.
  const std::vector<std::pair<std::string, double>>& changed() const { return changed_; }

 private:
  Implementation& inner_;
  const MutantModel& model_;
  std::vector<const Mutant*> mutants_;
  std::vector<std::pair<std::string, double>> changed_;
};

// Whether a model's run of this kind has a tap that the mutant rewrites, by the config alone.
bool rewrites_layer(const Rewrite& rewrite, const MutantModel& model, const std::string& tap);

}  // namespace assay::conformance
