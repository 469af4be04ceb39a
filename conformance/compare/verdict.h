// SPDX-License-Identifier: Apache-2.0
// The plain data of a verdict: one record per tap, per case, per run.
//
// Numbers that were not measured are NaN; report.json writes them as null.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "conformance/compare/mode.h"

namespace assay::conformance {

enum class Verdict {
  kPass,
  kFail,
  kWarning,
  kNotSupported,
  kResourceError,
  kHarnessError,
  kWaived,
  kNotTested  // nothing is wrong, and too little was compared to call it right
};

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// One tap of one case. `code` says what kind of failure it is, and is empty when there is none:
// NAN, INF, SHAPE, MISSING, DISCRETE, MASK_LEAK, NOT_PROB, NONZERO, TOL, ALIASED, …
struct TapResult {
  std::string tap;
  Verdict verdict = Verdict::kPass;
  std::string code;
  std::size_t compared = 0;  // elements of a real tap
  double max_abs = kNotMeasured;
  double rel_l2 = kNotMeasured;
  double floor = kNotMeasured;           // relative L2 of honest rounding at this tap
  double budget = kNotMeasured;          // the rel_l2 that still passes
  double in_bound_units = kNotMeasured;  // rel_l2 / floor
  double cosine = kNotMeasured;
  std::vector<std::size_t> where;  // index of the worst element
  double got = kNotMeasured;       // the value there
  double want = kNotMeasured;
  std::vector<std::size_t> worst_row;  // index of the worst row (last axis left out)
  double worst_row_units = kNotMeasured;
  double differing = kNotMeasured;        // share of 16-bit elements that are rounded otherwise
  double differing_limit = kNotMeasured;  // the share that still passes
  bool unused = false;  // the program went on from another value: wrong is the dump, not the step
  std::string note;
  std::string floor_source;  // golden, measured, predicted
  // Of a failure: the rows of the leading axis that are wrong, and what they have in common.
  std::vector<std::size_t> wrong_rows;
  std::size_t rows = 0;
  std::string rows_note;  // "rows 4-10 of 11, from the window's width on"
  std::string signature;  // what the error looks like: "got = want / 6"
  // Of a step at which an error entered: where it begins, the taps in it that the dump lacks, and
  // the mistakes of the catalogue that may live there.
  std::string since;
  std::vector<std::string> within;
  std::vector<std::string> mistakes;
};

// An array of a dump whose name is no tap, and the tap that was probably meant.
struct IgnoredName {
  std::string name;
  std::string meant;  // "": nobody knows
};

// What is to be said of some arrays of a dump that is neither a number nor a verdict.
struct DumpNote {
  std::vector<std::string> taps;
  std::string text;  // "holds the last of 11 rows and is judged by it"
};

// What a verdict rests on: kinds of tap, whatever the layer, and names that are no tap.
struct KindsOfTap {
  std::size_t kinds_judged = 0;  // tested in this mode
  std::size_t kinds_known = 0;   // that the golden has
  std::size_t ignored = 0;       // arrays of the dump
};

// Which of the known mistakes that this case can show its judged taps would have shown
// (conformance/mutants/power.h).
struct Power {
  std::size_t excluded = 0;
  std::size_t expressible = 0;
  std::vector<std::string> blind;  // labels of the others
  std::vector<std::string> seen;   // labels of those
};

// "excludes 204 of 231 known mistakes; blind to M-02:attn.q_norm, …"
std::string describe(const Power& power);

// A known mistake that explains failing taps (conformance/mutants/diagnose.h).
struct Diagnosis {
  std::string label;                   // of the catalogue: "M-67"
  std::string what;                    // in words
  std::vector<std::string> taps;       // that it explains
  std::size_t explains = 0;            // how many these are
  std::size_t failing = 0;             // of so many
  double residual = 0;                 // the error that is left there, in floors
  std::vector<std::string> same_here;  // labels of mistakes that explain the same here
};

// "this is M-67, sliding layers have no window; explains 7 of 7 taps"
std::string describe(const Diagnosis& diagnosis);

// One case in one mode. `taps` and `introduced_by` are in execution order.
struct CaseResult {
  std::string case_name;
  std::string checkpoint;
  std::string impl;
  std::string precision;
  Mode mode = Mode::kChained;
  Verdict verdict = Verdict::kPass;
  std::vector<std::string> introduced_by;  // taps at which an error entered
  std::vector<std::string> inherited;      // failing taps that only carry it on
  std::vector<TapResult> taps;
  KindsOfTap coverage;
  std::vector<std::pair<std::string, std::string>> not_provided;  // tap, reason
  std::vector<IgnoredName> ignored;                               // arrays that are no tap
  std::vector<DumpNote> notes;
  std::string reproduce;  // a command
  std::string message;    // one line, where the verdict is not about taps
  // The class that the values betray, "" where they tell nothing; a line where that is another than
  // the declared one, which heads a failure that it explains.
  std::string achieved_class;
  std::string class_note;
  bool class_explains = false;
  // Of a failure that a switch of the profile explains: the profile, and a line that says so.
  std::string matches_profile;
  std::string profile_note;
  // Of a failure at taps where a known rounding explains the error: which, and how many of them.
  std::string rounding_note;
  Power power;                       // expressible 0: not known of this case
  std::vector<Diagnosis> diagnosis;  // of a failure: the mistakes that explain it
  // Of a property: how many checks were made and failed, and what the first of those found.
  std::size_t checks = 0;
  std::size_t failed_checks = 0;
  std::vector<std::string> failures;
  double seconds = 0;
};

struct Report {
  std::string command;
  std::vector<CaseResult> cases;
  std::string executed_on = {};  // by what, where the implementation says so: "host twin"
};

// "pass", "not_supported", … as report.json spells them.
const char* verdict_name(Verdict verdict);

std::size_t count_cases(const Report& report, Verdict verdict);

// 0 pass, 1 fail (a resource error of the port included) or not tested, 3 harness error.
int exit_code(const Report& report);

}  // namespace assay::conformance
