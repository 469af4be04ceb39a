// SPDX-License-Identifier: Apache-2.0
// Images that are none: each with its message, within a time and memory limit.
#include <gtest/gtest.h>

#include "reference/family/media/image_file.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_golden_media.h"
#include "reference/family/testing/test_limits.h"

namespace assay {
namespace {

struct Case {
  const char* name;
  std::string bytes;
  const char* message;
};

std::string error_of_image(const std::string& bytes) {
  return error_within_limits([&] { decode_image(as_file(bytes), "x"); });
}

std::string pixel_rows(std::size_t width, std::size_t height) {
  std::string rows;
  for (std::size_t y = 0; y < height; ++y) {
    rows += '\0' + std::string(width * 3, 'a');
  }
  return rows;
}

std::string jpeg_segment(char marker, const std::string& body) {
  return std::string("\xff") + marker + big(body.size() + 2, 2) + body;
}

// Eight by eight pixels in grey, every coefficient sent twice in scans of their own, each a byte
// long. The Huffman tables know one code each: 0 stands for nothing more to come.
std::string jpeg_of_scans(int scans) {
  const std::string code = "\1" + std::string(16, '\0');  // one code of one bit, its symbol 0
  std::string bytes = "\xff\xd8" + jpeg_segment('\xdb', '\0' + std::string(64, '\1')) +
                      jpeg_segment('\xc2', "\x08" + big(8, 2) + big(8, 2) + "\1\1\x11" + '\0') +
                      jpeg_segment('\xc4', '\0' + code) + jpeg_segment('\xc4', '\x10' + code);
  for (int i = 0; i < scans; ++i) {
    const char k = static_cast<char>(i == 0 ? 0 : (i - 1) % 63 + 1);
    const char bits = static_cast<char>(i == 0 ? 0 : i <= 63 ? 0x01 : 0x10);  // high, low
    bytes += jpeg_segment('\xda', std::string("\1\1") + '\0' + k + k + bits) + '\x7f';
  }
  return bytes + "\xff\xd9";
}

class MalformedImage : public testing::TestWithParam<Case> {};

TEST_P(MalformedImage, OneClearLine) {
  EXPECT_EQ(error_of_image(GetParam().bytes), GetParam().message);
}

const PngFacts kTwoByTwo{2, 2, 8, 2};
const std::string kRows = pixel_rows(2, 2);
const std::string kPng = png_file(kTwoByTwo, kRows);
const std::string kPhoto = golden_media("photo.png");

const Case kPngs[] = {
    {"Empty", "", "x: image: got 0 bytes, expected PNG, JPEG, WebP, GIF, BMP or TIFF"},
    {"AnotherFormat", "8BPS\1",
     "x: image: got Photoshop PSD, expected PNG, JPEG, WebP, GIF, BMP or TIFF; convert it: magick "
     "x[0] x.png"},
    {"UnknownFormat", "\1\2\3\4",
     "x: image: got first bytes 01 02 03 04, expected PNG, JPEG, WebP, GIF, BMP or TIFF"},
    {"SignatureAlone", cut(kPng, 8), "x: PNG header: got 8 bytes, expected at least 33"},
    {"HeaderCut", cut(kPng, 30), "x: PNG header: got 30 bytes, expected at least 33"},
    {"AnotherChunkFirst", cut(kPng, 8) + png_chunk("tEXt", "thirteen byte") + kPng,
     "x: PNG header: got another chunk, expected IHDR of 13 bytes"},
    {"NoWidth", png_file({0, 2, 8, 2}, kRows),
     "x: size: got 0 x 2 pixels, expected sides of 1 to 131072"},
    {"NoHeight", png_file({2, 0, 8, 2}, kRows),
     "x: size: got 2 x 0 pixels, expected sides of 1 to 131072"},
    {"SideTooLong", png_file({200'000, 1, 8, 2}, kRows),
     "x: size: got 200000 x 1 pixels, expected sides of 1 to 131072"},
    {"SideNegative", png_file({0xFFFFFFFF, 1, 8, 2}, kRows),
     "x: size: got 4294967295 x 1 pixels, expected sides of 1 to 131072"},
    {"TooManyPixels", png_file({100'000, 100'000, 8, 2}, kRows),
     "x: size: got 100000 x 100000 pixels, expected at most 100000000 in all"},
    {"TooFewBytesForItsSize", png_file({10'000, 10'000, 8, 2}, kRows),
     "x: PNG data: got 82 bytes, expected at least 290697 for its size"},
    {"BitDepth", png_file({2, 2, 3, 2}, kRows),
     "x: PNG header: got colour type 2 with 3 bits, expected a pair that PNG knows"},
    {"ColourType", png_file({2, 2, 8, 5}, kRows),
     "x: PNG header: got colour type 5 with 8 bits, expected a pair that PNG knows"},
    {"HeaderChecksum", patched(kPng, "IHDR", 13 + 4, "abcd"),
     "x: PNG data: got \"IHDR: CRC error\", expected a whole PNG image"},
    {"PixelChecksum",
     png_header(kTwoByTwo) + without_end(png_chunk("IDAT", zlib_stored(kRows)), 4) + "abcd" +
         png_chunk("IEND", ""),
     "x: PNG data: got \"IDAT: CRC error\", expected a whole PNG image"},
    {"PixelByte", patched(kPng, "aaa", 0, "b"),
     "x: PNG data: got \"IDAT: incorrect data check\", expected a whole PNG image"},
    {"AncillaryChecksum",
     patched(png_file(kTwoByTwo, kRows, png_chunk("tIME", "1234567")), "tIME", 4, "x"),
     "x: PNG data: got \"tIME: CRC error\", expected a whole PNG image"},
    {"UnknownCriticalChunk", png_file(kTwoByTwo, kRows, png_chunk("ABCD", "")),
     "x: PNG data: got \"ABCD: unhandled critical chunk\", expected a whole PNG image"},
    {"CutInPixels", cut(kPhoto, kPhoto.size() / 2),
     "x: PNG data: got \"end of file\", expected a whole PNG image"},
    {"CutBeforeEnd", without_end(kPhoto, 12),
     "x: PNG data: got \"end of file\", expected a whole PNG image"},
    {"NoPixels", png_header(kTwoByTwo) + png_chunk("IEND", ""),
     "x: PNG data: got \"IEND: out of place\", expected a whole PNG image"},
    {"RowsMissing", png_file(kTwoByTwo, pixel_rows(2, 1)),
     "x: PNG data: got \"Not enough image data\", expected a whole PNG image"},
    {"NoZlib", png_header(kTwoByTwo) + png_chunk("IDAT", "not zlib") + png_chunk("IEND", ""),
     "x: PNG data: got \"IDAT: incorrect header check\", expected a whole PNG image"},
    {"ZlibChecksum",
     png_header(kTwoByTwo) + png_chunk("IDAT", without_end(zlib_stored(kRows), 1) + "x") +
         png_chunk("IEND", ""),
     "x: PNG data: got \"IDAT: incorrect data check\", expected a whole PNG image"},
    {"RowFilter", png_file({1, 1, 8, 2}, "\7abc"),
     "x: PNG data: got \"bad adaptive filter value\", expected a whole PNG image"},
    {"PaletteMissing", png_file({1, 1, 8, 3}, std::string(2, '\0')),
     "x: PNG data: got \"IDAT: Missing PLTE before IDAT\", expected a whole PNG image"},
    {"PaletteIndex", png_file({1, 1, 8, 3}, std::string("\0\5", 2), png_chunk("PLTE", "abcdef")),
     "x: PNG palette: got index 5, expected less than 2"},
    {"PaletteOfHalfColours",
     png_file({1, 1, 8, 3}, std::string(2, '\0'), png_chunk("PLTE", "abcd")),
     "x: PNG data: got \"PLTE: invalid\", expected a whole PNG image"},
};

const std::string kJpeg = golden_media("photo.jpg");
const std::string kSof("\xff\xc0\0\x11", 4);  // then bits, height, width, components
const std::string kDqt("\xff\xdb"), kDht("\xff\xc4"), kSos("\xff\xda");

const Case kJpegs[] = {
    {"StartAlone", cut(kJpeg, 3),
     "x: JPEG data: got \"Premature end of JPEG file\", expected a whole JPEG image"},
    {"CutInHeader", cut(kJpeg, 300),
     "x: JPEG data: got \"Premature end of JPEG file\", expected a whole JPEG image"},
    {"CutInScan", cut(kJpeg, kJpeg.size() / 2 + 500),
     "x: JPEG data: got \"Premature end of JPEG file\", expected a whole JPEG image"},
    {"NoEndMarker", without_end(kJpeg, 2),
     "x: JPEG data: got \"Premature end of JPEG file\", expected a whole JPEG image"},
    {"TwelveBits", patched(kJpeg, kSof, 4, "\x0c"),
     "x: JPEG data: got \"Unsupported JPEG data precision 12\", expected a whole JPEG image"},
    {"NoHeight", patched(kJpeg, kSof, 5, big(0, 2)),
     "x: JPEG data: got \"Empty JPEG image (DNL not supported)\", expected a whole JPEG image"},
    {"NoWidth", patched(kJpeg, kSof, 7, big(0, 2)),
     "x: JPEG data: got \"Empty JPEG image (DNL not supported)\", expected a whole JPEG image"},
    {"TooManyPixels", patched(kJpeg, kSof, 5, big(0xFFDCFFDC, 4)),
     "x: size: got 65500 x 65500 pixels, expected at most 100000000 in all"},
    {"TooFewBytesForItsSize", patched(kJpeg, kSof, 5, big(0x23282328, 4)),
     "x: JPEG data: got 3339 bytes, expected at least 158203 for its size"},
    {"TwoComponents",
     patched(patched(patched(kJpeg, kSof, 9, "\2"), kSof, 2, big(14, 2)), kSos, 2,
             big(10, 2) + "\2\1" + '\0' + "\2\x11" + '\0' + '\x3f' + '\0'),
     "x: JPEG header: got 2 components, expected 1, 3 or 4"},
    {"Lossless", patched(kJpeg, kSof, 1, "\xc3"),
     "x: JPEG data: got \"Unsupported JPEG process: SOF type 0xc3\", expected a whole JPEG "
     "image"},
    {"SamplingFactor", patched(kJpeg, kSof, 11, "\x55"),
     "x: JPEG data: got \"Bogus sampling factors\", expected a whole JPEG image"},
    {"HuffmanTable", patched(kJpeg, kDht, 5, "\xff\xff\xff"),
     "x: JPEG data: got \"Bogus Huffman table definition\", expected a whole JPEG image"},
    {"QuantTableMissing", patched(kJpeg, kDqt, 1, "\xef"),
     "x: JPEG data: got \"Quantization table 0x00 was not defined\", expected a whole JPEG "
     "image"},
    {"UnknownComponentInScan", patched(kJpeg, kSos, 5, "\x9"),
     "x: JPEG data: got \"Invalid component ID 9 in SOS\", expected a whole JPEG image"},
    {"DamagedScan", patched(kJpeg, kSos, 200, std::string(600, '\x55')),
     "x: JPEG data: got \"Corrupt JPEG data: premature end of data segment\", expected a whole "
     "JPEG image"},
    {"MarkerInScan", patched(kJpeg, kSos, 200, "\xff\xd0"),
     "x: JPEG data: got \"Corrupt JPEG data: premature end of data segment\", expected a whole "
     "JPEG image"},
    {"Scans", jpeg_of_scans(127),
     "x: JPEG data: got \"more than 100 scans\", expected a whole JPEG image"},
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

TEST(MalformedImage, ManyScansAreFineUpToTheLimit) {
  const Image image = decode_image(as_file(jpeg_of_scans(100)), "x");
  EXPECT_EQ(image.size, (ImageSize{8, 8}));
  EXPECT_EQ(image.rgb[0], 128);
}

INSTANTIATE_TEST_SUITE_P(Png, MalformedImage, testing::ValuesIn(kPngs), name_of);
INSTANTIATE_TEST_SUITE_P(Jpeg, MalformedImage, testing::ValuesIn(kJpegs), name_of);

}  // namespace
}  // namespace assay
