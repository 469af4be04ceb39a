// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/boxes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using testing::HasSubstr;

Regions regions(const std::string& json, std::size_t width = 1000, std::size_t height = 1000) {
  return find_regions(parse_json(json, "test", kChatRules), width, height);
}

TEST(boxes_mistakes, P50_order_scale_and_image) {  // RN-16
  const Regions found = regions(R"({"box_2d": [100, 500, 200, 700], "label": "b"})", 1906, 1360);
  ASSERT_EQ(found.boxes.size(), 1U);
  const Box& box = found.boxes[0];
  EXPECT_DOUBLE_EQ(box.top, 136);
  EXPECT_DOUBLE_EQ(box.left, 953);
  EXPECT_DOUBLE_EQ(box.bottom, 272);
  EXPECT_DOUBLE_EQ(box.right, 1334.2);
  EXPECT_EQ(box.label, "b");
}

TEST(Boxes, ListsAndPoints) {
  const Regions found = regions(R"([{"box_2d": [0, 0, 1000, 1000]}, {"point": [250, 750],
      "label": "eye"}, {"point_2d": [1, 2]}, {"label": "neither"}, 3, null])",
                                200, 100);
  ASSERT_EQ(found.boxes.size(), 1U);
  ASSERT_EQ(found.points.size(), 2U);
  EXPECT_EQ(found.boxes[0].label, "");
  EXPECT_DOUBLE_EQ(found.boxes[0].right, 200);
  EXPECT_DOUBLE_EQ(found.points[0].y, 25);
  EXPECT_DOUBLE_EQ(found.points[0].x, 150);
  EXPECT_EQ(found.points[0].label, "eye");
  EXPECT_DOUBLE_EQ(found.points[1].x, 0.4);
}

TEST(Boxes, AreClampedToTheImage) {
  const Regions found = regions(R"({"box_2d": [-50, -1.5, 1200, 1e9]})", 100, 50);
  EXPECT_DOUBLE_EQ(found.boxes[0].top, 0);
  EXPECT_DOUBLE_EQ(found.boxes[0].left, 0);
  EXPECT_DOUBLE_EQ(found.boxes[0].bottom, 50);
  EXPECT_DOUBLE_EQ(found.boxes[0].right, 100);
}

TEST(Boxes, WhatIsNoneIsPassedOver) {
  for (const char* json : {R"({"box_2d": [1, 2, 3]})", R"({"box_2d": [1, 2, 3, "4"]})",
                           R"({"box_2d": {"y": 1}})", R"({"point": [1]})", "3", "[]", "\"x\"",
                           R"({"box_2d": [1, 2, 3, null]})", R"([[1, 2, 3, 4]])"}) {
    EXPECT_TRUE(regions(json).boxes.empty() && regions(json).points.empty()) << json;
  }
}

TEST(CheckJson, WithAndWithoutAFence) {  // RN-15
  for (const char* answer : {"{}", " [1, 2]\n", "```json\n{\"a\": 1}\n```", "```\n[]\n```",
                             "\n```json\n\"x\"\n```\n", "null", "3"}) {
    EXPECT_TRUE(check_json(answer).valid) << answer;
  }
  EXPECT_EQ(json_text(check_json("```json\n{\"a\": [1]}\n```").value), R"({"a": [1]})");
}

TEST(CheckJson, SaysWhyNot) {
  for (const char* answer : {"", "Sure!", "{\"a\": 1,}", "{'a': 1}", "{} {}",
                             "```json\n{}\n``` ok?", "```json\n{}", "Here: {}", "{\"a\": 1"}) {
    const JsonCheck check = check_json(answer);
    EXPECT_FALSE(check.valid) << answer;
    EXPECT_THAT(check.error, HasSubstr("answer: json: got")) << answer;
  }
}

TEST(WithoutFence, KeepsWhatIsNoFence) {
  EXPECT_EQ(without_fence("  a ```b``` "), "a ```b```");
  EXPECT_EQ(without_fence("```x```"), "```x```");
  EXPECT_EQ(without_fence("```json\n{\"s\": \"```\"}\n```"), "{\"s\": \"```\"}");
  EXPECT_EQ(without_fence(""), "");
}

}  // namespace
}  // namespace assay
