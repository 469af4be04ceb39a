// SPDX-License-Identifier: Apache-2.0
// RI-7 ... RI-10.
#include "reference/family/preprocess/image_patches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "reference/family/base/error.h"
#include "reference/family/testing/test_signals.h"

namespace assay {
namespace {

using testing::ElementsAre;

// Patches of 2 pixels, soft tokens of 6: 70 of them fill 42 x 60 pixels, which are then not
// resized.
constexpr std::size_t kPatch = 2;
constexpr PatchOptions kSmall{.budget = 70, .patch_size = kPatch, .pooling_kernel_size = 3};
constexpr ImageSize kSize{42, 60};

const Image& image() {
  static const Image image = test_image("noise", 5, kSize);
  return image;
}

float pixel(std::size_t y, std::size_t x, std::size_t channel) {
  return static_cast<float>(image().rgb[(y * kSize.width + x) * 3 + channel]) / 255.0f;
}

TEST(ImagePatches, ByHand) {
  const PreprocessedImage out = preprocess_image(image(), kSmall);
  EXPECT_EQ(out.target, kSize);
  EXPECT_EQ(out.resized.rgb, image().rgb);
  EXPECT_EQ(out.patches.rows, 21u);
  EXPECT_EQ(out.patches.columns, 30u);
  EXPECT_EQ(out.patches.width, 12u);
  EXPECT_EQ(out.patches.values.size(), 21u * 30 * 12);
  EXPECT_EQ(out.patches.positions.size(), 21u * 30 * 2);
  EXPECT_EQ(out.num_soft_tokens, 70u);
}

TEST(ImagePatches, EveryPixelHasItsPlace) {
  const Patches patches = preprocess_image(image(), kSmall).patches;
  for (std::size_t y = 0; y < kSize.height; ++y) {
    for (std::size_t x = 0; x < kSize.width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t p = y / kPatch * patches.columns + x / kPatch;
        const std::size_t place = (y % kPatch * kPatch + x % kPatch) * 3 + c;
        ASSERT_EQ(patches.values[p * patches.width + place], pixel(y, x, c));
        ASSERT_EQ(patches.positions[2 * p], static_cast<std::int32_t>(x / kPatch));
        ASSERT_EQ(patches.positions[2 * p + 1], static_cast<std::int32_t>(y / kPatch));
      }
    }
  }
}

// 12B: the same pixels in patches of a soft token's size.
TEST(ImagePatches, MergedPatchesAreSoftTokens) {
  PatchOptions options = kSmall;
  options.merged = true;
  const PreprocessedImage out = preprocess_image(image(), options);
  const Patches& patches = out.patches;
  EXPECT_EQ(patches.rows, 7u);
  EXPECT_EQ(patches.columns, 10u);
  EXPECT_EQ(patches.width, 108u);
  EXPECT_EQ(out.num_soft_tokens, patches.count());
  const std::size_t p = 3 * patches.columns + 4;  // row 3, column 4
  EXPECT_EQ(patches.positions[2 * p], 4);
  EXPECT_EQ(patches.positions[2 * p + 1], 3);
  constexpr std::size_t kPlace = 95;  // (5 * 6 + 1) * 3 + 2: row 5, column 1, blue
  EXPECT_EQ(patches.values[p * 108 + kPlace], pixel(23, 25, 2));
}

TEST(ImagePatches, RealSizes) {
  const PreprocessedImage out = preprocess_image(test_image("ramp", 0, {48, 64}), {});
  EXPECT_EQ(out.target, (ImageSize{672, 912}));
  EXPECT_EQ(out.patches.columns, 57u);
  EXPECT_EQ(out.patches.rows, 42u);
  EXPECT_EQ(out.patches.width, 768u);
  EXPECT_EQ(out.num_soft_tokens, 266u);
  const PreprocessedImage merged =
      preprocess_image(test_image("ramp", 0, {48, 64}), {.merged = true});
  EXPECT_EQ(merged.patches.width, 6912u);
  EXPECT_EQ(merged.patches.count(), 266u);
}

Image all_bytes() {
  Image image{kSize, {}};
  for (std::size_t i = 0; i < kSize.height * kSize.width * 3; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(i));
  }
  return image;
}

TEST(ImagePatches, RescalingIsRoundedOnce) {
  const Patches patches = preprocess_image(all_bytes(), kSmall).patches;
  std::vector<bool> seen(256);
  for (const float v : patches.values) {
    const auto byte = std::lround(v * 255.0f);
    seen[static_cast<std::size_t>(byte)] = true;
    ASSERT_EQ(v, static_cast<float>(static_cast<double>(byte) / 255.0));
    ASSERT_EQ(v, static_cast<float>(static_cast<double>(byte) *
                                    (1 / 255.0)));  // as transformers' Pillow path does
  }
  EXPECT_THAT(seen, testing::Each(true));
}

