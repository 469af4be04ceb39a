// SPDX-License-Identifier: Apache-2.0
// Videos that are none: each with its message, within a time and memory limit.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reference/family/media/video_file.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_golden_media.h"
#include "reference/family/testing/test_limits.h"

namespace assay {
namespace {

struct Case {
  const char* name;
  std::string bytes;
  const char* message;
  std::size_t num_frames = 4;
};

class MalformedVideo : public testing::TestWithParam<Case> {};

TEST_P(MalformedVideo, OneClearLine) {
  if (!video_support()) {
    GTEST_SKIP() << "built without FFmpeg";
  }
  const Case& c = GetParam();
  EXPECT_EQ(
      error_within_limits([&] { decode_video(as_file(c.bytes), "x", {.count = c.num_frames}); }),
      c.message);
}

const std::string kMoving = golden_media("moving.mkv");
const std::string kSilent = golden_media("moving-silent.mkv");
const std::string kSegment("\x18\x53\x80\x67");
// Width 64, height 48, and an element that an empty one can stand in for.
const std::string kSize("\xb0\x81\x40\xba\x81\x30\x54\xb2\x81\x04");
const std::string kFfv1("\x86\x86V_FFV1");
const std::string kImageTrack("\x83\x81\x01");

std::string riff_chunk(const std::string& kind, const std::string& body) {
  return kind + little(body.size(), 4) + body + std::string(body.size() % 2, '\0');
}

// Motion JPEG of these frames, which are stated to be 128 x 96.
std::string avi_of(const std::vector<std::string>& jpegs) {
  const std::string zeros(16, '\0'), size = little(128, 4) + little(96, 4);
  const std::string count = little(jpegs.size(), 4);
  const std::string avih = little(40'000, 4) + zeros.substr(4) + count + zeros.substr(12) +
                           little(1, 4) + zeros.substr(12) + size + zeros;
  const std::string strh = "vidsMJPG" + zeros.substr(4) + little(1, 4) + little(25, 4) +
                           zeros.substr(12) + count + zeros + zeros.substr(12);
  const std::string strf =
      little(40, 4) + size + little(1, 2) + little(24, 2) + "MJPG" + zeros + zeros.substr(12);
  std::string movi = "movi";
  for (const std::string& jpeg : jpegs) {
    movi += riff_chunk("00dc", jpeg);
  }
  const std::string strl = "strl" + riff_chunk("strh", strh) + riff_chunk("strf", strf);
  const std::string hdrl = "hdrl" + riff_chunk("avih", avih) + riff_chunk("LIST", strl);
  return riff_chunk("RIFF", "AVI " + riff_chunk("LIST", hdrl) + riff_chunk("LIST", movi));
}

std::string mp4_box(const std::string& name, const std::string& body) {
  return big(body.size() + 8, 4) + name + body;
}

const std::string kFtyp = mp4_box("ftyp", "isom" + big(512, 4) + "isomavc1");

const Case kMatroskas[] = {
    {"Empty", "", "x: video: got 0 bytes, expected Matroska, WebM, MP4, MOV or AVI"},
    {"AnotherFormat", golden_media("tone.wav"),
     "x: video: got WAV, expected Matroska, WebM, MP4, MOV or AVI"},
    {"HeaderAlone", cut(kMoving, 40), "x: Matroska: got no segment, expected one"},
    {"HeaderCut", cut(kMoving, 20), "x: Matroska: got 15 bytes of an element, expected 35"},
    {"NoSegment", patched(kMoving, kSegment, 0, "\x18\x53\x80\x68"),
     "x: Matroska: got no segment, expected one"},
    {"EmptySegment", cut(kMoving, 40) + kSegment + "\x80",
     "x: video: got \"End of file\", expected a video"},
    {"CutInHalf", cut(kMoving, kMoving.size() / 2),
     "x: Matroska: got 54251 bytes of an element, expected 108554"},
    {"CutByOneByte", without_end(kMoving, 1),
     "x: Matroska: got 108553 bytes of an element, expected 108554"},
    {"AbsurdLength", patched(kMoving, kSegment, 4, "\x01\x0f\xff\xff\xff\xff\xff\xff"),
     "x: Matroska: got 108554 bytes of an element, expected 4503599627370495"},
    {"NoImages", patched(kMoving, kImageTrack, 2, "\x11"),
     "x: video: got no stream of images, expected one"},
    {"NoWidth", patched(kSilent, "\xb0\x81\x30\xba\x81\x20", 2, std::string(1, '\0')),
     "x: size: got 0 x 0 pixels, expected sides of 1 to 131072"},
    {"TooManyPixels", patched(kMoving, kSize, 0, "\xb0\x82\x2e\xe0\xba\x82\x2e\xe0\xec\x80"),
     "x: size: got 12000 x 12000 pixels, expected at most 100000000 in all"},
    {"UnknownCodec", patched(kMoving, kFfv1, 2, "V_NONE"),
     "x: video: got codec \"none\", expected one with a decoder"},
    {"AnotherCodec", patched(kMoving, kFfv1, 2, "V_THEO"),
     "x: video: got codec \"none\", expected one with a decoder"},
    {"DamagedFrame", cut(kMoving, 30'000) + std::string(64, 'x') + kMoving.substr(30'064),
     "x: video: got \"slice CRC mismatch 4245237F!\", expected whole frames"},
    {"DamagedAudio", cut(kMoving, 90'000) + std::string(64, 'x') + kMoving.substr(90'064),
     "x: audio track: got \"invalid residual\", expected whole frames"},
    {"DamagedAudioHeader", patched(kMoving, "fLaC", 8 + 10, "xxxx"),
     "x: audio track: got \"switching bps mid-stream is not supported\", expected whole frames"},
    {"FewerFramesThanAskedFor", kMoving, "x: frames: got 24, expected at least 25", 25},
    {"NoFramesAskedFor", kMoving, "x: frames: got 24, expected at least 1", 0},
};

const Case kOthers[] = {
    {"Mp4HeaderAlone", kFtyp, "x: MP4: got no box \"moov\", expected one"},
    {"Mp4WithoutIndex", kFtyp + mp4_box("mdat", "data"),
     "x: MP4: got no box \"moov\", expected one"},
    {"Mp4Cut", kFtyp + mp4_box("moov", std::string(100, 'a')).substr(0, 60),
     "x: MP4: got 52 bytes of an element, expected 100"},
    {"Mp4EmptyIndex", kFtyp + mp4_box("moov", ""),
     "x: video: got no stream of images, expected one"},
    {"Mp4BoxOfNoSize", kFtyp + big(3, 4) + "moov",
     "x: MP4: got no element at byte 24, expected one"},
    {"Mp4DamagedIndex", kFtyp + mp4_box("moov", mp4_box("trak", std::string(64, '\xff'))),
     "x: video: got no stream of images, expected one"},
    {"AviFramesChangeSize",
     avi_of(
         {golden_media("photo.jpg"), golden_media("photo.jpg"), golden_media("formats/xmp-6.jpg")}),
     "x: frame 2: got 33 x 24 pixels, expected 128 x 96 pixels as in the first; scale it: ffmpeg "
     "-i x -vf scale=128:96 out.mkv",
     2},
    {"AviCut", "RIFF" + little(1000, 4) + "AVI LIST", "x: AVI: got 8 bytes, expected 1000"},
    {"AviAlone", "RIFF" + little(4, 4) + "AVI ",
     "x: video: got \"Invalid data found when processing input\", expected a video"},
    {"AviOfZeros", "RIFF" + little(104, 4) + "AVI " + std::string(100, '\0'),
     "x: video: got \"Invalid data found when processing input\", expected a video"},
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Matroska, MalformedVideo, testing::ValuesIn(kMatroskas), name_of);
INSTANTIATE_TEST_SUITE_P(Other, MalformedVideo, testing::ValuesIn(kOthers), name_of);

}  // namespace
}  // namespace assay
