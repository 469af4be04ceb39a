// SPDX-License-Identifier: Apache-2.0
// The mistakes V1 ... V6 are in reference/model/vision_mistakes_test.cc.
#include "reference/blocks/vision_patch_embedder.h"

#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

PatchEmbedderWeights weights() {
  return {tensor_of<O, I>({2, 3}, {1, 0, 0, 0, 1, 1}),
          {tensor_of<R, D>({3, 2}, {10, 20, 30, 40, 50, 60}),
           tensor_of<R, D>({3, 2}, {100, 200, 300, 400, 500, 600})}};
}

IntTensor<T, A> positions() {
  IntTensor<T, A> places({2, 2}, -1);
  places(0, 0) = 2;
  places(0, 1) = 1;
  return places;
}

// A patch at column 2 and row 1, then a padding slot.
TEST(VisionPatchEmbedder, ByHand) {
  TapRecorder taps;
  const auto patches = tensor_of<T, I>({2, 3}, {1, 0.5, 0.25, 0, 0, 0});
  const auto h = vision_patch_embedder(weights(), patches, positions(), TapScope(taps, "vision."));
  EXPECT_EQ(taps.at("vision.pixels_pm1").values, std::vector<double>({1, 0, -0.5, -1, -1, -1}));
  EXPECT_EQ(taps.at("vision.patch_proj").values, std::vector<double>({1, -0.5, -1, -2}));
  EXPECT_EQ(taps.at("vision.pos_embed").row(0), std::vector<double>({350, 460}));
  EXPECT_EQ(values_of(h), std::vector<double>({351, 459.5, -1, -2}));
  EXPECT_EQ(taps.at("vision.patch_embed").values, values_of(h));
}

// V5: -1 clamped to 0 would give padding the position of the first patch.
TEST(vision_patch_embedder, position_on_padding) {
  const auto place = position_embedding(weights().position_embedding_table, positions());
  EXPECT_EQ(place(1, 0), 0);
  EXPECT_EQ(place(1, 1), 0);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
