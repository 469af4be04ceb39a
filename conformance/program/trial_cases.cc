// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/trial_cases.h"

#include <algorithm>

#include "conformance/program/glob.h"
#include "conformance/program/golden_files.h"
#include "reference/family/base/error.h"

namespace assay::program {

std::string trial_name(const std::filesystem::path& file) {
  return file.parent_path().filename().string() + "/" + file.stem().string();
}

// Of the reference profile.
// Quantised checkpoints add nothing to the kill table; what a pass on them excludes is measured.
std::vector<std::filesystem::path> trial_cases(const MutateOptions& options) {
  std::vector<std::filesystem::path> some;
  const auto place =
      options.golden.empty() ? committed_goldens() : std::filesystem::path(options.golden);
  for (const auto& file : golden_files(place)) {
    const std::string name = trial_name(file);
    const std::string checkpoint = name.substr(0, name.find('/'));
    const bool plain =
        checkpoint.find("-q") == std::string::npos && checkpoint.find("-kmix") == std::string::npos;
    if (name.find("switch-") == std::string::npos && (plain || options.power) &&
        (glob_matches(options.case_glob, name) ||
         glob_matches(options.case_glob, file.stem().string()))) {
      some.push_back(file);
    }
  }
  std::ranges::sort(some, {}, [](const auto& file) { return std::filesystem::file_size(file); });
  if (some.empty()) {
    throw Error("--case: got '" + options.case_glob +
                "', expected a pattern that some case matches");
  }
  return some;
}

}  // namespace assay::program
