// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/file_kind.h"

#include <gtest/gtest.h>

#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_directory.h"

namespace assay {
namespace {

std::string kind_of(const std::string& bytes) {
  const auto kind = file_kind(as_file(bytes));
  return kind ? std::string(kind->name) : "none";
}

std::string ftyp(const std::string& brand, const std::string& others = "") {
  return big(16 + others.size(), 4) + "ftyp" + brand + big(0, 4) + others;
}

TEST(FileKind, ImagesAudioAndVideo) {
  EXPECT_EQ(kind_of(ftyp("avif")), "AVIF");
  EXPECT_EQ(kind_of(ftyp("mif1", "avifmiaf")), "AVIF");
  EXPECT_EQ(kind_of(ftyp("heic")), "HEIC");
  EXPECT_EQ(kind_of(ftyp("isom")), "MP4");
  EXPECT_EQ(kind_of(ftyp("M4A ")), "M4A");
  EXPECT_EQ(kind_of(std::string("\0\0\0\x0cJXL \r\n\x87\n", 12)), "JPEG XL");
  EXPECT_EQ(kind_of("\xff\x0a"), "JPEG XL");
  EXPECT_EQ(kind_of("8BPS" + big(1, 2)), "Photoshop PSD");
  EXPECT_EQ(kind_of("P6\n1 1\n255\nabc"), "Netpbm (PBM, PGM, PPM)");
  EXPECT_EQ(kind_of("MThd" + big(6, 4)), "MIDI, which holds notes and no samples");
  EXPECT_EQ(kind_of("\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "Windows Media (WMA, WMV)");
  EXPECT_EQ(kind_of("RIFF" + little(4, 4) + "RMID"), "MIDI, which holds notes and no samples");
  const std::string packet = "\x47" + std::string(187, 'x');
  EXPECT_EQ(kind_of(packet + packet + packet), "an MPEG transport stream");
}

TEST(FileKind, DocumentsTextAndArrays) {
  EXPECT_EQ(kind_of("%PDF-1.7\n"), "a PDF document");
  EXPECT_EQ(kind_of("<?xml version=\"1.0\"?>\n<svg xmlns=\"...\">"), "SVG");
  EXPECT_EQ(kind_of("\n<!DOCTYPE html>"), "an HTML page");
  EXPECT_EQ(kind_of("\xef\xbb\xbf{\"a\": 1}"), "JSON");
  EXPECT_EQ(kind_of("plain text"), "text");
  EXPECT_EQ(kind_of("\x93NUMPY\1"), "a NumPy array (.npy)");
  const std::string entry = std::string("PK\3\4") + std::string(26, '\0');
  EXPECT_EQ(kind_of(entry + "text.logits.npy"), "NumPy arrays (.npz)");
  EXPECT_EQ(kind_of(entry + "archive/data.pkl"), "a file of PyTorch (.pt, .bin)");
  EXPECT_EQ(kind_of(entry + "readme"), "a ZIP archive");
  EXPECT_EQ(kind_of("\1\2\3"), "none");
  EXPECT_EQ(kind_of(""), "none");
}

// A length of 640 begins like a pickle, one of 2815 like JPEG XL.
TEST(FileKind, SafetensorsIsToldFromWhatItsLengthLooksLike) {
  const std::string header = "{" + std::string(2814, ' ');
  EXPECT_EQ(kind_of(little(2815, 8) + header), "safetensors");
  EXPECT_EQ(kind_of(little(640, 8) + header), "safetensors");
  EXPECT_EQ(kind_of(little(99999, 8) + header), "safetensors");  // cut short
  EXPECT_EQ(kind_of(little(2815, 8) + "[" + header), "JPEG XL");
}

TEST(FileKind, AMessageNamesTheKindAndTheWayOut) {
  EXPECT_EQ(got_kind_text(as_file(ftyp("avif")), "a.b.avif", "PNG"),
            "got AVIF, expected PNG; convert it: magick a.b.avif a.b.png");
  EXPECT_EQ(got_kind_text(as_file("\1\2\3\4\5"), "x", "PNG"),
            "got first bytes 01 02 03 04, expected PNG");
  EXPECT_EQ(got_kind_text({}, "x", "PNG"), "got 0 bytes, expected PNG");
}

TEST(FileKind, OnlyAnotherKindIsRefused) {
  const auto refused = [](const std::string& bytes) {
    return error_of([&] { refuse_other_kinds(as_file(bytes), "x", "safetensors", {"JSON"}); });
  };
  EXPECT_EQ(refused("%PDF-1.7"),
            "x: file: got a PDF document, expected safetensors; convert it: pdftoppm -png x x");
  EXPECT_EQ(refused("{\"a\": 1}"), "no error");
  EXPECT_EQ(refused("\1\2"), "no error");
}

}  // namespace
}  // namespace assay
