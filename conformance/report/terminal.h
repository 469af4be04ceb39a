// SPDX-License-Identifier: Apache-2.0
// The report for people: one line per case, one screen per case that did not pass.
//
//   FAIL  my_port f32 replay  e2b-tiny/text-12  2 of 412 taps fail
//     introduced  text.layer.{4,9}.attn.q_rope
//                 1,600,000 times the error that an honest f32 program makes here; limit 4 times
//                 in text.layer.4.attn.q_rope  at [11, 2, 97]: got 0.412, want -0.133
//                 rules R-31 R-20 R-21: assay explain text.layer.4.attn.q_rope
//     ignored     model.layers.{0-6}.out: no tap; did you mean text.layer.{0-6}.out?
//     note        text.logits: holds the last of 11 rows and is judged by it
//     inherited   61 taps, up to 4.1e+04 × floor
//     reproduce   assay verify …
//
// The first kind of tap is told in words, the others as "12.3 × floor (limit 4)".
#pragma once

#include <iosfwd>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

struct TerminalOptions {
  bool colour = false;
  std::size_t groups = 6;  // how many groups of taps a failing case shows
};

// Colour only where the stream is a terminal and NO_COLOR is not set.
bool is_colour_terminal(int descriptor);

void print_case(std::ostream& out, const CaseResult& result, const TerminalOptions& options);
// Cases that were not supported, a line for each reason: how many, in which classes, and one.
void print_skipped(std::ostream& out, const Report& report, const TerminalOptions& options);
void print_summary(std::ostream& out, const Report& report, const TerminalOptions& options);

}  // namespace assay::conformance
