// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/file_kind.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "reference/family/base/error.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;
using namespace std::string_view_literals;

constexpr auto kToPng = "magick {} {stem}.png"sv;
constexpr auto kToWav = "ffmpeg -i {} {stem}.wav"sv;
constexpr auto kToMp4 = "ffmpeg -i {} {stem}.mp4"sv;
constexpr auto kTorch =
    "in Python: safetensors.torch.save_file(torch.load(\"{}\"), \"{stem}.safetensors\")"sv;
constexpr auto kUnpack = "unpack it first"sv;

struct Signature {
  std::size_t at;
  std::string_view bytes;
  std::string_view name;
  std::string_view convert;
};

// The first that matches counts; the more particular stands above the more general.
constexpr auto kImages = std::to_array<Signature>({
    {0, "\x89PNG\r\n\x1a\n"sv, "PNG", ""},
    {0, "\xff\xd8\xff"sv, "JPEG", ""},
    {0, "GIF87a"sv, "GIF", ""},
    {0, "GIF89a"sv, "GIF", ""},
    {0, "\0\0\0\x0cJXL \r\n\x87\n"sv, "JPEG XL", kToPng},
    {0, "\xff\x0a"sv, "JPEG XL", kToPng},
    {0, "\0\0\0\x0cjP  \r\n\x87\n"sv, "JPEG 2000", kToPng},
    {0, "\xff\x4f\xff\x51"sv, "JPEG 2000", kToPng},
    {0, "\xff\xd8"sv, "a damaged JPEG", ""},
    {0, "II\xbc\x01"sv, "JPEG XR", kToPng},
    {0, "8BPS"sv, "Photoshop PSD", "magick {}[0] {stem}.png"},
    {0, "gimp xcf"sv, "GIMP XCF", kToPng},
    {0, "\0\0\x01\0"sv, "an icon (ICO)", "magick {}[0] {stem}.png"},
    {0, "\0\0\x02\0\x01\0"sv, "a cursor (CUR)", "magick {}[0] {stem}.png"},
    {0, "icns"sv, "an icon (ICNS)", "magick {}[0] {stem}.png"},
    {0, "qoif"sv, "QOI", kToPng},
    {0, "DDS "sv, "DirectDraw DDS", kToPng},
    {0, "\x76\x2f\x31\x01"sv, "OpenEXR", kToPng},
    {0, "#?RADIANCE"sv, "Radiance HDR", kToPng},
    {0, "SIMPLE  ="sv, "FITS", kToPng},
    {0, "farbfeld"sv, "farbfeld", kToPng},
    {0, "BPG\xfb"sv, "BPG", "bpgdec -o {stem}.png {}"},
    {0, "FLIF"sv, "FLIF", "flif -d {} {stem}.png"},
    {0, "\xd7\xcd\xc6\x9a"sv, "Windows WMF", kToPng},
    {128, "DICM"sv, "DICOM", "dcm2img {} {stem}.png"},
});

constexpr auto kAudio = std::to_array<Signature>({
    {0, "fLaC"sv, "FLAC", ""},
    {0, "OggS"sv, "Ogg", ""},
    {0, "caff"sv, "Core Audio (CAF)", kToWav},
    {0, ".snd"sv, "AU", ""},
    {0, "riff\x2e\x91\xcf\x11"sv, "Wave64", ""},
    {0, "MThd"sv, "MIDI, which holds notes and no samples", "timidity {} -Ow -o {stem}.wav"},
    {0, "#!AMR"sv, "AMR", kToWav},
    {0, "#!SILK"sv, "SILK", kToWav},
    {0, "MAC "sv, "Monkey's Audio", kToWav},
    {0, "wvpk"sv, "WavPack", kToWav},
    {0, "MPCK"sv, "Musepack", kToWav},
    {0, "MP+"sv, "Musepack", kToWav},
    {0, "TTA1"sv, "True Audio", kToWav},
    {0, "DSD "sv, "DSD", kToWav},
    {0, "FRM8"sv, "DSD", kToWav},
    {0, "ADIF"sv, "AAC (ADIF)", kToWav},
    {0, "\x0b\x77"sv, "AC-3", kToWav},
    {0, "\x7f\xfe\x80\x01"sv, "DTS", kToWav},
    {0, "Creative Voice File"sv, "Creative VOC", kToWav},
    {0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"sv, "Windows Media (WMA, WMV)",
     "ffmpeg -i {} {stem}.wav, or {stem}.mp4 for a video"},
});

