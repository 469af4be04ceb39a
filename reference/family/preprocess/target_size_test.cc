// SPDX-License-Identifier: Apache-2.0
// RI-2, RI-3, RI-6: the tables of spec multimodal 2.2 and 2.3. A size is written height, width.
#include "reference/family/preprocess/target_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "reference/family/base/error.h"

namespace assay {
namespace {

using testing::HasSubstr;

ImageSize target(ImageSize source, std::size_t budget) {
  return target_size(source, {.max_patches = 9 * budget});
}

std::size_t soft_tokens(ImageSize size) {
  return size.height / 48 * (size.width / 48);
}

struct TableRow {
  std::vector<ImageSize> sources;
  std::array<ImageSize, 5> targets;  // of 70, 140, 280, 560, 1120
  std::array<std::size_t, 5> soft_tokens;
};

const std::vector<TableRow>& worked_table() {
  static const std::vector<TableRow> rows = {
      {{{480, 640}},
       {{{336, 432}, {480, 624}, {672, 912}, {960, 1296}, {1344, 1824}}},
       {63, 130, 266, 540, 1064}},
      {{{1080, 1920}, {2160, 3840}},
       {{{288, 528}, {384, 720}, {576, 1056}, {816, 1488}, {1200, 2112}}},
       {66, 120, 264, 527, 1100}},
      {{{2000, 37}},
       {{{2928, 48}, {4128, 48}, {5904, 96}, {8304, 144}, {11808, 192}}},
       {61, 86, 246, 519, 984}},
      {{{37, 2000}},
       {{{48, 2928}, {48, 4128}, {96, 5904}, {144, 8304}, {192, 11808}}},
       {61, 86, 246, 519, 984}},
      {{{1, 1}, {16, 16}, {224, 224}, {512, 512}, {800, 800}},
       {{{384, 384}, {528, 528}, {768, 768}, {1104, 1104}, {1584, 1584}}},
       {64, 121, 256, 529, 1089}},
      {{{1, 2}, {640, 1280}},
       {{{240, 528}, {384, 768}, {528, 1104}, {768, 1584}, {1104, 2256}}},
       {55, 128, 253, 528, 1081}},
      {{{408, 612}},
       {{{288, 480}, {432, 672}, {624, 960}, {912, 1344}, {1296, 1920}}},
       {60, 126, 260, 532, 1080}},
      {{{672, 960}},
       {{{336, 480}, {432, 672}, {672, 960}, {912, 1344}, {1344, 1920}}},
       {70, 126, 280, 532, 1120}},
      {{{3, 900}},
       {{{48, 3360}, {48, 6720}, {48, 13440}, {48, 19632}, {48, 27792}}},
       {70, 140, 280, 409, 579}},
      {{{7, 100000}},
       {{{48, 3360}, {48, 6720}, {48, 13440}, {48, 26880}, {48, 53760}}},
       {70, 140, 280, 560, 1120}}};
  return rows;
}

TEST(TargetSize, WorkedTable) {
  for (const TableRow& row : worked_table()) {
    for (const ImageSize source : row.sources) {
      for (std::size_t i = 0; i < kSoftTokenBudgets.size(); ++i) {
        const ImageSize size = target(source, kSoftTokenBudgets[i]);
        EXPECT_EQ(size, row.targets[i]) << size_string(source) << " at " << kSoftTokenBudgets[i];
        EXPECT_EQ(soft_tokens(size), row.soft_tokens[i]) << size_string(source);
      }
    }
  }
}

TEST(TargetSize, TurnedImagesHaveTurnedTargets) {
  for (const TableRow& row : worked_table()) {
    for (const ImageSize source : row.sources) {
      for (std::size_t i = 0; i < kSoftTokenBudgets.size(); ++i) {
        const ImageSize turned{source.width, source.height};
        const ImageSize expected{row.targets[i].width, row.targets[i].height};
        EXPECT_EQ(target(turned, kSoftTokenBudgets[i]), expected) << size_string(turned);
      }
    }
  }
}

// Of google-deepmind/gemma's own tests: other patch sizes, kernels and budgets.
TEST(TargetSize, GooglesVectors) {
  struct Vector {
    PatchBudget budget;
    ImageSize source;
    ImageSize expected;
  };
  const Vector vectors[] = {
      {{16, 256, 1}, {256, 256}, {256, 256}},  {{16, 256, 1}, {512, 512}, {256, 256}},
      {{10, 200, 1}, {50, 10000}, {10, 2000}}, {{10, 200, 1}, {25, 10000}, {10, 2000}},
      {{10, 200, 1}, {25, 20000}, {10, 2000}}, {{16, 2304, 6}, {2785, 34}, {6144, 96}},
      {{4, 64, 2}, {50, 1000}, {8, 128}},      {{5, 100, 3}, {100, 100}, {45, 45}},
      {{5, 20, 3}, {5, 100}, {15, 30}},
  };
  for (const Vector& v : vectors) {
    EXPECT_EQ(target_size(v.source, v.budget), v.expected) << size_string(v.source);
  }
}

// The double product falls below an integer that exact arithmetic reaches.
TEST(TargetSize, RoundingTraps) {
  EXPECT_EQ(target({340, 476}, 140), (ImageSize{432, 624}));
  EXPECT_EQ(target({55, 154}, 280), (ImageSize{432, 1344}));
  EXPECT_EQ(target({22, 385}, 280), (ImageSize{192, 3312}));
  EXPECT_EQ(target({190, 133}, 280), (ImageSize{960, 672}));
  EXPECT_EQ(target({295, 826}, 280), (ImageSize{480, 1344}));
  EXPECT_EQ(target({70, 1156}, 70), (ImageSize{96, 1584}));
}

TEST(TargetSize, FillsTheBudgetWithoutExceedingIt) {
  for (std::size_t height = 1; height < 3000; height += 97) {
    for (std::size_t width = 1; width < 3000; width += 89) {
      for (const std::size_t budget : kSoftTokenBudgets) {
        const ImageSize size = target({height, width}, budget);
        EXPECT_EQ(size.height % 48 + size.width % 48, 0u);
        EXPECT_GE(soft_tokens(size), 1u);
        EXPECT_LE(soft_tokens(size), budget);
      }
    }
  }
}

std::string message_of(ImageSize source, const PatchBudget& budget) {
  try {
    target_size(source, budget);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(TargetSize, RefusesWhatHasNoTarget) {
  EXPECT_EQ(message_of({0, 640}, {}), "image: size: got 0 x 640, expected at least one pixel");
  EXPECT_EQ(message_of({480, 0}, {}), "image: size: got 480 x 0, expected at least one pixel");
  // sqrt(2304 / 17^2) * 17 is just below 48 in doubles.
  EXPECT_THAT(message_of({17, 17}, {16, 9, 3}), HasSubstr("whose target size is 0 x 0"));
  EXPECT_THAT(message_of({48, 48}, {16, 8, 3}), HasSubstr("enough for one soft token"));
  EXPECT_THAT(message_of({48, 48}, {0, 9, 3}), HasSubstr("got 0, expected positive"));
  EXPECT_THAT(message_of({48, 48}, {16, 9, 0}), HasSubstr("got 0, expected positive"));
}

// The mistakes of spec multimodal 10.1, by their names. -------------------------------------------

using Round = double (*)(double);

template <class Real>
ImageSize two_sided(ImageSize source, std::size_t budget, std::size_t unit, Round round) {
  const auto height = static_cast<Real>(source.height);
  const auto width = static_cast<Real>(source.width);
  const Real factor = std::sqrt(static_cast<Real>(2304 * budget) / (height * width));
  const auto side = [&](Real length) {
    const Real units = factor * length / static_cast<Real>(unit);
    return static_cast<std::size_t>(round(static_cast<double>(units))) * unit;
  };
  return {side(height), side(width)};
}

// Largest t with (48 t)^2 <= 2304 B h / w, in integers.
std::size_t exact_side(std::size_t side, std::size_t other, std::size_t budget) {
  auto t = static_cast<std::size_t>(
      std::sqrt(static_cast<double>(budget * side) / static_cast<double>(other)) + 2);
  while (t * t * other > budget * side) {
    --t;
  }
  return 48 * t;
}

TEST(target_size, I1_rounds_instead_of_cutting) {
  const ImageSize rounded = two_sided<double>({1080, 1920}, 280, 48, std::round);
  EXPECT_EQ(rounded, (ImageSize{624, 1056}));
  EXPECT_EQ(target({1080, 1920}, 280), (ImageSize{576, 1056}));
}

TEST(target_size, I2_fp32) {
  EXPECT_EQ(two_sided<float>({190, 133}, 280, 48, std::floor), (ImageSize{912, 672}));
  EXPECT_EQ(target({190, 133}, 280), (ImageSize{960, 672}));
  EXPECT_EQ(two_sided<float>({295, 826}, 280, 48, std::floor), (ImageSize{432, 1344}));
}

TEST(target_size, I2_exact_integers) {
  const std::size_t budgets[] = {280, 560, 1120};
  const std::size_t counts[] = {166, 210, 186};  // of the sizes up to 2199 x 2199
  for (std::size_t i = 0; i < 3; ++i) {
    std::size_t differ = 0;
    for (std::size_t h = 1; h < 2200; ++h) {
      for (std::size_t w = 1; w < 2200; ++w) {
        const ImageSize exact{exact_side(h, w, budgets[i]), exact_side(w, h, budgets[i])};
        const bool thin = exact.height == 0 || exact.width == 0;
        differ += !thin && target({h, w}, budgets[i]) != exact;
      }
    }
    EXPECT_EQ(differ, counts[i]) << budgets[i];
  }
}

TEST(target_size, I26_one_fixed_square) {
  const ImageSize wide = target({1080, 1920}, 280);
  EXPECT_EQ(wide, (ImageSize{576, 1056}));
}

TEST(target_size, I3_small_images_stay_small) {
  EXPECT_EQ(target({100, 100}, 280), (ImageSize{768, 768}));
}

TEST(target_size, I5_multiples_of_16) {
  EXPECT_EQ(two_sided<double>({480, 640}, 280, 16, std::floor), (ImageSize{688, 912}));
  EXPECT_EQ(target({480, 640}, 280), (ImageSize{672, 912}));
}

TEST(target_size, I6_sides_swapped_when_thin) {
  EXPECT_EQ(target({3, 900}, 280), (ImageSize{48, 13440}));
  EXPECT_EQ(target({900, 3}, 280), (ImageSize{13440, 48}));
}

TEST(target_size, I7_long_side_without_limit) {
  EXPECT_EQ(target({7, 100000}, 280).width, 48u * 280);
  EXPECT_GT(48u * (100000 / 7), 48u * 280);
}

}  // namespace
}  // namespace assay
