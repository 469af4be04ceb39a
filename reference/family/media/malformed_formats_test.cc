// SPDX-License-Identifier: Apache-2.0
// WebP, GIF, BMP, TIFF, Ogg, AIFF, RF64 and M4A that are none: each with its message, within a time
// and memory limit.
#include <gtest/gtest.h>

#include "reference/family/media/media_file.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_golden_media.h"
#include "reference/family/testing/test_limits.h"

namespace assay {
namespace {

struct Case {
  const char* name;
  std::string bytes;
  std::string message;
  MediaKind kind = MediaKind::kImage;
};

class MalformedFormat : public testing::TestWithParam<Case> {};

TEST_P(MalformedFormat, OneClearLine) {
  const Case& c = GetParam();
  if (needs_ffmpeg(as_file(c.bytes), c.kind) && !video_support()) {
    GTEST_SKIP() << "built without FFmpeg";
  }
  EXPECT_EQ(error_within_limits([&] { decode_media(as_file(c.bytes), c.kind, "x"); }), c.message);
}

std::string format(const std::string& name) {
  return golden_media("formats/" + name);
}

const std::string kWebp = format("lossless.webp"), kGif = format("palette.gif");
const std::string kBmp = format("24.bmp"), kTiff = format("raw.tif");
const std::string kHuge = big(0xFFFFFFFF, 4);

std::string with(std::string bytes, std::size_t at, const std::string& value) {
  return bytes.replace(at, value.size(), value);
}

const Case kImages[] = {
    {"WebpCut", cut(kWebp, 562), "x: WebP: got 562 bytes, expected 1124"},
    {"WebpHeaderAlone", cut(kWebp, 16), "x: WebP: got 16 bytes, expected 1124"},
    {"WebpDamaged", with(kWebp, 60, std::string(40, '\xff')),
     "x: WebP data: got \"bitstream error\", expected a whole WebP image"},
    {"WebpCanvasAlone", "RIFF" + little(22, 4) + "WEBPVP8X" + little(10, 4) + std::string(10, '\1'),
     "x: WebP data: got \"chunks that do not fit together\", expected a whole WebP image"},
    {"GifHeaderAlone", cut(kGif, 13),
     "x: GIF data: got \"No screen descriptor detected\", expected a whole first frame"},
    {"GifCut", without_end(kGif, 60),
     "x: GIF data: got \"Failed to read from given file\", expected a whole first frame"},
    {"GifTooManyPixels", with(kGif, 6, kHuge),
     "x: size: got 65535 x 65535 pixels, expected at most 100000000 in all"},
    {"GifHugeScreenAndNoPixels",  // was 300 MB and seconds before it was refused
     cut(kGif, 6) +
         "\x09\x09\x09\x09\x09\x99\xee,-M\xdf\x0a"
         "22=" +
         std::string(3, '\0') + "m[" + std::string(1, '\0') + "4\xd5",
     "x: GIF data: got \"Failed to read from given file\", expected a whole first frame"},
    {"GifWithoutAFrame", cut(kGif, 13 + 48) + ";", "x: GIF: got no frame, expected one"},
    {"BmpHeaderAlone", cut(kBmp, 20), "x: BMP header: got 20 bytes, expected at least 26"},
    {"BmpCut", without_end(kBmp, 200), "x: BMP rows: got 2200 bytes, expected 2400"},
    {"BmpHeaderLength", with(kBmp, 14, little(41, 4)),
     "x: BMP header: got a header of 41 bytes, expected one of 12, 40, 52, 56, 64, 108 or 124"},
    {"BmpBits", with(kBmp, 28, little(5, 2)),
     "x: BMP header: got 5 bits, expected 1, 4, 8, 16, 24 or 32"},
    {"BmpCoding", with(kBmp, 30, little(4, 4)),
     "x: BMP header: got coding 4 of 24 bits, expected 0 (plain), 1 or 2 (run lengths of 8 and 4 "
     "bits) or 3 (masks)"},
    {"BmpTooManyPixels", with(kBmp, 18, little(100000, 4) + little(100000, 4)),
     "x: size: got 100000 x 100000 pixels, expected at most 100000000 in all"},
    {"BmpPixelsBeyond", with(kBmp, 10, little(0x7fffffff, 4)),
     "x: BMP rows: got 0 bytes, expected 2400"},
    {"BmpColours", with(format("8.bmp"), 46, little(70000, 4)),
     "x: BMP header: got 70000 colours, expected at most 65536"},
    {"BmpPaletteCut", cut(format("8.bmp"), 60),
     "x: BMP header: got 60 bytes, expected at least 106"},
    {"BmpRunsCut", without_end(format("8-rle.bmp"), 300),
     "x: BMP run lengths: got 198 pixels, expected 792"},
    {"BmpMasks", with(format("32-masks.bmp"), 54, little(0xff00ff, 4)),
     "x: BMP masks: got 16711935, 65280, 255, 4278190080, expected whole bytes, 5-5-5 or 5-6-5 "
     "bits"},
    {"BmpRunsForAHugeImage",
     with(with(format("8-rle.bmp"), 18, little(10000, 4) + little(9000, 4)), 106,
          std::string("\0\1", 2)),
     "x: BMP run lengths: got 0 pixels, expected 90000000"},
    {"TiffHeaderAlone", cut(kTiff, 8),
     "x: TIFF data: got \"memory: Can not read TIFF directory count\", expected a whole TIFF "
     "image"},
    {"TiffDirectoryBeyond", with(kTiff, 4, little(0x7fffffff, 4)),
     "x: TIFF data: got \"memory: Seek error accessing TIFF directory\", expected a whole TIFF "
     "image"},
    {"TiffCodes", with(format("lzw.tif"), 40, std::string(30, '\xff')),
     "x: TIFF data: got \"Using code not yet in table\", expected a whole TIFF image"},
};

const std::string kVorbis = format("vorbis.ogg");

const Case kAudio[] = {
    {"OggCut", cut(kVorbis, kVorbis.size() / 2),
     "x: Ogg: got 2205 bytes of a page at byte 58, expected 3388", MediaKind::kAudio},
    {"OggOfSpeex", with(kVorbis, 28, "Speex   "),
     "x: Ogg: got Speex, expected Vorbis, Opus or FLAC; convert it: ffmpeg -i x out.wav",
     MediaKind::kAudio},
    {"AiffCut", without_end(format("aiff.aiff"), 100),
     "x: AIFF chunk SSND: got 3908 bytes, expected 4008", MediaKind::kAudio},
    {"AiffWithoutSamples", patched(format("aiff.aiff"), "SSND", 0, "DNSS"),
     "x: AIFF chunks: got none of name \"SSND\", expected one", MediaKind::kAudio},
    {"Rf64Cut", without_end(format("rf64.wav"), 100), "x: WAV data: got 3900 bytes, expected 4000",
     MediaKind::kAudio},
    {"TagOfMp3Alone", std::string("ID3\4\0\0\0\0\0\4abcd", 14),
     "x: audio: got \"Format not recognised.\", expected whole audio data", MediaKind::kAudio},
    {"M4aCut", cut(format("aac.m4a"), format("aac.m4a").size() / 2),
     "x: MP4: got 1384 bytes of an element, expected 2036", MediaKind::kAudio},
    {"Avif", big(16, 4) + "ftypavif" + big(0, 4),
     "x: audio: got AVIF, expected WAV, FLAC, AIFF, MP3, Ogg Vorbis, Opus, M4A or AAC; convert it: "
     "magick x x.png",
     MediaKind::kAudio},
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Image, MalformedFormat, testing::ValuesIn(kImages), name_of);
INSTANTIATE_TEST_SUITE_P(Audio, MalformedFormat, testing::ValuesIn(kAudio), name_of);

}  // namespace
}  // namespace assay
