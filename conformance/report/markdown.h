// SPDX-License-Identifier: Apache-2.0
// report.md: the terminal's words, to paste into an issue or a job's summary.
#pragma once

#include <string>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

std::string markdown_report(const Report& report);

}  // namespace assay::conformance
