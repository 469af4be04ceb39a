// SPDX-License-Identifier: Apache-2.0
// What passing runs exclude, from the tables that lie with the goldens.
//
//   <root>/cases/<checkpoint>/<case>.h5        <root>/power/<checkpoint>.txt
#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conformance/compare/precision.h"
#include "conformance/compare/verdict.h"
#include "conformance/mutants/power.h"

namespace assay::program {

// The table beside a golden file's folder; null where there is none, or none of this case.
const conformance::CasePower* power_beside(const std::filesystem::path& golden);

// Says of each passing result what it excludes, where that is known.
void add_power(const std::filesystem::path& golden, const conformance::PrecisionClass& precision,
               std::vector<conformance::CaseResult>& results);

// What the cases of a run exclude together, class by class.
class RunPower {
 public:
  void note(const conformance::CaseResult& result);
  // "f32: excludes 540 of 560 known mistakes; blind to …"
  void print(std::ostream& out) const;

 private:
  std::map<std::string, std::map<std::string, bool>> seen_;  // by class and label
};

// "e2b-tiny/text-long at text.layer.{i}.attn.probs, 10^-1", one for each committed case that shows
// a mutant of this label.
std::vector<std::string> where_seen(const std::string& label);

}  // namespace assay::program
