// SPDX-License-Identifier: Apache-2.0
// Where goldens and their checkpoints lie.
//
//   <root>/cases/<checkpoint>/<case>.h5        <root>/checkpoints/<name>/
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "conformance/records/golden.h"

namespace assay::program {

// The golden folder of the project around the working directory or around the program itself.
// Throws when there is none.
std::filesystem::path committed_goldens();

// The .h5 files of a folder and its subfolders, or the one file. Throws when there is none.
std::vector<std::filesystem::path> golden_files(const std::filesystem::path& place);

// The folder of the checkpoint `name` that belongs to a golden file; throws when it is not there.
std::filesystem::path checkpoint_of(const std::filesystem::path& golden, const std::string& name);

}  // namespace assay::program
