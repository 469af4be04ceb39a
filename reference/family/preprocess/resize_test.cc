// SPDX-License-Identifier: Apache-2.0
// RI-4, RI-5, and golden/tables/resize.json: what Pillow and torch make of 236 images.
#include "reference/family/preprocess/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "reference/family/base/error.h"
#include "reference/family/base/json_object.h"
#include "reference/family/preprocess/bicubic.h"
#include "reference/family/preprocess/target_size.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_signals.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<int> row_of(const Image& image, std::size_t y, std::size_t channel) {
  std::vector<int> row;
  for (std::size_t x = 0; x < image.size.width; ++x) {
    row.push_back(image.rgb[(y * image.size.width + x) * 3 + channel]);
  }
  return row;
}

TEST(Resize, PrintedValuesOfPillowEnlarging) {
  const Image y = resize_bytes(test_image("ramp", 0, {3, 4}), {5, 6});
  EXPECT_THAT(row_of(y, 0, 0), ElementsAre(0, 11, 39, 64, 92, 109));
  EXPECT_THAT(row_of(y, 1, 0), ElementsAre(17, 33, 61, 86, 114, 131));
  EXPECT_THAT(row_of(y, 2, 0), ElementsAre(57, 74, 102, 127, 155, 172));
  EXPECT_THAT(row_of(y, 3, 0), ElementsAre(98, 115, 143, 168, 196, 213));
  EXPECT_THAT(row_of(y, 4, 0), ElementsAre(120, 137, 165, 190, 218, 235));
  EXPECT_THAT(row_of(y, 3, 1), ElementsAre(181, 208, 206, 105, 103, 130));
  EXPECT_THAT(row_of(y, 4, 1), ElementsAre(203, 237, 215, 31, 10, 43));
  EXPECT_THAT(row_of(y, 0, 2), ElementsAre(158, 186, 228, 255, 131, 1));
  EXPECT_THAT(row_of(y, 2, 2), ElementsAre(239, 120, 0, 34, 65, 82));
}

TEST(Resize, PrintedValuesOfPillowShrinking) {
  const Image y = resize_bytes(test_image("ramp", 0, {8, 10}), {3, 4});
  EXPECT_THAT(row_of(y, 0, 0), ElementsAre(96, 151, 117, 105));
  EXPECT_THAT(row_of(y, 1, 0), ElementsAre(142, 117, 134, 143));
  EXPECT_THAT(row_of(y, 2, 0), ElementsAre(130, 148, 98, 138));
  EXPECT_THAT(row_of(y, 0, 1), ElementsAre(152, 140, 104, 155));
  EXPECT_THAT(row_of(y, 1, 1), ElementsAre(101, 140, 134, 105));
  EXPECT_THAT(row_of(y, 2, 1), ElementsAre(163, 115, 139, 130));
  EXPECT_THAT(row_of(y, 0, 2), ElementsAre(115, 108, 158, 117));
  EXPECT_THAT(row_of(y, 1, 2), ElementsAre(136, 119, 115, 144));
  EXPECT_THAT(row_of(y, 2, 2), ElementsAre(100, 130, 152, 103));
}

TEST(Resize, EqualsPillowAndTorchByteForByte) {
  const Json table =
      parse_json_file(source_dir() + "/golden/tables/resize.json", "resize.json", 1 << 20);
  ASSERT_GE(table.at("cases").size(), 200u);
  for (const Json& row : table.at("cases")) {
    const auto size_of = [&](const char* key) {
      const auto pair = row.at(key).get<std::vector<std::size_t>>();
      return ImageSize{pair.at(0), pair.at(1)};
    };
    const ImageSize size = size_of("size");
    const ImageSize target = size_of("target");
    const Image source =
        test_image(row.at("picture").string(), row.at("seed").get<std::uint32_t>(), size);
    const std::uint32_t expected =
        static_cast<std::uint32_t>(std::stoul(row.at("crc32").get<std::string>(), nullptr, 16));
    EXPECT_EQ(crc32(resize_bytes(source, target).rgb), expected) << row;
    const std::string torch = row.at("torch").string();
    EXPECT_EQ(crc32(resize_bytes(source, target, ByteWeights::kInt16).rgb),
              static_cast<std::uint32_t>(std::stoul(torch, nullptr, 16)))
        << row;
  }
}

TEST(Resize, TheSameSizeIsTheSameImage) {
  const Image source = test_image("binary", 3, {31, 47});
  EXPECT_EQ(resize_bytes(source, source.size).rgb, source.rgb);
  const std::vector<double> exact(source.rgb.begin(), source.rgb.end());
  EXPECT_EQ(resize_float(source, source.size), exact);
}

TEST(Resize, AnEvenImageStaysEven) {
  const Image source{{5, 9}, std::vector<std::uint8_t>(135, 200)};
  for (const std::uint8_t byte : resize_bytes(source, {48, 3}).rgb) {
    ASSERT_EQ(byte, 200);
  }
}

