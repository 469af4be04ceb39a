// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "reference/family/base/error.h"
#include "reference/family/preprocess/bicubic.h"
#include "reference/family/preprocess/target_size.h"

namespace assay {
namespace {

constexpr std::size_t kChannels = 3;
constexpr int kPillowBits = 22;

// bicubic_taps in fixed point.
struct IntegerTaps {
  std::size_t first = 0;
  std::vector<std::int64_t> weights;
};

struct IntegerAxis {
  int fraction_bits = kPillowBits;
  std::vector<IntegerTaps> taps;
};

// Fractional bits with which the largest weight still fits 16 bits.
int int16_bits(const std::vector<BicubicTaps>& exact) {
  double largest = 0;
  for (const BicubicTaps& taps : exact) {
    largest = std::max(largest, *std::max_element(taps.weights.begin(), taps.weights.end()));
  }
  int bits = 0;
  while (bits < kPillowBits && std::floor(0.5 + largest * (1 << (bits + 1))) < (1 << 15)) {
    ++bits;
  }
  return bits;
}

IntegerAxis integer_axis(std::size_t n_in, std::size_t n_out, ByteWeights kind) {
  const auto all = bicubic_taps(n_in, n_out);
  IntegerAxis axis;
  axis.fraction_bits = kind == ByteWeights::kInt16 ? int16_bits(all) : kPillowBits;
  for (const BicubicTaps& exact : all) {
    IntegerTaps taps{exact.first, {}};
    for (const double weight : exact.weights) {
      const double scaled = weight * (1 << axis.fraction_bits);
      taps.weights.push_back(static_cast<std::int64_t>(scaled + (weight < 0 ? -0.5 : 0.5)));
    }
    axis.taps.push_back(std::move(taps));
  }
  return axis;
}

// The pixels under the taps lie `stride` apart. Shifting right is floor division, also below zero.
std::uint8_t weighted_byte(const std::uint8_t* in, std::size_t stride, const IntegerTaps& taps,
                           int fraction_bits) {
  std::int64_t sum = std::int64_t{1} << (fraction_bits - 1);
  for (std::size_t j = 0; j < taps.weights.size(); ++j) {
    sum += taps.weights[j] * in[(taps.first + j) * stride];
  }
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> fraction_bits, 0, 255));
}

double weighted_value(const double* in, std::size_t stride, const BicubicTaps& taps) {
  double sum = 0;
  for (std::size_t j = 0; j < taps.weights.size(); ++j) {
    sum += taps.weights[j] * in[(taps.first + j) * stride];
  }
  return sum;
}

void check_arguments(const Image& image, ImageSize target) {
  const auto [height, width] = image.size;
  if (height == 0 || width == 0 || target.height == 0 || target.width == 0) {
    throw Error("resize: got " + size_string(image.size) + " to " + size_string(target) +
                ", expected at least one pixel in both");
  }
  if (image.rgb.size() / width / height != kChannels || image.rgb.size() % (width * height) != 0) {
    throw Error("resize: got " + std::to_string(image.rgb.size()) + " bytes, expected " +
                size_string(image.size) + " x 3");
  }
}

}  // namespace

Image resize_bytes(const Image& image, ImageSize target, ByteWeights weights) {
  check_arguments(image, target);
  const auto [height, width] = image.size;

  std::vector<std::uint8_t> wide(height * target.width * kChannels);  // [h, tw, 3]
  const auto across = integer_axis(width, target.width, weights);
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* row = &image.rgb[y * width * kChannels];
    for (std::size_t x = 0; x < target.width; ++x) {
      for (std::size_t c = 0; c < kChannels; ++c) {
        wide[(y * target.width + x) * kChannels + c] =
            weighted_byte(row + c, kChannels, across.taps[x], across.fraction_bits);
      }
    }
  }

  Image resized{target, std::vector<std::uint8_t>(target.height * target.width * kChannels)};
  const std::size_t stride = target.width * kChannels;
  const auto down = integer_axis(height, target.height, weights);
  for (std::size_t y = 0; y < target.height; ++y) {
    for (std::size_t i = 0; i < stride; ++i) {
      resized.rgb[y * stride + i] =
          weighted_byte(&wide[i], stride, down.taps[y], down.fraction_bits);
    }
  }
  return resized;
}

std::vector<double> resize_float(const Image& image, ImageSize target) {
  check_arguments(image, target);
  const auto [height, width] = image.size;

  std::vector<double> wide(height * target.width * kChannels);  // [h, tw, 3]
  const auto across = bicubic_taps(width, target.width);
  std::vector<double> row(width * kChannels);
  for (std::size_t y = 0; y < height; ++y) {
    std::copy_n(&image.rgb[y * row.size()], row.size(), row.begin());
    for (std::size_t x = 0; x < target.width; ++x) {
      for (std::size_t c = 0; c < kChannels; ++c) {
        wide[(y * target.width + x) * kChannels + c] =
            weighted_value(&row[c], kChannels, across[x]);
      }
    }
  }

  std::vector<double> resized(target.height * target.width * kChannels);
  const std::size_t stride = target.width * kChannels;
  const auto down = bicubic_taps(height, target.height);
  for (std::size_t y = 0; y < target.height; ++y) {
    for (std::size_t i = 0; i < stride; ++i) {
      resized[y * stride + i] = weighted_value(&wide[i], stride, down[y]);
    }
  }
  return resized;
}

}  // namespace assay
