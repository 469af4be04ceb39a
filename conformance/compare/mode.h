// SPDX-License-Identifier: Apache-2.0
// What the taps of a run are compared with.
//
//   chained   the truth, end to end: errors add up on their way
//   isolated  the truth, each block fed with true inputs: its own error alone
//   replay    each step computed again in fp64 from the run's own earlier taps; needs only a dump
//             and tells best where an error entered
//   forced    the truth, the run going on from a true tap at a chosen depth
//   property  no truth: what must hold of any run
//
// Chained and replay judge what a run has shown (judge_run.h); isolated and forced take part in it
// (fed.h); properties are tried by conformance/properties.
#pragma once

#include <optional>
#include <string_view>

namespace assay::conformance {

enum class Mode { kChained, kIsolated, kReplay, kForced, kProperty };

// "chained", … as --mode and report.json spell them.
const char* mode_name(Mode mode);
std::optional<Mode> find_mode(std::string_view name);

// Whether judge_run() can do it.
bool is_runnable(Mode mode);

}  // namespace assay::conformance
