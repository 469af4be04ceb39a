// SPDX-License-Identifier: Apache-2.0
// report.json, format version 1: a contract with whoever reads it. Keys are added, never renamed.
//
//   {"format_version": 1, "summary": {"pass": 1, "fail": 0, …},
//    "cases": [{"case", "checkpoint", "impl", "precision", "mode", "verdict", "introduced_by": […],
//               "taps": [{"tap", "verdict", "max_abs", "rel_l2", "budget", "in_bound_units",
//                         "where": […]}],
//               "coverage": {"kinds_judged", "kinds_known", "ignored", "note"}, "achieved_class",
//               "rows": {"wrong", "of", "note"},
//               "ignored": [{"name", "did_you_mean"}], "notes": [{"taps": […], "text"}]}]}
//
// Where the implementation says what it ran on, "executed_on" stands beside "summary".
// `coverage` counts kinds of tap, whatever the layer, that were tested, and arrays that are no tap;
// its note says where a verdict rests on few of them (coverage_note.h).
// `ignored` lists arrays of a dump whose names are no taps, `notes` what else is to be said of it.
// A failing tap says its "rows", what its error looks like ("signature"), and of a step since which
// dumped tap it runs, the taps within that the dump lacks, and the mistakes that may live there;
// "rows" of a case are those of its first failure.
// A case in mode "property" has no taps, but "checks", "failed_checks" and "failures", what the
// first of those found. Numbers that are not finite are null.
#pragma once

#include <string>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

std::string json_report(const Report& report);

}  // namespace assay::conformance
