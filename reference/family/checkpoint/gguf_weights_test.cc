// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_gguf_model.h"

namespace assay {
namespace {

using testing::ElementsAre;

// A file with one tensor "x", whose elements are `values`.
Container file_of(const std::vector<std::uint64_t>& shape, const std::vector<float>& values) {
  const TestDirectory directory;  // the file stays mapped
  GgufModel model;
  model.tensors = {{"x", {shape, values}}};
  return Container::open(directory.write("x.gguf", model.file()));
}

std::vector<float> counted(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

template <class Real>
std::vector<Real> read(const WeightSource& weight, std::size_t first, std::size_t count) {
  std::vector<Real> values(count);
  weight.read(first, count, values.data());
  return values;
}

// Two rows of 2 x 2 pixels: [row, channel, y, x] in the file, [row, y, x, channel] here.
TEST(GgufWeights, ChannelsOfAPatchComeLast) {
  for (const auto& shape : {std::vector<std::uint64_t>{2, 3, 2, 2}, {2, 12}}) {
    const Container file = file_of(shape, counted(24));
    const auto weight = gguf_weight(file, *file.find("x"), GgufLayout::kPatches, {2, 12});
    EXPECT_THAT(read<float>(*weight, 0, 12), ElementsAre(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11));
    EXPECT_THAT(read<double>(*weight, 10, 4), ElementsAre(7, 11, 12, 16));  // across the rows
  }
}

TEST(GgufWeights, PositionsComeBeforeAxes) {
  const Container file = file_of({2, 3, 2}, counted(12));
  const auto weight = gguf_weight(file, *file.find("x"), GgufLayout::kAxes, {3, 2, 2});
  EXPECT_THAT(read<float>(*weight, 0, 12), ElementsAre(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11));
  EXPECT_THAT(read<float>(*weight, 3, 2), ElementsAre(7, 2));
}

// Whoever applies softplus to it once more gets what the file has.
TEST(GgufWeights, SoftplusIsUndone) {
  const Container file = file_of({4}, {0.6931471805599453F, 1e-6F, 40, 1});
  const auto weight = gguf_weight(file, *file.find("x"), GgufLayout::kSoftplus, {4});
  const auto values = read<double>(*weight, 0, 4);
  EXPECT_NEAR(values[0], 0, 1e-7);
  EXPECT_EQ(values[2], 40);
  const auto stored = file.read("x");
  for (std::size_t i = 0; i < 4; ++i) {
    // e^x has the relative error of x's last place, at most 16 u for these.
    EXPECT_NEAR(std::log1p(std::exp(values[i])), stored[i], 2e-15 * stored[i]) << i;
  }
}

TEST(GgufWeights, AxesOfExtentOneMayBeMissing) {
  const Container file = file_of({4, 5}, counted(20));
  const auto weight = gguf_weight(file, *file.find("x"), GgufLayout::kSame, {4, 1, 5});
  EXPECT_THAT(weight->shape(), ElementsAre(4, 1, 5));
  EXPECT_THAT(read<float>(*weight, 19, 1), ElementsAre(19));
  // Another shape is left as it is.
  EXPECT_THAT(gguf_weight(file, *file.find("x"), GgufLayout::kSame, {5, 4})->shape(),
              ElementsAre(4, 5));
  EXPECT_THAT(gguf_weight(file, *file.find("x"), GgufLayout::kAxes, {2, 2, 5})->shape(),
              ElementsAre(4, 5));
}

TEST(GgufWeights, AFactorForEachExpert) {
  const Container weights = file_of({2, 2, 2}, counted(8));
  const Container factors = file_of({2}, {10, 100});
  const auto scaled = times_factor(stored_weight(weights, *weights.find("x")),
                                   stored_weight(factors, *factors.find("x")));
  EXPECT_THAT(read<float>(*scaled, 2, 4), ElementsAre(20, 30, 400, 500));
}

}  // namespace
}  // namespace assay
