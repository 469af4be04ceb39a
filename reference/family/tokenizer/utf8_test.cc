// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/utf8.h"

#include <gtest/gtest.h>

#include "reference/family/testing/test_directory.h"

namespace assay {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) {
    text += static_cast<char>(value);
  }
  return text;
}

TEST(Utf8, LengthsByHand) {
  EXPECT_EQ(utf8_length("a", 0), 1U);
  EXPECT_EQ(utf8_length(std::string_view("\0", 1), 0), 1U);
  EXPECT_EQ(utf8_length("\xC3\xA9", 0), 2U);
  EXPECT_EQ(utf8_length("\xE2\x96\x81", 0), 3U);
  EXPECT_EQ(utf8_length("\xF0\x9F\x98\x80", 0), 4U);
  EXPECT_EQ(utf8_length("a\xC3\xA9", 1), 2U);
  EXPECT_EQ(utf8_length("a", 1), 0U);
  EXPECT_EQ(utf8_length("", 0), 0U);
}

TEST(Utf8, TheEndsOfEveryRange) {
  for (const auto& good :
       {bytes({0x7F}), bytes({0xC2, 0x80}), bytes({0xDF, 0xBF}), bytes({0xE0, 0xA0, 0x80}),
        bytes({0xED, 0x9F, 0xBF}), bytes({0xEE, 0x80, 0x80}), bytes({0xEF, 0xBF, 0xBF}),
        bytes({0xF0, 0x90, 0x80, 0x80}), bytes({0xF4, 0x8F, 0xBF, 0xBF})}) {
    EXPECT_TRUE(is_utf8(good));
    EXPECT_EQ(utf8_length(good, 0), good.size());
    EXPECT_FALSE(is_utf8(good.substr(0, good.size() - 1)) && good.size() > 1);
  }
}

TEST(Utf8, WhatIsNone) {
  for (const auto& bad :
       {bytes({0x80}), bytes({0xBF}), bytes({0xC0, 0x80}), bytes({0xC1, 0xBF}), bytes({0xC3}),
        bytes({0xC3, 0x41}), bytes({0xE0, 0x9F, 0xBF}), bytes({0xE2, 0x96}),
        bytes({0xE2, 0x28, 0xA1}), bytes({0xED, 0xA0, 0x80}), bytes({0xED, 0xBF, 0xBF}),
        bytes({0xF0, 0x8F, 0xBF, 0xBF}), bytes({0xF4, 0x90, 0x80, 0x80}),
        bytes({0xF5, 0x80, 0x80, 0x80}), bytes({0xF8, 0x88, 0x80, 0x80, 0x80}), bytes({0xFF}),
        bytes({0xF0, 0x9F, 0x98}), bytes({0xF0, 0x9F, 0x41, 0x80}), bytes({0x41, 0xFE})}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

TEST(Utf8, ErrorsNameTheByte) {
  EXPECT_EQ(error_of([] { check_utf8("ab\xFFz", "text"); }),
            "text: byte 2: got 0xff, expected UTF-8");
  EXPECT_EQ(error_of([] { check_utf8("ab\xC3", "text"); }),
            "text: byte 2: got 0xc3, expected UTF-8");
  EXPECT_EQ(error_of([] { check_utf8("plain", "text"); }), "no error");
}

// Each pair of bytes against the definition: two bytes are text when both are ASCII, or when they
// are one scalar value from U+0080 to U+07FF.
TEST(Utf8, EveryPairOfBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const bool ascii = first < 0x80 && second < 0x80;
      const bool one = (first >> 5) == 6 && (second >> 6) == 2 && (first & 0x1F) >= 2;
      ASSERT_EQ(is_utf8(bytes({first, second})), ascii || one) << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace assay
