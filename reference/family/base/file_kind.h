// SPDX-License-Identifier: Apache-2.0
// What a file is, told by its content, so that a message about a file that is not read can name it
// and say what to do.
//
//   "x.avif: image: got AVIF, expected PNG, JPEG or WebP; convert it: magick x.avif x.png"
//
// Signatures: those that the formats' documents give; the brands of ISO/IEC 14496-12 for what
// begins with a box "ftyp". A name says nothing here: only bytes do.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace assay {

enum class FileGroup { kImage, kAudio, kVideo, kOther };

struct FileKind {
  std::string_view name;     // "AVIF", "a PDF document"
  std::string_view convert;  // a command or a sentence; "{}" is the file, "{stem}" without suffix
  FileGroup group = FileGroup::kOther;
};

// Nothing for bytes that begin like no known kind.
std::optional<FileKind> file_kind(std::span<const std::byte> bytes);

// "got AVIF, expected <expected>; convert it: magick x.avif x.png" with `name`, the file's name in
// messages; "got first bytes 01 02 03 04, expected <expected>" for an unknown kind.
std::string got_kind_text(std::span<const std::byte> bytes, std::string_view name,
                          std::string_view expected);

// Throws Error for a file of a known kind that is none of `accepted`; what is not known is left to
// its reader.
void refuse_other_kinds(std::span<const std::byte> bytes, std::string_view name,
                        std::string_view expected,
                        std::initializer_list<std::string_view> accepted);

// "first bytes 47 49 46 38", or "0 bytes".
std::string first_bytes_text(std::span<const std::byte> bytes);

// Whether `text` stands at offset `at`.
bool has_text(std::span<const std::byte> bytes, std::size_t at, std::string_view text);

}  // namespace assay