constexpr auto kVideos = std::to_array<Signature>({
    {0, "\x1a\x45\xdf\xa3"sv, "Matroska or WebM", ""},
    {0, "FLV\x01"sv, "Flash Video", kToMp4},
    {0, ".RMF"sv, "RealMedia", kToMp4},
    {0, "YUV4MPEG2"sv, "Y4M", kToMp4},
    {0, "\0\0\x01\xba"sv, "an MPEG program stream", kToMp4},
    {0, "\0\0\x01\xb3"sv, "MPEG video without a container", kToMp4},
    {0, "\0\0\0\x01\x67"sv, "H.264 without a container", kToMp4},
    {0, "\0\0\0\x01\x40\x01"sv, "H.265 without a container", kToMp4},
    {0, "DKIF"sv, "IVF", "ffmpeg -i {} -c copy {stem}.mkv"},
});

constexpr auto kOthers = std::to_array<Signature>({
    {0, "%PDF"sv, "a PDF document", "pdftoppm -png {} {stem}"},
    {0, "%!PS"sv, "PostScript", "gs -sDEVICE=png16m -o {stem}-%d.png {}"},
    {0, "{\\rtf"sv, "an RTF document", ""},
    {0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv, "a Microsoft Office document", ""},
    {0, "version https://git-lfs"sv, "a pointer of Git LFS, not the file itself", "git lfs pull"},
    {0, "GGUF"sv, "GGUF", ""},
    {0, "\x93NUMPY"sv, "a NumPy array (.npy)",
     "in Python: safetensors.numpy.save_file({\"TAP\": numpy.load(\"{}\")}, "
     "\"{stem}.safetensors\")"},
    {0, "\x89HDF\r\n\x1a\n"sv, "HDF5", ""},
    {0, "PAR1"sv, "Parquet", ""},
    {0, "ARROW1"sv, "Arrow", ""},
    {4, "TFL3"sv, "TensorFlow Lite", ""},
    {0, "ggml"sv, "GGML of before GGUF", ""},
    {0, "lmgg"sv, "GGML of before GGUF", ""},
    {0, "tjgg"sv, "GGML of before GGUF", ""},
    {0, "\x80\x02"sv, "a Python pickle (PyTorch)", kTorch},
    {0, "\x80\x03"sv, "a Python pickle", kTorch},
    {0, "\x80\x04"sv, "a Python pickle", kTorch},
    {0, "\x80\x05"sv, "a Python pickle", kTorch},
    {0, "MATLAB 5.0"sv, "MATLAB arrays", ""},
    {0, "CDF\x01"sv, "netCDF", ""},
    {0, "SQLite format 3"sv, "an SQLite database", ""},
    {0, "\x1f\x8b"sv, "gzip", "gunzip {}"},
    {0, "BZh"sv, "bzip2", "bunzip2 {}"},
    {0, "\xfd\x37zXZ\0"sv, "xz", "unxz {}"},
    {0, "\x28\xb5\x2f\xfd"sv, "Zstandard", "unzstd {}"},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive", kUnpack},
    {0, "Rar!\x1a\x07"sv, "a RAR archive", kUnpack},
    {257, "ustar"sv, "a tar archive", "tar -xf {}"},
    {0,
     "\x7f"
     "ELF"sv,
     "a program (ELF)", ""},
});

struct Brand {
  std::string_view brand, name, convert;
  FileGroup group;
};

// Major brands of "ftyp". The rest of them is MP4 and its kin.
constexpr auto kBrands = std::to_array<Brand>({
    {"avif", "AVIF", kToPng, FileGroup::kImage},
    {"avis", "AVIF", kToPng, FileGroup::kImage},
    {"heic", "HEIC", kToPng, FileGroup::kImage},
    {"heix", "HEIC", kToPng, FileGroup::kImage},
    {"heim", "HEIC", kToPng, FileGroup::kImage},
    {"heis", "HEIC", kToPng, FileGroup::kImage},
    {"hevc", "HEIC", kToPng, FileGroup::kImage},
    {"hevx", "HEIC", kToPng, FileGroup::kImage},
    {"mif1", "HEIF", kToPng, FileGroup::kImage},
    {"mif2", "HEIF", kToPng, FileGroup::kImage},
    {"msf1", "HEIF", kToPng, FileGroup::kImage},
    {"jxl ", "JPEG XL", kToPng, FileGroup::kImage},
    {"jp2 ", "JPEG 2000", kToPng, FileGroup::kImage},
    {"crx ", "a raw photograph (CR3)", "dcraw_emu -T {}", FileGroup::kImage},
    {"M4A ", "M4A", "", FileGroup::kAudio},
    {"M4B ", "M4A", "", FileGroup::kAudio},
    {"qt  ", "QuickTime", "", FileGroup::kVideo},
});

