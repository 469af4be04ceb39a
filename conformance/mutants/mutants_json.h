// SPDX-License-Identifier: Apache-2.0
// mutants.json and the printed kill table.
//
//   {"format_version": 1, "precision": "f32",
//    "summary": {"expressible", "killed", "at_expected", "below", "innocent_runs", "false_alarms"},
//    "mutants": [{"label", "case", "expected", "caught_at", "size", "verdict",
//                 "differing", "spacings"}]}    the last two in classes that round taps
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "conformance/mutants/kill_table.h"

namespace assay::conformance {

struct KillTable {
  std::string precision = "f32";  // class that was judged
  std::vector<Kill> kills;
  std::size_t innocent_runs = 0;
  std::size_t false_alarms = 0;
};

void print_kill_table(std::ostream& out, const KillTable& table);
void print_innocent(std::ostream& out, const KillTable& table);
// Whether every mutant was killed at its tap, or lies below the rounding, and no honest run
// refused.
bool all_killed(const KillTable& table);

// Writes DIR/mutants.json, which is made where it is not there. Throws assay::Error.
void write_mutants_json(const std::string& folder, const KillTable& table);
// The table of such a text. Throws assay::Error naming `label` for anything else.
KillTable read_mutants_json(const std::string& text, const std::string& label);

}  // namespace assay::conformance
