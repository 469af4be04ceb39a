// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/media_file.h"

#include <gtest/gtest.h>

#include "reference/family/base/error.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_golden_media.h"

namespace assay {
namespace {

TEST(MediaFile, KindsAreToldByTheFirstBytes) {
  EXPECT_EQ(media_kind_of(as_file(golden_media("alpha.png"))), MediaKind::kImage);
  EXPECT_EQ(media_kind_of(as_file(golden_media("tone.wav"))), MediaKind::kAudio);
  EXPECT_EQ(media_kind_of(as_file(golden_media("moving.mkv"))), MediaKind::kVideo);
  EXPECT_FALSE(media_kind_of(as_file("plain text")));
  EXPECT_FALSE(media_kind_of({}));
}

TEST(MediaFile, EachKindComesOutAsWhatItIs) {
  const std::string png = golden_media("alpha.png");
  const auto image = std::get<Image>(decode_media(as_file(png), MediaKind::kImage, "x"));
  EXPECT_EQ(image.rgb, decode_image(as_file(png), "x").rgb);
  EXPECT_EQ(std::get<Image>(decode_media(as_file(png), MediaKind::kFrame, "x")).rgb, image.rgb);
  const std::string wav = golden_media("tone.wav");
  EXPECT_EQ(std::get<Audio>(decode_media(as_file(wav), MediaKind::kAudio, "x")).samples,
            decode_audio(as_file(wav), "x").samples);
}

TEST(MediaFile, AnotherKindThanAskedForIsRefused) {
  const TestDirectory directory;
  const auto png = directory.write("a.png", golden_media("alpha.png"));
  EXPECT_EQ(error_of([&] { read_media_file(png, MediaKind::kAudio); }),
            "a.png: audio: got PNG, expected WAV, FLAC, AIFF, MP3, Ogg Vorbis, Opus, M4A or AAC");
  EXPECT_EQ(error_of([&] { read_media_file(png, MediaKind::kVideo); }),
            "a.png: video: got PNG, expected Matroska, WebM, MP4, MOV or AVI");
  const auto wav = directory.write("a.wav", golden_media("tone.wav"));
  EXPECT_EQ(error_of([&] { read_media_file(wav, MediaKind::kImage); }),
            "a.wav: image: got WAV, expected PNG, JPEG, WebP, GIF, BMP or TIFF");
}

TEST(MediaFile, AVideoGivesItsFramesTheirSecondsAndItsTrack) {
  if (!video_support()) {
    GTEST_SKIP() << "built without FFmpeg";
  }
  const std::string mkv = golden_media("moving.mkv");
  const auto video =
      std::get<Video>(decode_media(as_file(mkv), MediaKind::kVideo, "x", {.count = 4}));
  ASSERT_EQ(video.frames.size(), 4u);
  ASSERT_EQ(video.seconds.size(), 4u);
  for (std::size_t j = 0; j < 4; ++j) {
    EXPECT_EQ(video.seconds[j], static_cast<double>(video.indices[j]) / video.fps);
  }
  const auto track = std::get<Audio>(decode_media(as_file(mkv), MediaKind::kAudio, "x"));
  EXPECT_EQ(track.samples, video.audio->samples);
}

}  // namespace
}  // namespace assay
