// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/expand_media.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/family/base/error.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Ids = std::vector<std::int32_t>;

// Small ids of markers, so that a prompt fits on a line.
constexpr std::int32_t kBoi = 40, kImage = 41, kEoi = 42, kVideo = 43;
constexpr std::int32_t kBoa = 50, kAudio = 51, kEoa = 52;

SpecialTokens special() {
  return {0, kImage, kVideo, kAudio, kBoi, kEoi, kBoa, kEoa};
}

StampTokens stamps() {
  return {{100, 101, 102, 103, 104, 105, 106, 107, 108, 109}, 110, 111};
}

PromptMedia image(std::size_t soft_tokens) {
  return {MediaKind::kImage, {soft_tokens}, {}};
}

PromptMedia audio(std::size_t soft_tokens) {
  return {MediaKind::kAudio, {soft_tokens}, {}};
}

ExpandedPrompt expand(const Ids& ids, const std::vector<PromptMedia>& items) {
  return expand_media(ids, items, special(), stamps());
}

std::string refusal(const Ids& ids, const std::vector<PromptMedia>& items) {
  try {
    expand(ids, items);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ExpandMedia, TextStaysAsItIs) {
  const auto prompt = expand({2, 7, 9}, {});
  EXPECT_THAT(prompt.ids, ElementsAre(2, 7, 9));
  EXPECT_THAT(prompt.token_types, ElementsAre(0, 0, 0));
}

// The released ids: an image in a chat turn reads 108 255999 258880 ... 258882 108.
TEST(ExpandMedia, ReleasedIds) {
  const std::vector<PromptMedia> items = {image(2)};
  const Ids ids = {108, 258880, 108};
  EXPECT_EQ(expand_media(ids, items, SpecialTokens{}).ids,
            Ids({108, 255999, 258880, 258880, 258882, 108}));
}

// RX-9
TEST(ExpandMedia, MarkersAreText) {
  const auto prompt = expand({5, kImage, 6}, {image(3)});
  EXPECT_THAT(prompt.token_types, ElementsAre(0, 0, 1, 1, 1, 0, 0));
}

// X1, RX-7: each kind has its own beginning and end.
TEST(expand_media, markers_missing_or_of_an_image) {
  const auto prompt = expand({5, kAudio, kImage}, {audio(2), image(1)});
  EXPECT_THAT(prompt.ids, ElementsAre(5, kBoa, kAudio, kAudio, kEoa, kBoi, kImage, kEoi));
  EXPECT_THAT(prompt.token_types, ElementsAre(0, 0, 3, 3, 0, 0, 1, 0));
}

// X2, RX-8: newlines are the template's matter.
TEST(expand_media, newlines_spliced_in) {
  const auto prompt = expand({5, kImage, 6}, {image(1)});
  EXPECT_THAT(prompt.ids, ElementsAre(5, kBoi, kImage, kEoi, 6));
}

// X9, RX-13: a token per soft token, so a position per soft token.
TEST(expand_media, one_position_per_image) {
  EXPECT_EQ(expand({5, kImage, 6}, {image(280)}).ids.size(), 2u + 2 + 280);
}

// RX-5, RX-6: "mm:ss " before each frame, one space between frames, the image's begin and end.
TEST(ExpandMedia, FramesBearTheirTime) {
  const PromptMedia video = {MediaKind::kVideo, {2, 1}, {9.99, 75}};
  const auto prompt = expand({5, kVideo, 6}, {video});
  EXPECT_EQ(prompt.ids, Ids({5,    100,    100,    110,  100, 109, 111,  // 00:09_
                             kBoi, kVideo, kVideo, kEoi, 111,            // and a space
                             100,  101,    110,    101,  105, 111,       // 01:15_
                             kBoi, kVideo, kEoi,   6}));
  EXPECT_EQ(std::count(prompt.token_types.begin(), prompt.token_types.end(), 2), 3);
  EXPECT_EQ(prompt.token_types[8], 2);
  EXPECT_EQ(prompt.token_types[7], 0);
}

TEST(ExpandMedia, MinutesMayTakeThreeDigits) {
  const PromptMedia video = {MediaKind::kVideo, {1}, {6001}};
  EXPECT_THAT(expand({kVideo}, {video}).ids,
              ElementsAre(101, 100, 100, 110, 100, 101, 111, kBoi, kVideo, kEoi));
}

// X5, RX-11: each kind has its own queue, and keeps its order.
TEST(expand_media, images_and_videos_share_a_queue) {
  const PromptMedia video = {MediaKind::kVideo, {4}, {0}};
  const auto prompt =
      expand({kVideo, kImage, kAudio, kImage}, {image(1), image(2), video, audio(3)});
  EXPECT_THAT(prompt.order, ElementsAre(2, 0, 3, 1));
  EXPECT_EQ(std::count(prompt.ids.begin(), prompt.ids.end(), kVideo), 4);
  const auto first = std::find(prompt.ids.begin(), prompt.ids.end(), kImage);
  EXPECT_EQ(*(first + 1), kEoi);  // the image of one token comes first
}

TEST(ExpandMedia, RefusesCountsThatDiffer) {
  EXPECT_EQ(refusal({5, kImage, kImage}, {image(1)}),
            "prompt: got 2 placeholders of kind image, expected 1, one for each item");
  EXPECT_EQ(refusal({5}, {audio(1)}),
            "prompt: got 0 placeholders of kind audio, expected 1, one for each item");
  EXPECT_THAT(refusal({kVideo}, {image(1)}), HasSubstr("placeholders of kind image, expected 1"));
}

TEST(ExpandMedia, RefusesItemsWithoutSoftTokens) {
  EXPECT_EQ(refusal({kAudio}, {audio(0)}),
            "item 0 (audio): got no soft tokens, expected at least one");
  EXPECT_EQ(refusal({kImage}, {PromptMedia{}}),
            "item 0 (image): got 0 counts of soft tokens, expected one");
  EXPECT_EQ(refusal({kVideo}, {{MediaKind::kVideo, {}, {}}}),
            "item 0 (video): got 0 counts of soft tokens, expected one for each frame");
  EXPECT_EQ(refusal({kVideo}, {{MediaKind::kVideo, {1, 1}, {0}}}),
            "item 0 (video): got 1 time stamps, expected 2, one for each frame");
}

TEST(ExpandMedia, RefusesAFrameWithoutItsVideo) {
  EXPECT_EQ(refusal({kVideo}, {{MediaKind::kFrame, {1}, {}}}),
            "item 0 (frame): got a frame alone, expected an image or a whole video");
}

}  // namespace
}  // namespace assay
