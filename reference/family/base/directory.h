// SPDX-License-Identifier: Apache-2.0
// Names that a checkpoint's own files give to other files: they must stay in its directory.
#pragma once

#include <filesystem>
#include <string_view>

namespace assay {

// The file `name` of `directory`, links resolved. Throws when the name has a folder in it, when the
// file is not there, or when a link leads out of the directory. One such link is followed: that of
// the hub's cache, snapshots/<revision>/<name> -> ../../blobs/<hash>.
std::filesystem::path file_inside(const std::filesystem::path& directory, std::string_view name);

}  // namespace assay