// jax.image.resize of jax 0.12.0.1 in fp64: 2 x 3 pixels of the ramp, channel 0, times 255.
TEST(Resize, FloatEqualsJax) {
  const double expected[] = {-5.814414768264, 16.712434148983, 49.52440795628,   72.051256873527,
                             27.567164179104, 50.094013096352, 82.905986903648,  105.432835820896,
                             60.948743126473, 83.47559204372,  116.287565851017, 138.814414768264};
  const auto y = resize_float(test_image("ramp", 0, {2, 3}), {3, 4});
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_NEAR(y[3 * i], expected[i], 1e-11) << i;
  }
}

TEST(Resize, FloatOvershoots) {
  const auto y = resize_float(test_image("board", 0, {16, 16}), {48, 48});
  EXPECT_LT(*std::min_element(y.begin(), y.end()), -50);
  EXPECT_GT(*std::max_element(y.begin(), y.end()), 255 + 50);
}

// How far the exact sums of a board of 0 and 255 leave the bytes depends on the size of its
// squares.
TEST(Resize, FloatOvershootsBySizeOfSquares) {
  struct Range {
    std::size_t side;
    double low, high;
  };
  for (const Range& range : {Range{1, -32.02, 287.02}, {2, -70.86, 325.86}, {8, -39.64, 294.64}}) {
    Image board{{60, 80}, {}};
    for (std::size_t i = 0; i < 60 * 80; ++i) {
      const bool white = (i / 80 / range.side + i % 80 / range.side) % 2 != 0;
      board.rgb.insert(board.rgb.end(), 3, white ? 255 : 0);
    }
    const auto y = resize_float(board, {84, 114});
    EXPECT_NEAR(*std::min_element(y.begin(), y.end()), range.low, 0.01) << range.side;
    EXPECT_NEAR(*std::max_element(y.begin(), y.end()), range.high, 0.01) << range.side;
  }
}

// Every weight table sums to 1 before rounding, and one window never leaves the image.
TEST(Bicubic, WeightsSumToOneInsideTheImage) {
  for (const auto& [n_in, n_out] : {std::pair{1, 48}, {2, 7}, {640, 912}, {640, 432}, {999, 1}}) {
    const auto length = static_cast<std::size_t>(n_in);
    for (const BicubicTaps& taps : bicubic_taps(length, static_cast<std::size_t>(n_out))) {
      double sum = 0;
      for (const double weight : taps.weights) {
        sum += weight;
      }
      EXPECT_NEAR(sum, 1, 1e-14);
      EXPECT_LE(taps.first + taps.weights.size(), length);
    }
  }
}

TEST(Bicubic, KernelByHand) {
  EXPECT_EQ(keys_kernel(0), 1);
  EXPECT_EQ(keys_kernel(0.5), 0.5625);
  EXPECT_EQ(keys_kernel(-0.5), 0.5625);
  EXPECT_EQ(keys_kernel(1), 0);
  EXPECT_EQ(keys_kernel(1.5), -0.0625);
  EXPECT_EQ(keys_kernel(2), 0);
}

TEST(Resize, RefusesSizesOfZeroAndMissingBytes) {
  const auto message = [](const Image& image, ImageSize target) -> std::string {
    try {
      resize_bytes(image, target);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message({{0, 4}, {}}, {5, 6}),
            "resize: got 0 x 4 to 5 x 6, expected at least one pixel in both");
  EXPECT_THAT(message(test_image("ramp", 0, {3, 4}), {5, 0}), HasSubstr("3 x 4 to 5 x 0"));
  EXPECT_EQ(message({{3, 4}, std::vector<std::uint8_t>(35)}, {5, 6}),
            "resize: got 35 bytes, expected 3 x 4 x 3");
  EXPECT_THROW(resize_float({{3, 4}, std::vector<std::uint8_t>(37)}, {5, 6}), Error);
  const std::size_t huge = std::size_t{1} << 63;
  EXPECT_THROW(resize_float({{huge, huge}, {}}, {5, 6}), Error);
}

// The mistakes of spec multimodal 10.1, by their names. -------------------------------------------

// A resampler with every choice open; as it stands it is REF.
struct Choices {
  std::function<double(double)> kernel = keys_kernel;
  double support = 2;
  bool widen = true;
  double shift = 0.5;  // of a pixel's centre
  bool bytes_between = true;
  bool columns_first = false;
};

double rounded(double value) {
  return std::clamp(std::floor(value + 0.5), 0.0, 255.0);
}

// One pass over `lines` lines; pixel j of line i lies at i * line_stride + j * pixel_stride.
struct Pass {
  std::size_t n_in, n_out, lines, in_line, in_pixel, out_line, out_pixel;
};

std::vector<double> run_pass(const std::vector<double>& in, const Pass& p, const Choices& how) {
  std::vector<double> out(p.lines * p.n_out);
  const double scale = static_cast<double>(p.n_in) / static_cast<double>(p.n_out);
  const double spread = how.widen ? std::max(scale, 1.0) : 1.0;
  for (std::size_t i = 0; i < p.n_out; ++i) {
    const double centre = (static_cast<double>(i) + how.shift) * scale - how.shift;
    std::vector<double> weights(p.n_in);
    double sum = 0;
    for (std::size_t j = 0; j < p.n_in; ++j) {
      const double t = (static_cast<double>(j) - centre) / spread;
      weights[j] = std::abs(t) < how.support ? how.kernel(t) : 0;
      sum += weights[j];
    }
    for (std::size_t line = 0; line < p.lines; ++line) {
      double value = 0;
      for (std::size_t j = 0; j < p.n_in; ++j) {
        value += weights[j] / sum * in[line * p.in_line + j * p.in_pixel];
      }
      out[line * p.out_line + i * p.out_pixel] = value;
    }
  }
  return out;
}

// One channel, in doubles.
std::vector<double> resized(const Image& image, ImageSize target, const Choices& how) {
  std::vector<double> v;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    v.push_back(image.rgb[i]);
  }
  const auto [h, w] = image.size;
  const auto [th, tw] = target;
  const auto finish = [](std::vector<double> values) {
    std::transform(values.begin(), values.end(), values.begin(), rounded);
    return values;
  };
  const auto between = [&](const std::vector<double>& x) {
    return how.bytes_between ? finish(x) : x;
  };
  if (how.columns_first) {
    v = between(run_pass(v, {h, th, w, 1, w, 1, w}, how));
    return finish(run_pass(v, {w, tw, th, w, 1, tw, 1}, how));
  }
  v = between(run_pass(v, {w, tw, h, w, 1, tw, 1}, how));
  return finish(run_pass(v, {h, th, tw, 1, tw, 1, tw}, how));
}