// Forms of RIFF, and of IFF.
constexpr auto kForms = std::to_array<Brand>({
    {"WAVE", "WAV", "", FileGroup::kAudio},
    {"WEBP", "WebP", "", FileGroup::kImage},
    {"AVI ", "AVI", "", FileGroup::kVideo},
    {"RMID", "MIDI, which holds notes and no samples", "timidity {} -Ow -o {stem}.wav",
     FileGroup::kAudio},
    {"ACON", "an animated cursor", "magick {}[0] {stem}.png", FileGroup::kImage},
    {"CDDA", "a track of an audio CD, without its samples", "", FileGroup::kAudio},
    {"AIFF", "AIFF", "", FileGroup::kAudio},
    {"AIFC", "AIFF", "", FileGroup::kAudio},
    {"ILBM", "an Amiga image (ILBM)", kToPng, FileGroup::kImage},
    {"8SVX", "Amiga audio (8SVX)", kToWav, FileGroup::kAudio},
});

constexpr std::pair<std::span<const Signature>, FileGroup> kTables[] = {
    {kImages, FileGroup::kImage},
    {kAudio, FileGroup::kAudio},
    {kVideos, FileGroup::kVideo},
    {kOthers, FileGroup::kOther},
};

template <std::size_t N>
std::optional<FileKind> find_brand(const std::array<Brand, N>& brands, Bytes bytes,
                                   std::size_t at) {
  for (const Brand& brand : brands) {
    if (has_text(bytes, at, brand.brand)) {
      return FileKind{brand.name, brand.convert, brand.group};
    }
  }
  return {};
}

std::string_view text_of(Bytes bytes, std::size_t most) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), most)};
}

// HEIF's major brand may be general and AVIF stand among the compatible ones.
FileKind kind_of_ftyp(Bytes bytes) {
  const std::string_view head = text_of(bytes, 64);
  if (has_text(bytes, 8, "mif1") && head.find("avif") != head.npos) {
    return {"AVIF", kToPng, FileGroup::kImage};
  }
  return find_brand(kBrands, bytes, 8).value_or(FileKind{"MP4", "", FileGroup::kVideo});
}

// A ZIP archive is told by the names of its first entries.
FileKind kind_of_zip(Bytes bytes) {
  const std::string_view head = text_of(bytes, 4096);
  if (head.find(".npy") != head.npos) {
    return {"NumPy arrays (.npz)",
            "in Python: safetensors.numpy.save_file(dict(numpy.load(\"{}\")), "
            "\"{stem}.safetensors\")"};
  }
  constexpr std::string_view kTorchEntries[] = {"data.pkl", "/version", "/.format", "/byteorder"};
  const auto stands = [head](std::string_view name) { return head.find(name) != head.npos; };
  if (std::ranges::any_of(kTorchEntries, stands)) {
    return {"a file of PyTorch (.pt, .bin)", kTorch};
  }
  if (head.find("[Content_Types].xml") != head.npos) {
    return {"a Microsoft Office document", ""};
  }
  return {"a ZIP archive", kUnpack};
}

// The length of a header in JSON, below 4 GiB, then the header: it has no mark of its own, and its
// first bytes may be another's. Whether the length is right is for its reader to say.
bool is_safetensors(Bytes bytes) {
  return has_text(bytes, 4, "\0\0\0\0{"sv);
}

bool is_mpeg_transport(Bytes bytes) {
  constexpr std::size_t kPacket = 188;
  return bytes.size() > 2 * kPacket && bytes[0] == std::byte{0x47} &&
         bytes[kPacket] == std::byte{0x47} && bytes[2 * kPacket] == std::byte{0x47};
}

bool is_netpbm(Bytes bytes) {
  const std::string_view head = text_of(bytes, 3);
  return head.size() == 3 && head[0] == 'P' &&
         ((head[1] >= '1' && head[1] <= '7') || head[1] == 'F' || head[1] == 'f') &&
         (head[2] == '\n' || head[2] == ' ' || head[2] == '\r' || head[2] == '\t');
}

