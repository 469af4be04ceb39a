// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/directory.h"

#include <string>
#include <system_error>

#include "reference/family/base/error.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

fs::path canonical_directory(const fs::path& directory) {
  std::error_code problem;
  const fs::path home = fs::canonical(directory, problem);
  if (problem || !fs::is_directory(home, problem)) {
    throw Error(printable(directory.string()) + ": got \"" +
                (problem ? problem.message() : std::string("not a directory")) +
                "\", expected a checkpoint's directory");
  }
  return home;
}

bool is_hub_blob(const fs::path& home, const fs::path& target) {
  const fs::path snapshots = home.parent_path();
  return snapshots.filename() == "snapshots" &&
         target.parent_path() == snapshots.parent_path() / "blobs";
}

}  // namespace

fs::path file_inside(const fs::path& directory, std::string_view name) {
  const std::string shown = printable(name);
  const bool plain = !name.empty() && name != "." && name != ".." &&
                     name.find('/') == std::string_view::npos &&
                     name.find('\0') == std::string_view::npos;
  if (!plain) {
    throw Error(shown + ": got a path, expected the plain name of a file of the checkpoint");
  }
  const fs::path home = canonical_directory(directory);
  std::error_code problem;
  const fs::path target = fs::canonical(home / name, problem);
  if (problem) {
    throw Error(shown + ": got \"" + problem.message() + "\", expected a readable file");
  }
  if (target.parent_path() != home && !is_hub_blob(home, target)) {
    throw Error(shown + ": got a link that leaves the directory, expected a file in it");
  }
  return target;
}

}  // namespace assay
