// SPDX-License-Identifier: Apache-2.0
// A text file that appears under its name whole or not at all.
#pragma once

#include <filesystem>
#include <string>

namespace assay::conformance {

// Writes next to `path` under another name, then renames. Throws assay::Error.
void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace assay::conformance
