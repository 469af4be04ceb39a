// SPDX-License-Identifier: Apache-2.0
// Links the second implementation that a build without FFmpeg gets.
#include <gtest/gtest.h>

#include "reference/family/media/video_file.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_golden_media.h"

namespace assay {
namespace {

TEST(VideoMissing, TheErrorSaysWhatToInstall) {
  EXPECT_FALSE(video_support());
  const std::string video = golden_media("moving.mkv");
  EXPECT_TRUE(looks_like_video(as_file(video)));
  EXPECT_EQ(error_of([&] { decode_video(as_file(video), "x", {.count = 4}); }),
            "x: video: got a build without FFmpeg's libraries, expected one with them (install "
            "libavcodec-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev and "
            "configure with -DASSAY_VIDEO=ON)");
}

TEST(VideoMissing, WhatIsNoVideoIsStillSaidSo) {
  EXPECT_EQ(error_of([] { decode_video(as_file("plain text"), "x", {.count = 4}); }),
            "x: video: got text, expected Matroska, WebM, MP4, MOV or AVI");
}

}  // namespace
}  // namespace assay
