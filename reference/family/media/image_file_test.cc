// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/image_file.h"

#include <gtest/gtest.h>

#include "reference/family/media/media_file.h"
#include "reference/family/media/orientation.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_golden_media.h"

namespace assay {
namespace {

using Pixels = std::vector<std::uint8_t>;

Image decoded(const std::string& bytes) {
  return decode_image(as_file(bytes), "x");
}

Pixels repeated(const Pixels& grey) {
  Pixels rgb;
  for (const std::uint8_t value : grey) {
    rgb.insert(rgb.end(), 3, value);
  }
  return rgb;
}

TEST(Png, RowsAndColumnsOfAnImageByHand) {
  const Image image = decoded(png_file({2, 1, 8, 2}, std::string("\0abcdef", 7)));
  EXPECT_EQ(image.size, (ImageSize{1, 2}));
  EXPECT_EQ(image.rgb, (Pixels{'a', 'b', 'c', 'd', 'e', 'f'}));
}

TEST(Png, SmallGreysAreScaled) {
  EXPECT_EQ(decoded(png_file({3, 1, 1, 0}, std::string("\0\xa0", 2))).rgb, repeated({255, 0, 255}));
  EXPECT_EQ(decoded(png_file({4, 1, 2, 0}, std::string("\0\x1b", 2))).rgb,
            repeated({0, 85, 170, 255}));
  EXPECT_EQ(decoded(png_file({2, 1, 4, 0}, std::string("\0\x1f", 2))).rgb, repeated({17, 255}));
}

TEST(Png, Grey16IsClippedNotScaled) {
  const std::string rows("\0\0\x7f\0\xff\1\0\xff\xff", 9);  // 127, 255, 256, 65535
  EXPECT_EQ(decoded(png_file({4, 1, 16, 0}, rows)).rgb, repeated({127, 255, 255, 255}));
}

TEST(Png, Colour16KeepsItsHighByte) {
  const std::string rows("\0\x12\xff\x34\x00\xff\x80", 7);
  EXPECT_EQ(decoded(png_file({1, 1, 16, 2}, rows)).rgb, (Pixels{0x12, 0x34, 0xff}));
}

// RI-1; the mistake I17.
TEST(Png, AlphaIsDroppedNotComposited) {
  EXPECT_EQ(decoded(png_file({1, 1, 8, 6}, std::string("\0\x0a\x14\x1e\0", 5))).rgb,
            (Pixels{10, 20, 30}));
  EXPECT_EQ(decoded(png_file({1, 1, 8, 4}, std::string("\0\x0a\0", 3))).rgb, repeated({10}));
  const std::string clear = png_chunk("tRNS", big(10, 2));  // grey 10 is transparent
  EXPECT_EQ(decoded(png_file({1, 1, 8, 0}, std::string("\0\x0a", 2), clear)).rgb, repeated({10}));
}

TEST(Png, PaletteIsLookedUp) {
  const std::string palette = png_chunk("PLTE", "abcdef") + png_chunk("tRNS", std::string(2, '\0'));
  EXPECT_EQ(decoded(png_file({2, 1, 1, 3}, std::string("\0\x40", 2), palette)).rgb,
            (Pixels{'a', 'b', 'c', 'd', 'e', 'f'}));
}

TEST(Png, CompressedTextIsNotLookedAt) {
  const std::string bomb = png_chunk("zTXt", std::string("key\0\0", 5) + "no zlib data");
  EXPECT_EQ(decoded(png_file({1, 1, 8, 2}, std::string("\0abc", 4), bomb)).size, (ImageSize{1, 1}));
}

TEST(Png, WhatIsWrittenIsReadBack) {
  const TestDirectory directory;
  const auto path = directory.path() / "y.png";
  const Image image = decoded(golden_media("photo.png"));
  write_png(path, image);
  EXPECT_EQ(std::get<Image>(read_media_file(path, MediaKind::kImage)).rgb, image.rgb);
  EXPECT_EQ(error_of([&] {
              write_png(path, {{2, 2}, Pixels(11)});
            }),
            "y.png: pixels: got 11 bytes, expected 12");
  EXPECT_EQ(error_of([&] { write_png(directory.path() / "no" / "z.png", image); }),
            "z.png: file: got \"No such file or directory\", expected a writable file");
}

// An image with the digits 0 ... 5 in two rows of three.
Image digits() {
  return {{2, 3}, repeated({0, 1, 2, 3, 4, 5})};
}

TEST(Orientation, EachOfTheEight) {
  const std::vector<Pixels> shown = {{0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3}, {5, 4, 3, 2, 1, 0},
                                     {3, 4, 5, 0, 1, 2}, {0, 3, 1, 4, 2, 5}, {3, 0, 4, 1, 5, 2},
                                     {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image image = upright(digits(), orientation);
    const bool turned = orientation >= 5;
    EXPECT_EQ(image.size, (turned ? ImageSize{3, 2} : ImageSize{2, 3})) << orientation;
    EXPECT_EQ(image.rgb, repeated(shown[static_cast<std::size_t>(orientation) - 1])) << orientation;
  }
  EXPECT_EQ(upright(digits(), 9).rgb, digits().rgb);
}

std::string exif(const std::string& order, int orientation) {
  const auto number = order == "II" ? little : big;
  const auto value = static_cast<unsigned>(orientation);
  return order + number(42, 2) + number(8, 4) + number(1, 2) + number(0x0112, 2) + number(3, 2) +
         number(1, 4) + number(value, 2) + number(0, 2) + number(0, 4);
}

TEST(Orientation, IsReadInBothByteOrders) {
  EXPECT_EQ(exif_orientation(as_file(exif("II", 6))), 6);
  EXPECT_EQ(exif_orientation(as_file(exif("MM", 8))), 8);
}

TEST(Orientation, IsOneWhereExifIsDamaged) {
  const std::string whole = exif("II", 6);
  EXPECT_EQ(exif_orientation(as_file(exif("II", 9))), 1);
  EXPECT_EQ(exif_orientation(as_file(exif("II", 0))), 1);
  EXPECT_FALSE(exif_orientation(as_file(patched(whole, "II", 4, big(0xffffffff, 4)))));
  for (std::size_t count = 0; count < 22; ++count) {
    EXPECT_FALSE(exif_orientation(as_file(cut(whole, count)))) << count;
  }
}

int by_xmp(const std::string& xmp) {
  return orientation_of({{}, as_file(xmp)});
}

TEST(Orientation, OfXmpIsAnAttributeOrAnElement) {
  EXPECT_EQ(by_xmp("<a tiff:Orientation=\"6\"/>"), 6);
  EXPECT_EQ(by_xmp("<tiff:Orientation>8</tiff:Orientation>"), 8);
  EXPECT_EQ(by_xmp("tiff:Orientation='6' tiff:Orientation=\"3\""), 3);  // as the pattern has it
  EXPECT_EQ(by_xmp("<a tiff:Orientation=\"9\"/>"), 1);
  EXPECT_EQ(by_xmp("tiff:Orientation=\""), 1);
  EXPECT_EQ(by_xmp(""), 1);
}

TEST(Orientation, OfExifGoesFirst) {
  const std::string six = "tiff:Orientation=\"6\"", eight = exif("II", 8), one = exif("II", 1);
  EXPECT_EQ(orientation_of({as_file(eight), as_file(six)}), 8);
  EXPECT_EQ(orientation_of({as_file(one), as_file(six)}), 1);
  EXPECT_EQ(orientation_of({as_file("damaged"), as_file(six)}), 6);
}

TEST(Orientation, OfAPngTurnsItsPixels) {
  const std::string rows("\0abcdef", 7);
  const Image image = decoded(png_file({2, 1, 8, 2}, rows, png_chunk("eXIf", exif("MM", 6))));
  EXPECT_EQ(image.size, (ImageSize{2, 1}));
}

// The mistake I25.
TEST(Orientation, OfAJpegTurnsItsPixels) {
  const Image plain = decoded(golden_media("photo.jpg"));
  const Image turned = decoded(golden_media("photo-orientation-6.jpg"));
  EXPECT_EQ(turned.size, (ImageSize{128, 96}));
  EXPECT_EQ(turned.rgb, upright(plain, 6).rgb);
}

TEST(Jpeg, BytesAfterTheEndAndBetweenSegmentsAreHarmless) {
  const std::string photo = golden_media("photo.jpg");
  EXPECT_EQ(decoded(photo + "more").rgb, decoded(photo).rgb);
  const std::string spaced = cut(photo, 2) + "\xff\xff" + photo.substr(2);  // a fill byte
  EXPECT_EQ(decoded(spaced).rgb, decoded(photo).rgb);
}

TEST(GoldenMedia, ImagesHoldWhatPillowReads) {
  int count = 0;
  for (const auto& [name, facts] : golden_contents()) {
    const std::string bytes = golden_media(name);
    if (!looks_like_image(as_file(bytes))) {
      continue;
    }
    ++count;
    const Image image = decode_image(as_file(bytes), name);
    EXPECT_EQ(std::to_string(image.size.height) + "x" + std::to_string(image.size.width) + "x3",
              facts.first)
        << name;
    Fnv1a hash;
    hash.add(std::span<const std::uint8_t>(image.rgb));
    EXPECT_EQ(hash.text(), facts.second) << name;
  }
  EXPECT_EQ(count, 16);
}

}  // namespace
}  // namespace assay
