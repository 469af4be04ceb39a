// SPDX-License-Identifier: Apache-2.0
// Runs that go on from the truth: the modes isolated and forced.
//
//   isolated   at the end of every block the run goes on from the truth, so that a block shows its
//              own error alone; keys and values that a layer takes from an earlier one are true too
//   forced     it goes on from the truth once, at the end of layer N - 1, and is judged after that
//
// Floors are those of honest programs that are fed the same. In a class that rounds what it stores
// the truth is rounded before.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "conformance/compare/judge_run.h"
#include "conformance/compare/listeners.h"
#include "conformance/compare/mode.h"
#include "conformance/compare/precision.h"
#include "conformance/compare/verdict.h"
#include "conformance/interface/implementation.h"
#include "conformance/records/golden.h"

namespace assay::conformance {

// An implementation whose runs go on from the truth at some taps. They are shown as they were.
class Fed : public Implementation {
 public:
  // All of it outlives this.
  Fed(Implementation& inner, const TapSet& truth, const std::set<std::string>& fed,
      const PrecisionClass& precision)
      : inner_(inner), truth_(truth), fed_(fed), precision_(precision) {}

  // Chunks are joined before they are shown, and nothing can be put in their place.
  Capabilities capabilities() const override;
  Status load(const std::string& checkpoint, const std::string& drafter) override {
    return inner_.load(checkpoint, drafter);
  }
  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override;

 private:
  Implementation& inner_;
  const TapSet& truth_;
  const std::set<std::string>& fed_;
  const PrecisionClass& precision_;
};

// One run of a candidate, which has the case's checkpoint loaded, in mode isolated or forced.
// `depth`: N of forced; 0: half of the layers. Not supported where the candidate takes no forced
// taps, or the golden has none of the taps that it would be fed.
CaseResult judge_fed(const Golden& golden, Implementation& candidate, const RunOptions& options,
                     Oracle& oracle, const PrecisionClass& precision, Mode mode,
                     std::size_t depth = 0, const TapFilter& claimed = {});

}  // namespace assay::conformance
