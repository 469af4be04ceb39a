// SPDX-License-Identifier: Apache-2.0
// RX-1, RX-4.
#include "reference/family/preprocess/video_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "reference/family/base/error.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> stamps(std::size_t frames_in_video, double fps) {
  std::vector<std::string> all;
  for (const double seconds : frame_seconds(frame_indices(frames_in_video, 32), fps)) {
    all.push_back(timestamp(seconds));
  }
  return all;
}

TEST(VideoFrames, TenSecondsAtThirty) {
  EXPECT_THAT(
      frame_indices(300, 32),
      ElementsAre(0, 9, 18, 28, 37, 46, 56, 65, 75, 84, 93, 103, 112, 121, 131, 140, 150, 159, 168,
                  178, 187, 196, 206, 215, 225, 234, 243, 253, 262, 271, 281, 290));
  const auto seen = stamps(300, 30);
  EXPECT_THAT(std::vector<std::string>(seen.begin(), seen.begin() + 6),
              ElementsAre("00:00", "00:00", "00:00", "00:00", "00:01", "00:01"));
  EXPECT_EQ(seen.back(), "00:09");
}

TEST(VideoFrames, FortySecondsAtTwentyFive) {
  const auto indices = frame_indices(1000, 32);
  EXPECT_THAT(std::vector<std::size_t>(indices.begin(), indices.begin() + 5),
              ElementsAre(0, 31, 62, 93, 125));
  const auto seen = stamps(1000, 25);
  EXPECT_THAT(std::vector<std::string>(seen.begin(), seen.begin() + 6),
              ElementsAre("00:00", "00:01", "00:02", "00:03", "00:05", "00:06"));
  EXPECT_EQ(seen.back(), "00:38");
}

TEST(VideoFrames, AsManyAsThereAreIsAllOfThem) {
  EXPECT_THAT(frame_indices(4, 4), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(frame_indices(1, 1), ElementsAre(0));
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// RX-2.
TEST(VideoFrames, ARateGivesTheirNumber) {
  EXPECT_EQ(frame_count(300, 30, {.rate = 1}), 10u);
  EXPECT_EQ(frame_count(299, 30, {.rate = 1}), 9u);  // cut, not rounded
  EXPECT_EQ(frame_count(3, 30, {.rate = 1}), 1u);    // one at least
  EXPECT_EQ(frame_count(40, 1.93, {.rate = 1.93}), 40u);
  EXPECT_EQ(message_of([] { frame_count(300, 30, {.rate = 60}); }),
            "video: frames per second: got 60.000000 wanted, expected at most the 30.000000 of the "
            "file");
  EXPECT_EQ(message_of([] { frame_count(300, 0, {.rate = 1}); }),
            "video: frames per second: got 1.000000 wanted of 0.000000, expected positive numbers");
}

TEST(VideoFrames, AShortVideoGivesAllItHasWhereThatIsAskedFor) {
  EXPECT_EQ(frame_count(24, 8, {.or_all = true}), 24u);
  EXPECT_EQ(frame_count(300, 8, {.or_all = true}), 32u);
  EXPECT_EQ(frame_count(24, 8, {}), 32u);  // and frame_indices refuses
}

TEST(VideoFrames, Stamps) {
  EXPECT_EQ(timestamp(0), "00:00");
  EXPECT_EQ(timestamp(59.999), "00:59");
  EXPECT_EQ(timestamp(60), "01:00");
  EXPECT_EQ(timestamp(3599.5), "59:59");
  EXPECT_EQ(timestamp(3600), "60:00");
  EXPECT_EQ(timestamp(6000), "100:00");
}

// The mistake I27: only then.
TEST(VideoFrames, WithoutARateItIsTwentyFour) {
  EXPECT_THAT(frame_seconds({0, 24, 36}, kDefaultFramesPerSecond), ElementsAre(0, 1, 1.5));
}

TEST(VideoFrames, RefusesShortVideosAndSillyRates) {
  EXPECT_EQ(message_of([] { frame_indices(31, 32); }),
            "video: frames: got 31, expected at least 32");
  EXPECT_EQ(message_of([] { frame_indices(5, 0); }),
            "video: frames to look at: got 0, expected at least 1");
  EXPECT_THAT(message_of([] { frame_indices(std::size_t{1} << 62, 32); }),
              HasSubstr("expected fewer"));
  for (const double fps : {0.0, -25.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THAT(message_of([fps] { frame_seconds({0}, fps); }),
                HasSubstr("expected a positive number"));
  }
  for (const double seconds : {-0.5, 2e9, std::nan("")}) {
    EXPECT_THAT(message_of([seconds] { timestamp(seconds); }), HasSubstr("expected 0 ... 1e9"));
  }
}

// The mistakes, by their names. -------------------------------------------------------------------

// Older transformers: a step of T / F in doubles, counted up from 0 while below T (DIV-M40).
std::vector<std::size_t> stepped(std::size_t frames_in_video, std::size_t num_frames) {
  const auto total = static_cast<double>(frames_in_video);
  const double step = total / static_cast<double>(num_frames);
  std::vector<std::size_t> indices(static_cast<std::size_t>(std::ceil(total / step)));
  for (std::size_t j = 0; j < indices.size(); ++j) {
    indices[j] = static_cast<std::size_t>(static_cast<double>(j) * step);
  }
  return indices;
}

TEST(video_frames, DIV_M40_steps_in_doubles_agree_for_32_frames) {
  for (std::size_t total = 32; total < 3000; ++total) {
    ASSERT_EQ(stepped(total, 32), frame_indices(total, 32)) << total;
  }
}

TEST(video_frames, DIV_M40_steps_in_doubles_differ_for_other_counts) {
  const std::pair<std::size_t, std::size_t> table[] = {{7, 255}, {15, 358}, {100, 197}};
  for (const auto& [count, expected] : table) {
    std::size_t differ = 0;
    for (std::size_t total = count; total < 3000; ++total) {
      differ += stepped(total, count) != frame_indices(total, count);
    }
    EXPECT_EQ(differ, expected) << count;
  }
  EXPECT_EQ(stepped(21, 15).size(), 16u);
  EXPECT_EQ(frame_indices(21, 15).size(), 15u);
}

TEST(video_frames, I21_last_frame_included) {
  EXPECT_EQ(frame_indices(300, 32).back(), 290u);  // evenly from 0 to 299 ends with 299
}

TEST(video_frames, I22_stamps_of_the_source_rounded_down) {
  const auto seen = stamps(1000, 25);
  EXPECT_EQ(seen[3], "00:03");  // 3.72 s; rounded: 00:04; third of 32 frames at 25 a second: 00:00
}

}  // namespace
}  // namespace assay