// Largest distance from REF, in steps of a byte.
double distance(const Image& image, ImageSize target, const Choices& how) {
  const Image ours = resize_bytes(image, target);
  const auto theirs = resized(image, target, how);
  double most = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    most = std::max(most, std::abs(ours.rgb[3 * i] - theirs[i]));
  }
  return most;
}

const Image& pattern() {
  static const Image image = test_image("binary", 7, {60, 80});
  return image;
}

constexpr ImageSize kLarger{84, 114};
constexpr ImageSize kSmaller{42, 54};

// Rounding weights to 22 bits moves a byte by one at most.
TEST(resize, REF_is_what_the_choices_begin_with) {
  EXPECT_LE(distance(pattern(), kLarger, {}), 1);
  EXPECT_LE(distance(pattern(), kSmaller, {}), 1);
}

TEST(resize, I4_letterbox) {
  const Image white{{48, 64}, std::vector<std::uint8_t>(9216, 255)};
  for (const std::uint8_t byte : resize_bytes(white, {672, 912}).rgb) {
    ASSERT_EQ(byte, 255);
  }
}

TEST(resize, I8_bilinear) {
  Choices how;
  how.kernel = [](double t) { return 1 - std::abs(t); };
  how.support = 1;
  EXPECT_GT(distance(pattern(), kLarger, how), 20);
  EXPECT_GT(distance(pattern(), kSmaller, how), 20);
}

TEST(resize, I8_lanczos) {
  Choices how;
  how.support = 3;
  how.kernel = [](double t) {
    const double x = std::numbers::pi * t;
    return t == 0 ? 1 : 3 * std::sin(x) * std::sin(x / 3) / (x * x);
  };
  EXPECT_GT(distance(pattern(), kLarger, how), 10);
  EXPECT_GT(distance(pattern(), kSmaller, how), 5);
}

TEST(resize, I8_bicubic_of_opencv) {
  Choices how;
  how.kernel = [](double t) {
    const double x = std::abs(t), a = -0.75;
    return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * a;
  };
  EXPECT_GT(distance(pattern(), kLarger, how), 15);
  EXPECT_GT(distance(pattern(), kSmaller, how), 15);
}

TEST(resize, I9_not_widened_when_shrinking) {
  EXPECT_LE(distance(pattern(), kLarger, {.widen = false}), 1);
  EXPECT_GT(distance(pattern(), kSmaller, {.widen = false}), 30);
}

TEST(resize, I10_no_clamp_between_the_passes) {
  EXPECT_GE(distance(pattern(), kLarger, {.bytes_between = false}), 10);
  EXPECT_GE(distance(pattern(), kSmaller, {.bytes_between = false}), 5);
}

TEST(resize, I11_columns_first) {
  EXPECT_GE(distance(pattern(), kLarger, {.columns_first = true}), 10);
  EXPECT_GE(distance(pattern(), kSmaller, {.columns_first = true}), 5);
}

TEST(resize, I12_no_half_pixel) {
  EXPECT_GT(distance(pattern(), kLarger, {.shift = 0}), 50);
  EXPECT_GT(distance(pattern(), kSmaller, {.shift = 0}), 50);
}

}  // namespace
}  // namespace assay
