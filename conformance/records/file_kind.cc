// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/file_kind.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <string_view>
#include <system_error>

#include "reference/family/base/error.h"
#include "reference/family/base/file_kind.h"

namespace assay::conformance {
namespace {

// NOLINTNEXTLINE(misc-unused-using-decls): the literals below
using std::string_view_literals::operator""sv;

constexpr std::size_t kHeadBytes = 1024;
constexpr std::size_t kZipNameLength = 26;  // of the first local header; the name itself is at 30
constexpr std::size_t kZipName = 30;
constexpr std::size_t kLongestSafetensorsHeader = 100'000'000;

// Those of which a dump can be made, or that hold tables; media and text are the family's.
struct Magic {
  std::string_view bytes;
  std::size_t at;
  std::string_view kind;
};

constexpr std::string_view kNpy = "a NumPy array (.npy)";
constexpr std::string_view kNpz = "a NumPy archive (.npz)";
constexpr std::string_view kTorch = "a PyTorch file";
constexpr std::string_view kJson = "JSON";
constexpr std::string_view kGguf = "a GGUF file";
constexpr std::string_view kPickle = "a Python pickle";
constexpr std::string_view kCompressed = "a compressed file";

constexpr Magic kMagics[] = {
    {"\x93NUMPY"sv, 0, kNpy},
    {"GGUF"sv, 0, kGguf},
    {"\x80\x02"sv, 0, kPickle},
    {"\x80\x03"sv, 0, kPickle},
    {"\x80\x04"sv, 0, kPickle},
    {"\x80\x05"sv, 0, kPickle},
    {"\x1F\x8B"sv, 0, kCompressed},
    {"BZh"sv, 0, kCompressed},
    {"\xFD"
     "7zXZ"sv,
     0, kCompressed},
    {"\x28\xB5\x2F\xFD"sv, 0, kCompressed},
    {"ustar"sv, 257, "a tar archive"},
    {"PAR1"sv, 0, "a Parquet file"},
    {"ARROW1"sv, 0, "an Arrow file"},
    {"MATLAB 5.0"sv, 0, "a MATLAB file"},
    {"CDF\x01"sv, 0, "a netCDF file"},
    {"\x7F"
     "ELF"sv,
     0, "a program"},
};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0 && at + count <= bytes.size();) {
    value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  }
  return value;
}

// The length of a header of JSON, and the JSON: so begins no other kind.
bool begins_as_safetensors(std::string_view head, std::size_t file_bytes) {
  const std::uint64_t length = little_endian(head, 0, 8);
  return head.size() > 8 && file_bytes > 8 && length <= file_bytes - 8 && head[8] == '{';
}

// By the name of the archive's first file.
std::string_view zip_kind(std::string_view head) {
  const std::size_t length = little_endian(head, kZipNameLength, 2);
  const std::string_view name =
      head.size() > kZipName ? head.substr(kZipName, length) : std::string_view();
  const bool torch = name.ends_with("/data.pkl") || name.find("/.format") != name.npos ||
                     name.find("/data/") != name.npos || name.ends_with("/byteorder");
  return name.ends_with(".npy") ? kNpz : torch ? kTorch : "a zip archive";
}

// What each kind asks of whoever has it. The script lies beside the one that ports copy.
std::string conversion(std::string_view kind, const std::string& name) {
  const std::string script = "python3 scripts/ports/to_dump.py " + name + " ";
  const std::string converts = "mine.safetensors converts it";
  if (kind == kNpz || kind == kTorch) {
    return "; " + script + converts;
  }
  if (kind == kJson) {
    return "; " + script + converts + " if it holds numbers by tap";
  }
  if (kind == kNpy) {
    return "; " + script + converts.substr(0, converts.find(' ')) + " --tap NAME converts it";
  }
  if (kind == kGguf) {
    return "; a GGUF holds a model, a dump holds one array per tap";
  }
  if (kind == kPickle) {
    return "; " + script + converts + " if torch.save wrote it";
  }
  return kind == kCompressed ? "; it may be one when it is unpacked" : "";
}

std::string read_head(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, kHeadBytes> head{};
  file.read(head.data(), head.size());
  return {head.data(), static_cast<std::size_t>(file.gcount())};
}

}  // namespace

std::string foreign_kind(std::span<const std::byte> head, std::size_t file_bytes) {
  const std::string_view text = text_of(head);
  if (text.empty()) {
    return "an empty file";
  }
  if (begins_as_safetensors(text, file_bytes)) {
    return "";
  }
  if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) {
    return std::string(zip_kind(text));
  }
  for (const Magic& magic : kMagics) {
    if (text.size() > magic.at && text.substr(magic.at).starts_with(magic.bytes)) {
      return std::string(magic.kind);
    }
  }
  const auto kind = file_kind(head);
  if (kind && kind->name != "HDF5" && kind->name != "safetensors") {
    return std::string(kind->name);
  }
  const bool binary = text.size() >= 8 && !text.starts_with("\x89HDF") &&
                      little_endian(text, 0, 8) > kLongestSafetensorsHeader;
  return binary ? "a file of no kind that is known here" : "";
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
  const std::string kind = foreign_kind(std::as_bytes(std::span(head)), bytes);
  if (!kind.empty()) {
    const std::string name = path.filename().string();
    throw Error(printable(name) + ": file: got " + kind + ", expected safetensors or HDF5" +
                conversion(kind, printable(name)));
  }
}

}  // namespace assay::conformance
