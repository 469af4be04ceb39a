// SPDX-License-Identifier: Apache-2.0
// The mistakes V43 ... V54 are in reference/model/vision_mistakes_test.cc.
#include "reference/blocks/vision_pooler.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

// Patch p of a grid of `columns` x `rows` holds (p, 1, 0, 0): four channels, sqrt(D) = 2.
struct Grid {
  Tensor<T, D> h;
  IntTensor<T, A> positions;
};

Grid numbered(std::size_t columns, std::size_t rows) {
  Grid grid{make_tensor<T, D>({columns * rows, 4}), IntTensor<T, A>({columns * rows, 2}, 0)};
  for (std::size_t p = 0; p < columns * rows; ++p) {
    grid.h(p, 0) = static_cast<Real>(p);
    grid.h(p, 1) = 1;
    grid.positions(p, 0) = static_cast<std::int32_t>(p % columns);
    grid.positions(p, 1) = static_cast<std::int32_t>(p / columns);
  }
  return grid;
}

TEST(VisionPooler, CellsInRasterOrder) {
  TapRecorder taps;
  const Grid grid = numbered(6, 4);
  const auto y =
      vision_pooler(grid.h, grid.positions, 6, 2, std::nullopt, TapScope(taps, "vision."));
  const auto& pool = taps.at("vision.pool");
  EXPECT_EQ(pool.shape, std::vector<std::size_t>({6, 4}));
  // 0, 1, 6, 7 / 2, 3, 8, 9 / 4, 5, 10, 11 / 12, 13, 18, 19 ...
  const std::vector<double> means = {3.5, 5.5, 7.5, 15.5, 17.5, 19.5};
  for (std::size_t cell = 0; cell < 6; ++cell) {
    EXPECT_EQ(pool.row(cell), std::vector<double>({means[cell], 1, 0, 0})) << cell;
    EXPECT_EQ(y(cell, 0), static_cast<Real>(2 * means[cell]));
    EXPECT_EQ(y(cell, 1), 2);
  }
}

TEST(VisionPooler, AKernelOfOneOnlyScales) {
  Taps silent;
  const Grid grid = numbered(3, 2);
  const auto y = vision_pooler(grid.h, grid.positions, 3, 1, std::nullopt, TapScope(silent, ""));
  EXPECT_EQ(values_of(y), values_of(Tensor<R, D>(grid.h * Real(2))));
}

TEST(VisionPooler, StandardizesAfterTheScale) {
  Taps silent;
  const Grid grid = numbered(2, 2);
  const StandardizeWeights w{tensor_of<D>({4}, {1, 2, 3, 4}), tensor_of<D>({4}, {10, 10, 10, 0.5})};
  const auto y = vision_pooler(grid.h, grid.positions, 2, 2, w, TapScope(silent, ""));
  EXPECT_EQ(values_of(y), std::vector<double>({20, 0, -30, -2}));
}

TEST(VisionPooler, RefusesStatisticsOfAnotherWidth) {
  Taps silent;
  const Grid grid = numbered(2, 2);
  const StandardizeWeights w{make_tensor<D>({4}), make_tensor<D>({3})};
  EXPECT_EQ(error_of([&] { vision_pooler(grid.h, grid.positions, 2, 2, w, TapScope(silent, "")); }),
            "vision_pooler: std_scale: got shape [3], expected [4]");
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
