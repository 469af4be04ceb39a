// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/video_file.h"

#include <gtest/gtest.h>

#include "reference/family/media/video_container.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_golden_media.h"

namespace assay {
namespace {

const std::string kMoving = golden_media("moving.mkv");
const std::string kSilent = golden_media("moving-silent.mkv");

Video decoded(const std::string& bytes, std::size_t num_frames) {
  return decode_video(as_file(bytes), "x", {.count = num_frames});
}

class VideoFile : public testing::Test {
 protected:
  void SetUp() override {
    if (!video_support()) {
      GTEST_SKIP() << "built without FFmpeg";
    }
  }
};

std::string hash_of(const std::vector<Image>& frames) {
  Fnv1a hash;
  for (const Image& frame : frames) {
    hash.add(std::span<const std::uint8_t>(frame.rgb));
  }
  return hash.text();
}

TEST_F(VideoFile, EveryByteOfALosslessVideo) {
  const auto contents = golden_contents();
  const Video video = decoded(kMoving, 24);
  EXPECT_EQ(video.frames_in_file, 24u);
  EXPECT_EQ(video.fps, 8);
  EXPECT_EQ(video.frames[0].size, (ImageSize{48, 64}));
  EXPECT_EQ(contents.at("moving.mkv").first, "24x48x64x3");
  EXPECT_EQ(hash_of(video.frames), contents.at("moving.mkv").second);

  ASSERT_TRUE(video.audio.has_value());
  Fnv1a hash;
  hash.add(std::span<const float>(video.audio->samples));
  EXPECT_EQ(contents.at("moving.mkv:sound").first, std::to_string(video.audio->samples.size()));
  EXPECT_EQ(contents.at("moving.mkv:sound").second, hash.text());

  const Video silent = decoded(kSilent, 40);
  EXPECT_EQ(silent.fps, 12);
  EXPECT_FALSE(silent.audio.has_value());
  EXPECT_EQ(hash_of(silent.frames), contents.at("moving-silent.mkv").second);
}

// RX-1.
TEST_F(VideoFile, KeepsTheFramesAtFloorOfJTOverF) {
  const std::vector<Image> all = decoded(kMoving, 24).frames;
  const Video five = decoded(kMoving, 5);
  EXPECT_EQ(five.indices, (std::vector<std::size_t>{0, 4, 9, 14, 19}));
  ASSERT_EQ(five.frames.size(), 5u);
  for (std::size_t j = 0; j < 5; ++j) {
    EXPECT_EQ(five.frames[j].rgb, all[five.indices[j]].rgb) << j;
  }
}

// 40 frames at uneven times, in two containers; Matroska states 30 per second, which is a guess.
TEST_F(VideoFile, RateComesFromTheTimeStamps) {
  const Video matroska = decoded(golden_media("formats/uneven.mkv"), 32);
  const Video mp4 = decoded(golden_media("formats/uneven.mp4"), 32);
  EXPECT_TRUE(matroska.fps_varies);
  EXPECT_NEAR(matroska.fps, 40 / 18.233, 1e-3);  // frames over seconds
  EXPECT_NEAR(matroska.fps, mp4.fps, 1e-4);
  for (std::size_t j = 0; j < 32; ++j) {
    EXPECT_EQ(timestamp(matroska.seconds[j]), timestamp(mp4.seconds[j])) << j;
  }
}

TEST_F(VideoFile, AShortOneGivesAllItsFramesWhereThatIsAskedFor) {
  EXPECT_EQ(decode_video(as_file(kMoving), "x", {.or_all = true}).frames.size(), 24u);
  EXPECT_EQ(decode_video(as_file(kMoving), "x", {.rate = 2}).frames.size(), 6u);  // RX-2: 3 s
}

TEST(VideoContainer, TracksTellAudioFromVideo) {
  EXPECT_TRUE(holds_only_audio(as_file(golden_media("formats/aac.m4a"))));
  EXPECT_TRUE(holds_only_audio(as_file(golden_media("formats/vorbis.mka"))));
  EXPECT_FALSE(holds_only_audio(as_file(kMoving)));
  EXPECT_FALSE(holds_only_audio(as_file(golden_media("formats/uneven.mp4"))));
  EXPECT_FALSE(looks_like_video(as_file(big(16, 4) + "ftypavif" + big(0, 4))));
}

TEST(VideoContainer, IsKnownByItsFirstBytes) {
  EXPECT_TRUE(looks_like_video(as_file(kMoving)));
  EXPECT_TRUE(looks_like_video(as_file(big(24, 4) + "ftypisom")));
  EXPECT_TRUE(looks_like_video(as_file("RIFF" + big(0, 4) + "AVI LIST")));
  EXPECT_FALSE(looks_like_video(as_file("RIFF" + big(0, 4) + "WAVEfmt ")));
  EXPECT_FALSE(looks_like_video(as_file("")));
}

}  // namespace
}  // namespace assay
