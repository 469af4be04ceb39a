// SPDX-License-Identifier: Apache-2.0
// The committed cases that mutants and honest variants are tried on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "conformance/program/options.h"

namespace assay::program {

// Small ones first. Throws assay::Error for a --case that matches none.
std::vector<std::filesystem::path> trial_cases(const MutateOptions& options);

// "e2b-tiny/text-edges" of a golden file.
std::string trial_name(const std::filesystem::path& file);

}  // namespace assay::program
