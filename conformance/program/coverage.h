// SPDX-License-Identifier: Apache-2.0
// Which taps of the catalogue a set of goldens compares, and why the others are not.
#pragma once

#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "conformance/compare/verdict.h"
#include "conformance/records/golden.h"
#include "reference/family/config/config.h"

namespace assay::program {

class Coverage {
 public:
  // Adds to result.not_provided every tap that this model has and the golden lacks, with the
  // golden's reason, and remembers both kinds.
  void note(const conformance::Golden& golden, const ModelConfig& model, const ModelConfig* drafter,
            conformance::CaseResult& result);

  // Per checkpoint: taps compared in some case, and the rest by reason. A media tap counts once for
  // all items.
  void print(std::ostream& out) const;

 private:
  struct OfCheckpoint {
    std::set<std::string> compared;
    std::map<std::string, std::string> absent;  // tap -> reason
  };
  std::map<std::string, OfCheckpoint> checkpoints_;
};

}  // namespace assay::program
