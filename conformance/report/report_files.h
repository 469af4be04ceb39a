// SPDX-License-Identifier: Apache-2.0
// report.json, junit.xml, report.html and report.md in a folder.
#pragma once

#include <filesystem>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

// Makes the folder when it is not there. Files appear whole or not at all. Throws assay::Error.
void write_reports(const std::filesystem::path& folder, const Report& report);

}  // namespace assay::conformance
