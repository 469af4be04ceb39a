// SPDX-License-Identifier: Apache-2.0
// What honest programs of a class are off on the prompts of properties: floors, measured by the
// oracle's two builds, and the truth that says how much a change of the prompt has to show.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/compare/floors.h"
#include "conformance/compare/judge_run.h"
#include "conformance/compare/precision.h"
#include "conformance/interface/implementation.h"
#include "conformance/records/golden.h"

namespace assay::conformance {

class Yardstick {
 public:
  // `f64` takes forced taps. Both follow `profile`.
  Yardstick(std::unique_ptr<Implementation> f64, std::unique_ptr<Implementation> f32,
            const PrecisionClass& precision, const std::string& profile);

  const PrecisionClass& precision() const { return *precision_; }

  // Of a prompt on a checkpoint, at these taps; measured once. Floors: chained and of replay.
  const Floors& floors(const std::string& checkpoint, const CaseInput& input,
                       const std::set<std::string>& taps);
  // What the fp64 build gives there.
  const TapSet& truth(const std::string& checkpoint, const CaseInput& input,
                      const std::set<std::string>& taps);

  // The fp64 build with a checkpoint, for replays.
  Implementation& judge(const std::string& checkpoint);

 private:
  // A prompt of a property as numbers, so that it can be found again.
  using Key = std::pair<std::vector<std::string>, std::vector<double>>;
  const Golden& golden(const Key& key, const CaseInput& input, const std::set<std::string>& taps);
  static Key key_of(const std::string& checkpoint, const CaseInput& input,
                    const std::set<std::string>& taps);

  std::unique_ptr<Implementation> f64_;
  std::unique_ptr<Implementation> f32_;
  const PrecisionClass* precision_;
  Oracle oracle_;
  std::string loaded_;
  std::map<Key, Golden> truths_;
  std::map<Key, Floors> floors_;
};

}  // namespace assay::conformance
