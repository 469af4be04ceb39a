// SPDX-License-Identifier: Apache-2.0
// Power: what a passing run excludes.
//
// For a case, each mutant that acts on it is run in fp64 once and compared with the truth. What is
// kept is how far each kind of tap moves, to a fifth of a decade; it depends on no class and no
// dump. A verdict excludes a mistake when some tap of the dump, with the budget it was judged by,
// could not have moved that far and passed; to the others it is blind.
//
//   case text-long                          a line for each case of a checkpoint
//   kinds text.embed text.layer.{i}.in …    kinds of tap, in execution order
//   M-67 ......fffa                         a code for each, "." where it does not move; of the
//                                           taps of layers in the first layer that moves
//
// Codes count fifths of a decade downwards, 0 to 9, a to z, A to O: the n-th stands for a relative
// L2 of 10^(-n/5) to 10^((1-n)/5), 0 for 1 and more.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "conformance/compare/verdict.h"
#include "conformance/mutants/mutated.h"
#include "conformance/records/golden.h"

namespace assay::conformance {

struct CasePower {
  std::vector<std::string> kinds;                              // patterns of taps
  std::vector<std::pair<std::string, std::string>> by_mutant;  // label, a digit for each kind
};
using PowerTable = std::map<std::string, CasePower>;  // by case

// Runs every mutant. `f64` has the checkpoint loaded and follows the golden's profile.
CasePower measure_power(Implementation& f64, const MutantModel& model, const Golden& golden);

std::string power_text(const PowerTable& table);
// Throws assay::Error naming `label` and the line for anything else.
PowerTable parse_power(const std::string& text, const std::string& label);

// The least relative L2 that a code stands for; 0 for ".".
double least_change(char code);

// What the judged taps of a result exclude. A replay judges step by step, so the first tap that
// moves has to show a mistake; so do, in a chained run, taps but the output where `sixteen_bit`.
Power power_of(const CasePower& power, const CaseResult& result, bool sixteen_bit);

}  // namespace assay::conformance
