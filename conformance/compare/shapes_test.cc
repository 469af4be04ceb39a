// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/shapes.h"

#include <gtest/gtest.h>

#include "conformance/compare/visible.h"

namespace assay::conformance {
namespace {

TEST(Shapes, BatchAxesAndMergedAxesAgree) {
  EXPECT_TRUE(shapes_agree({1, 5, 12}, {5, 3, 4}));
  EXPECT_TRUE(shapes_agree({5, 3, 4}, {5, 3, 4}));
  EXPECT_TRUE(shapes_agree({60}, {5, 3, 4}));
  EXPECT_TRUE(shapes_agree({5, 1, 8}, {5, 8}));
  EXPECT_TRUE(shapes_agree({}, {1}));
  EXPECT_TRUE(shapes_agree({1, 1, 3}, {3}));
  EXPECT_TRUE(shapes_agree({8}, {1, 2, 4}));
  EXPECT_FALSE(shapes_agree({3, 4, 2}, {3, 2, 4}));
  EXPECT_FALSE(shapes_agree({3, 8}, {3, 9}));
  EXPECT_FALSE(shapes_agree({3, 5, 4}, {5, 3, 4}));
  EXPECT_FALSE(shapes_agree({2, 6}, {3, 4}));
  EXPECT_FALSE(shapes_agree({5, 3}, {5, 3, 4}));
}

TEST(Shapes, PermutedAxesAreRecognised) {
  EXPECT_EQ(permutation_hint({1, 3, 5, 5}, {5, 3, 5}),
            "the axes look permuted: [1, 3, 5, 5] where [5, 3, 5] is expected");
  EXPECT_EQ(permutation_hint({5, 4}, {5, 3}), "");
}

TEST(Shapes, DiscreteByTheCatalogue) {
  EXPECT_TRUE(is_discrete({"text.layer.0.moe.topk_index", {}, {}, false}));
  EXPECT_TRUE(is_discrete({"text.mask.local", {}, {}, false}));
  EXPECT_FALSE(is_discrete({"text.logits", {}, {}, true}));
  EXPECT_TRUE(is_discrete({"something.else", {}, {}, true}));
}

TEST(Visible, FromProbabilitiesAndMasks) {
  const Tap probabilities{"text.layer.0.attn.probs", {1, 1, 3}, {0.5, 0, 0.5}, false};
  EXPECT_EQ(visible_from_probabilities(probabilities), (std::vector<char>{1, 0, 1}));
  const Tap local{"text.mask.local", {2, 2}, {1, 1, 0, 1}, true};
  const Tap global{"text.mask.global", {2, 2}, {1, 0, 1, 1}, true};
  using Masks = std::vector<const Tap*>;
  EXPECT_EQ(visible_from_masks(Masks{&local, &global}, {2, 1, 2}), (std::vector<char>{1, 0, 0, 1}));
  EXPECT_EQ(visible_from_masks(Masks{nullptr, &global}, {2, 2, 2}),
            (std::vector<char>{1, 0, 1, 0, 1, 1, 1, 1}));
  EXPECT_TRUE(visible_from_masks(Masks{nullptr, nullptr}, {2, 1, 2}).empty());
  EXPECT_TRUE(visible_from_masks(Masks{&local, nullptr}, {3, 1, 2}).empty());
}

}  // namespace
}  // namespace assay::conformance
