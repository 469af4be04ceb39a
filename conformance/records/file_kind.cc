// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/file_kind.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>

#include "reference/family/base/error.h"
#include "reference/family/base/file_kind.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kHeadBytes = 1024;
constexpr std::size_t kLongestSafetensorsHeader = 100'000'000;

constexpr std::string_view kScript = "; python3 scripts/ports/to_dump.py ";
constexpr std::string_view kConverts = " mine.safetensors converts it";
constexpr std::string_view kUnpack = "; it may be one when it is unpacked";

// What a kind of file_kind.h is called where a dump is expected, and how one is made of it:
// `before` the file's name, `after` it where there is something to run.
struct Word {
  std::string_view kind, word, before, after;
};

constexpr Word kWords[] = {
    {"NumPy arrays (.npz)", "a NumPy archive (.npz)", kScript, kConverts},
    {"a NumPy array (.npy)", "a NumPy array (.npy)", kScript,
     " mine.safetensors --tap NAME converts it"},
    {"a file of PyTorch (.pt, .bin)", "a PyTorch file", kScript, kConverts},
    {"a Python pickle (PyTorch)", "a Python pickle", kScript,
     " mine.safetensors converts it if torch.save wrote it"},
    {"a Python pickle", "a Python pickle", kScript,
     " mine.safetensors converts it if torch.save wrote it"},
    {"JSON", "JSON", kScript, " mine.safetensors converts it if it holds numbers by tap"},
    {"GGUF", "a GGUF file", "; a GGUF holds a model, a dump holds one array per tap", ""},
    {"gzip", "a compressed file", kUnpack, ""},
    {"bzip2", "a compressed file", kUnpack, ""},
    {"xz", "a compressed file", kUnpack, ""},
    {"Zstandard", "a compressed file", kUnpack, ""},
    {"a ZIP archive", "a zip archive", "", ""},
    {"Parquet", "a Parquet file", "", ""},
    {"Arrow", "an Arrow file", "", ""},
    {"MATLAB arrays", "a MATLAB file", "", ""},
    {"netCDF", "a netCDF file", "", ""},
    {"a program (ELF)", "a program", "", ""},
};

// The row of a kind; of a kind without one its own name alone.
Word word_of(std::string_view kind) {
  const auto* const row = std::ranges::find(kWords, kind, &Word::kind);
  return row == std::end(kWords) ? Word{kind, kind, "", ""} : *row;
}

// Nothing for safetensors, HDF5 and what is not known.
std::optional<Word> foreign_word(std::span<const std::byte> head) {
  if (head.empty()) {
    return Word{"", "an empty file", "", ""};
  }
  if (const auto kind = file_kind(head)) {
    const bool dump = kind->name == "HDF5" || kind->name == "safetensors";
    return dump ? std::nullopt : std::optional(word_of(kind->name));
  }
  std::uint64_t length = 0;  // of a safetensors file's header
  if (head.size() >= sizeof length && !has_text(head, 0, "\x89HDF")) {
    std::memcpy(&length, head.data(), sizeof length);
  }
  return length > kLongestSafetensorsHeader
             ? std::optional(Word{"", "a file of no kind that is known here", "", ""})
             : std::nullopt;
}

std::string read_head(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, kHeadBytes> head{};
  file.read(head.data(), head.size());
  return {head.data(), static_cast<std::size_t>(file.gcount())};
}

}  // namespace

std::string foreign_kind(std::span<const std::byte> head) {
  const auto word = foreign_word(head);
  return word ? std::string(word->word) : "";
}

void refuse_foreign_kind(const std::filesystem::path& path) {
  std::error_code error;
  const auto bytes = std::filesystem::is_regular_file(path, error)
                         ? std::filesystem::file_size(path, error)
                         : std::uintmax_t{0};
  const std::string head = error ? "" : read_head(path);
  if (error || (bytes != 0 && head.empty()) || !std::filesystem::is_regular_file(path, error)) {
    return;
  }
  const auto word = foreign_word(std::as_bytes(std::span(head)));
  if (word) {
    const std::string name = printable(path.filename().string());
    throw Error(name + ": file: got " + std::string(word->word) + ", expected safetensors or HDF5" +
                std::string(word->before) +
                (word->after.empty() ? "" : name + std::string(word->after)));
  }
}

}  // namespace assay::conformance
