// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/golden_files.h"

#include <algorithm>

#include "reference/family/base/error.h"

namespace assay::program {
namespace fs = std::filesystem;
namespace {

// The first of `start` and its parents that holds `wanted`; empty when none does.
fs::path ancestor_with(const fs::path& start, const fs::path& wanted) {
  std::error_code ignored;
  for (fs::path folder = fs::absolute(start, ignored);; folder = folder.parent_path()) {
    if (fs::exists(folder / wanted, ignored)) {
      return folder;
    }
    if (folder == folder.parent_path()) {
      return {};
    }
  }
}

}  // namespace

fs::path committed_goldens() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  for (const fs::path& start : {fs::current_path(ignored), program.parent_path()}) {
    const fs::path project = ancestor_with(start, "golden/manifest.json");
    if (!project.empty()) {
      return project / "golden" / "cases";
    }
  }
  throw Error(
      "golden/manifest.json: not found above the working directory or the program; "
      "name a golden with --golden");
}

std::vector<fs::path> golden_files(const fs::path& place) {
  std::error_code failed;
  if (!fs::is_directory(place, failed)) {
    if (!fs::exists(place, failed)) {
      throw Error(place.string() + ": got no such file or folder, expected a golden");
    }
    return {place};
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(place, failed)) {
    if (entry.path().extension() == ".h5") {
      files.push_back(entry.path());
    }
  }
  if (failed || files.empty()) {
    throw Error(place.string() + ": got no .h5 file in this folder, expected at least one golden");
  }
  std::sort(files.begin(), files.end());
  return files;
}

fs::path checkpoint_of(const fs::path& golden, const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos || name == "..") {
    throw Error(golden.string() + ": attribute checkpoint: got '" + name +
                "', expected a folder's name; give the checkpoint with --checkpoint");
  }
  const fs::path root = ancestor_with(golden.parent_path(), fs::path("checkpoints") / name);
  if (root.empty()) {
    throw Error(golden.string() + ": got no folder checkpoints/" + name +
                " beside or above it; give the checkpoint with --checkpoint");
  }
  return root / "checkpoints" / name;
}

}  // namespace assay::program
