// SPDX-License-Identifier: Apache-2.0
// junit.xml: one testsuite per checkpoint, one testcase per case and mode.
//
//   fail -> failure; resource and harness errors, not tested -> error; not supported, waived ->
//   skipped; a warning passes and says so in system-out, as a pass does that has notes
#pragma once

#include <string>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

std::string junit_report(const Report& report);

// Text between tags or in an attribute: markup escaped, what XML 1.0 cannot hold replaced by "?".
std::string xml_escaped(const std::string& text);

}  // namespace assay::conformance
