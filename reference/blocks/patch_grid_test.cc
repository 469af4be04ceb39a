// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/patch_grid.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

using Places = std::vector<std::array<std::int32_t, 2>>;

IntTensor<R, A> positions_of(const Places& places) {
  IntTensor<R, A> positions({places.size(), 2}, 0);
  for (std::size_t s = 0; s < places.size(); ++s) {
    positions(s, 0) = places[s][0];
    positions(s, 1) = places[s][1];
  }
  return positions;
}

std::string refusal(const Places& places, std::size_t kernel = 1) {
  return error_of([&] { check_pools(patch_grid(positions_of(places), 8), kernel); });
}

TEST(PatchGrid, KeepsOrderAndFindsPadding) {
  const auto grid = patch_grid(positions_of({{-1, -1}, {1, 0}, {0, 0}, {-1, -1}, {2, 0}}), 3);
  EXPECT_EQ(grid.real, std::vector<std::size_t>({1, 2, 4}));
  EXPECT_EQ(grid.padding, std::vector<std::size_t>({0, 3}));
  EXPECT_EQ(grid.columns, 3u);
  EXPECT_EQ(grid.rows, 1u);
}

TEST(PatchGrid, TakesRows) {
  const auto x = tensor_of<R, I>({3, 2}, {0, 1, 10, 11, 20, 21});
  EXPECT_EQ(values_of(take_rows(x, {2, 0})), std::vector<double>({20, 21, 0, 1}));
  EXPECT_EQ(take_rows(x, {}).shape()[1], 2u);
}

TEST(PatchGrid, RefusesPlacesOutsideTheTable) {
  EXPECT_EQ(refusal({{0, 0}, {0, 8}}),
            "image: slot 1: got position (0, 8), expected coordinates from 0 to 7, or (-1, -1)");
  EXPECT_EQ(refusal({{-2, 0}}),
            "image: slot 0: got position (-2, 0), expected coordinates from 0 to 7, or (-1, -1)");
  EXPECT_EQ(refusal({{0, 0}, {2147483647, 0}}),
            "image: slot 1: got position (2147483647, 0), expected coordinates from 0 to 7, or "
            "(-1, -1)");
}

TEST(PatchGrid, RefusesHalfAPadding) {
  EXPECT_EQ(refusal({{3, -1}}),
            "image: slot 0: got position (3, -1), expected coordinates from 0 to 7, or (-1, -1)");
}

TEST(PatchGrid, RefusesTwoPatchesAtOnePlace) {
  EXPECT_EQ(refusal({{0, 0}, {1, 0}, {0, 0}}),
            "image: slot 2: got position (0, 0), expected a position that no other patch has");
}

TEST(PatchGrid, RefusesAnImageWithoutPatches) {
  EXPECT_EQ(refusal({{-1, -1}, {-1, -1}}),
            "image: got 2 slots without a patch, expected at least one patch");
  EXPECT_EQ(refusal({}), "image: got 0 slots without a patch, expected at least one patch");
}

TEST(PatchGrid, RefusesMoreSlotsThanAnyBudgetMakes) {
  EXPECT_EQ(refusal(Places(16385, {-1, -1})), "image: got 16385 slots, expected at most 16384");
}

TEST(PatchGrid, RefusesHoles) {
  EXPECT_EQ(refusal({{0, 0}, {1, 0}, {1, 1}}),
            "image: got 3 patches in a grid of 2 x 2, expected 4");
}

TEST(PatchGrid, RefusesGridsThatPoolsDoNotTile) {
  EXPECT_EQ(refusal({{0, 0}, {1, 0}}, 2),
            "image: got a grid of 2 x 1 patches, expected both sides to be multiples of the "
            "pooling kernel 2");
  EXPECT_EQ(refusal({{0, 0}, {1, 0}, {0, 1}, {1, 1}}, 2), "no error");
}

TEST(PatchGrid, RefusesPositionsThatAreNoPairs) {
  EXPECT_EQ(error_of([] {
              patch_grid(IntTensor<R, A>({2, 3}, 0), 8);
            }),
            "image: positions: got shape [2, 3], expected [2, 2]");
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