// DIV-M15: the product with fp32 1/255, as transformers' torch path has it, is one ulp away.
TEST(ImagePatches, RescalingByAProductDiffersInHalfOfTheBytes) {
  int differ = 0;
  for (int byte = 0; byte < 256; ++byte) {
    differ += static_cast<float>(byte) / 255.0f != static_cast<float>(byte) * (1 / 255.0f);
  }
  EXPECT_EQ(differ, 126);
}

TEST(ImagePatches, FloatKeepsWhatOvershoots) {
  PatchOptions options = kSmall;
  options.profile.image_resample = ImageResample::kFloat;
  const PreprocessedImage out = preprocess_image(test_image("board", 0, {14, 20}), options);
  EXPECT_TRUE(out.resized.rgb.empty());
  EXPECT_LT(*std::min_element(out.patches.values.begin(), out.patches.values.end()), -0.1f);
  EXPECT_GT(*std::max_element(out.patches.values.begin(), out.patches.values.end()), 1.1f);
}

TEST(ImagePatches, FloatClampedIsFloatWithoutWhatOvershoots) {
  PatchOptions options = kSmall;
  options.profile.image_resample = ImageResample::kFloat;
  const Image board = test_image("board", 0, {14, 20});
  auto clamped = preprocess_image(board, options).patches.values;
  std::ranges::for_each(clamped, [](float& value) { value = std::clamp(value, 0.0f, 1.0f); });
  options.profile.image_resample = ImageResample::kFloatClamped;
  EXPECT_EQ(preprocess_image(board, options).patches.values, clamped);
}

TEST(ImagePatches, FloatEqualsBytesWhereNothingIsResized) {
  PatchOptions options = kSmall;
  options.profile.image_resample = ImageResample::kFloat;
  EXPECT_EQ(preprocess_image(all_bytes(), options).patches.values,
            preprocess_image(all_bytes(), kSmall).patches.values);
}

TEST(ImagePatches, RefusesOtherBudgetsAndEmptyImages) {
  const auto message = [](const Image& image, std::size_t budget) -> std::string {
    try {
      preprocess_image(image, {.budget = budget});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message(image(), 256),
            "image: budget: got 256 soft tokens, expected 70, 140, 280, 560 or 1120");
  EXPECT_EQ(message({{0, 0}, {}}, 280), "image: size: got 0 x 0, expected at least one pixel");
  EXPECT_EQ(message({{4, 4}, std::vector<std::uint8_t>(16)}, 280),
            "resize: got 16 bytes, expected 4 x 4 x 3");
}

// The mistakes of spec multimodal 10.1, by their names. -------------------------------------------

// The first patch of an image whose pixel (y, x) has channels 100 y + 10 x + 1, 2, 3.
std::vector<int> first_patch() {
  Image image{kSize, {}};
  for (std::size_t i = 0; i < kSize.height * kSize.width * 3; ++i) {
    const std::size_t y = i / 3 / kSize.width, x = i / 3 % kSize.width;
    const std::size_t value = y < kPatch && x < kPatch ? 100 * y + 10 * x + 1 + i % 3 : 0;
    image.rgb.push_back(static_cast<std::uint8_t>(value));
  }
  const Patches patches = preprocess_image(image, kSmall).patches;
  std::vector<int> bytes;
  for (std::size_t i = 0; i < patches.width; ++i) {
    bytes.push_back(static_cast<int>(std::lround(patches.values[i] * 255.0f)));
  }
  return bytes;
}

TEST(image_patches, I13_I14_I15_order_inside_a_patch) {
  EXPECT_THAT(first_patch(), ElementsAre(1, 2, 3, 11, 12, 13, 101, 102, 103, 111, 112, 113));
}

TEST(image_patches, I16_divided_by_256) {
  const Image white{kSize, std::vector<std::uint8_t>(kSize.height * kSize.width * 3, 255)};
  EXPECT_THAT(preprocess_image(white, kSmall).patches.values, testing::Each(1.0f));
}

TEST(image_patches, I18_positions_are_x_then_y) {
  const Patches patches = preprocess_image(image(), kSmall).patches;
  const std::vector<std::int32_t> second(&patches.positions[2], &patches.positions[4]);
  EXPECT_THAT(second, ElementsAre(1, 0));
  const std::size_t next_row = 2 * patches.columns;
  EXPECT_EQ(patches.positions[next_row], 0);
  EXPECT_EQ(patches.positions[next_row + 1], 1);
}

TEST(image_patches, I20_as_many_soft_tokens_as_the_budget) {
  EXPECT_EQ(preprocess_image(test_image("ramp", 0, {48, 64}), {}).num_soft_tokens, 266u);
}

}  // namespace
}  // namespace assay
