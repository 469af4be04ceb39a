// SPDX-License-Identifier: Apache-2.0
// Files that people hand in for a dump and that hold none: what they are, by their first bytes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace assay::conformance {

// "a NumPy archive (.npz)", "JSON", "a GGUF file", …; "" for safetensors, HDF5 and what is not
// known. `head` is the file's beginning, and empty where the file is.
std::string foreign_kind(std::span<const std::byte> head);

// Throws assay::Error in one line for a file of such a kind: what it is, what is expected, and how
// it is converted. Does nothing for others, and for a file that cannot be read.
void refuse_foreign_kind(const std::filesystem::path& path);

}  // namespace assay::conformance
