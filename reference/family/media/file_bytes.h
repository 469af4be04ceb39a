// SPDX-License-Identifier: Apache-2.0
// The bytes of a media file, and how messages speak of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/base/file_kind.h"

namespace assay {

// A file's name in messages.
std::string file_label(const std::filesystem::path& path);

// All of a regular file. Its size is checked against `limit` before memory is taken.
std::vector<std::byte> read_file_bytes(const std::filesystem::path& path, std::size_t limit);

// Unsigned numbers of 2, 4 or 8 bytes; the caller has checked that they are there.
std::uint64_t big_endian(std::span<const std::byte> bytes, std::size_t at, std::size_t width);
std::uint64_t little_endian(std::span<const std::byte> bytes, std::size_t at, std::size_t width);

}  // namespace assay
