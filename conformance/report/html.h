// SPDX-License-Identifier: Apache-2.0
// report.html: one page that needs nothing beside it, no network and no script.
//
//   what was judged and how it ended; every case in a table, those that did not pass first;
//   for each of these: the words of the terminal, the error of every tap by depth, a map of blocks
//   and taps, and for each failing tap where in the tensor the error sits
//
// Cases that pass have charts, too, where the report has few of them.
#pragma once

#include <string>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

std::string html_report(const Report& report);

}  // namespace assay::conformance