// No control characters, and no byte that UTF-8 never has.
bool is_text(std::string_view head) {
  return std::all_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    const bool printed = byte >= 0x20 && byte < 0xF5 && byte != 0xC0 && byte != 0xC1;
    return printed || c == '\n' || c == '\r' || c == '\t';
  });
}

std::optional<FileKind> kind_of_text(Bytes bytes) {
  std::string_view head = text_of(bytes, 1024);
  if (head.starts_with("\xef\xbb\xbf")) {
    head.remove_prefix(3);
  }
  if (head.empty() || !is_text(head)) {
    return {};
  }
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  const auto begins = [&](std::string_view text) { return head.starts_with(text); };
  if (head.find("<svg") != head.npos && begins("<")) {
    return FileKind{"SVG", "rsvg-convert {} -o {stem}.png", FileGroup::kImage};
  }
  if (begins("<!DOCTYPE html") || begins("<!doctype html") || begins("<html")) {
    return FileKind{"an HTML page", "download the file itself"};
  }
  if (begins("<?xml") || begins("<")) {
    return FileKind{"XML", ""};
  }
  if (begins("{") || begins("[")) {
    return FileKind{"JSON", ""};
  }
  return FileKind{"text", ""};
}

std::string filled(std::string_view pattern, std::string_view name) {
  const std::string_view stem = name.substr(0, std::min(name.rfind('.'), name.size()));
  std::string text(pattern);
  for (const auto& [mark, value] : {std::pair("{stem}"sv, stem), std::pair("{}"sv, name)}) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; at += value.size()) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

}  // namespace

bool has_text(Bytes bytes, std::size_t at, std::string_view text) {
  return at <= bytes.size() && bytes.size() - at >= text.size() &&
         std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

std::optional<FileKind> file_kind(Bytes bytes) {
  if (is_safetensors(bytes)) {
    return FileKind{"safetensors", ""};
  }
  if (has_text(bytes, 4, "ftyp")) {
    return kind_of_ftyp(bytes);
  }
  if (has_text(bytes, 0, "RIFF") || has_text(bytes, 0, "RF64") || has_text(bytes, 0, "RIFX") ||
      has_text(bytes, 0, "FORM")) {
    return find_brand(kForms, bytes, 8);
  }
  if (has_text(bytes, 0, "PK\x03\x04") || has_text(bytes, 0, "PK\x05\x06")) {
    return kind_of_zip(bytes);
  }
  for (const auto& [signatures, group] : kTables) {
    for (const Signature& signature : signatures) {
      if (has_text(bytes, signature.at, signature.bytes)) {
        return FileKind{signature.name, signature.convert, group};
      }
    }
  }
  if (is_mpeg_transport(bytes)) {
    return FileKind{"an MPEG transport stream", kToMp4, FileGroup::kVideo};
  }
  if (is_netpbm(bytes)) {
    return FileKind{"Netpbm (PBM, PGM, PPM)", kToPng, FileGroup::kImage};
  }
  return kind_of_text(bytes);
}

void refuse_other_kinds(Bytes bytes, std::string_view name, std::string_view expected,
                        std::initializer_list<std::string_view> accepted) {
  constexpr std::size_t kLeast = 8;  // fewer bytes may be the beginning of anything
  const auto kind = bytes.size() < kLeast ? std::nullopt : file_kind(bytes);
  if (kind && std::find(accepted.begin(), accepted.end(), kind->name) == accepted.end()) {
    throw Error(std::string(name) + ": file: " + got_kind_text(bytes, name, expected));
  }
}

std::string got_kind_text(Bytes bytes, std::string_view name, std::string_view expected) {
  const auto kind = file_kind(bytes);
  std::string text = "got ";
  text += kind ? std::string(kind->name) : first_bytes_text(bytes);
  text.append(", expected ").append(expected);
  if (kind && !kind->convert.empty()) {
    text += "; convert it: " + filled(kind->convert, name);
  }
  return text;
}

std::string first_bytes_text(Bytes bytes) {
  if (bytes.empty()) {
    return "0 bytes";
  }
  constexpr std::size_t kShown = 4;
  const char* const digits = "0123456789abcdef";
  std::string text = "first bytes";
  for (const std::byte byte : bytes.first(std::min(kShown, bytes.size()))) {
    const auto value = std::to_integer<std::size_t>(byte);
    text += {' ', digits[value / 16], digits[value % 16]};
  }
  return text;
}

}  // namespace assay
