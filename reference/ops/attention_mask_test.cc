// SPDX-License-Identifier: Apache-2.0
// The table of spec text, Appendix A (local masks, W = 4), is read in printed_values_test.cc.
// Spec.
#include "reference/ops/attention_mask.h"

#include <functional>
#include <set>

#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr std::int32_t kWindow = 4;

// 12 tokens; a block at 3 ... 8 (longer than the window) and one at 10, 11.
std::vector<TokenPlace> places() {
  std::vector<TokenPlace> all;
  for (std::int32_t t = 0; t < 12; ++t) {
    const std::int32_t block = t >= 3 && t <= 8 ? 0 : t >= 10 ? 1 : -1;
    all.push_back({static_cast<std::size_t>(t), t, true, block});
  }
  return all;
}

using Rule = std::function<bool(const TokenPlace& q, const TokenPlace& s)>;

bool same_block(const TokenPlace& q, const TokenPlace& s) {
  return q.block >= 0 && q.block == s.block;
}

std::vector<double> mask_of(const Rule& rule) {
  std::vector<double> mask;
  for (const TokenPlace& q : places()) {
    for (const TokenPlace& s : places()) {
      mask.push_back(rule(q, s) ? 1 : 0);
    }
  }
  return mask;
}

// R-25 with R-26, written once more.
bool right(const TokenPlace& q, const TokenPlace& s) {
  return (s.position <= q.position || same_block(q, s)) && s.position > q.position - kWindow &&
         s.position < q.position + kWindow;
}

void expect_mask_avoids(const Rule& wrong) {
  EXPECT_NE(mask_of(right), mask_of(wrong)) << "the case does not show the mistake";
  EXPECT_EQ(values_of(sliding_mask(places(), places(), kWindow)), mask_of(right));
}

TEST(FullMask, SeesThePastAndItself) {
  const auto past = [](const TokenPlace& q, const TokenPlace& s) {
    return s.position <= q.position;
  };
  EXPECT_EQ(values_of(full_mask(places(), places())), mask_of(past));
}

// M-72: blocks open the sliding layers only; the mask above has none of theirs.
TEST(mask, block_on_full_layers) {
  const auto opened = [](const TokenPlace& q, const TokenPlace& s) {
    return s.position <= q.position || same_block(q, s);
  };
  EXPECT_NE(values_of(full_mask(places(), places())), mask_of(opened));
}

// M-68
TEST(mask, window_on_full_layers) {
  EXPECT_EQ(full_mask(places(), places())(11, 0), 1);
}

// A window of W holds the query itself and W - 1 before it (M-65, M-66).
TEST(mask, window_off_by_one) {
  for (const std::int32_t window : {kWindow - 1, kWindow + 1}) {
    expect_mask_avoids([window](const TokenPlace& q, const TokenPlace& s) {
      const std::int32_t distance = q.position - s.position;
      return (distance >= 0 || same_block(q, s)) && -window < distance && distance < window;
    });
  }
  const auto mask = sliding_mask(places(), places(), kWindow);
  EXPECT_EQ(mask(9, 6), 1);
  EXPECT_EQ(mask(9, 5), 0);
}

// M-69
TEST(mask, query_cannot_see_itself) {
  expect_mask_avoids([](const TokenPlace& q, const TokenPlace& s) {
    return right(q, s) && q.position != s.position;
  });
}

// M-71
TEST(mask, block_ignored) {
  expect_mask_avoids([](const TokenPlace& q, const TokenPlace& s) {
    return right(q, s) && s.position <= q.position;
  });
}

// M-73: the clamp comes last, R-26.
TEST(mask, block_or_after_clamp) {
  expect_mask_avoids([](const TokenPlace& q, const TokenPlace& s) {
    const std::int32_t distance = q.position - s.position;
    return (0 <= distance && distance < kWindow) || same_block(q, s);
  });
}

// M-74
TEST(mask, left_clamp_only) {
  expect_mask_avoids([](const TokenPlace& q, const TokenPlace& s) {
    return (s.position <= q.position || same_block(q, s)) && s.position > q.position - kWindow;
  });
}

// M-78: two blocks are two, though only one token lies between them.
TEST(mask, blocks_fused) {
  expect_mask_avoids([](const TokenPlace& q, const TokenPlace& s) {
    const bool fused = q.block >= 0 && s.block >= 0;
    const std::int32_t distance = q.position - s.position;
    return (distance >= 0 || fused) && -kWindow < distance && distance < kWindow;
  });
}

using Mask = std::vector<double>;

Mask sliding(VisionMask blocks) {
  return values_of(sliding_mask(places(), places(), kWindow, blocks));
}

// DIV-M17 and DIV-M39: what the other programs do, each by its own formula, none of them REF.
TEST(VisionMask, EachSwitchIsItsFormula) {
  const auto past_clamped = mask_of([](const TokenPlace& q, const TokenPlace& s) {
    return (s.position <= q.position || same_block(q, s)) && s.position > q.position - kWindow;
  });
  const auto unclamped = mask_of([](const TokenPlace& q, const TokenPlace& s) {
    const std::int32_t distance = q.position - s.position;
    return (0 <= distance && distance < kWindow) || same_block(q, s);
  });
  EXPECT_EQ(sliding(VisionMask::kSlidingClamped), mask_of(right));
  EXPECT_EQ(sliding(VisionMask::kSlidingPastClamped), past_clamped);
  EXPECT_EQ(sliding(VisionMask::kSlidingUnclamped), unclamped);
  EXPECT_EQ(sliding(VisionMask::kAllLayers), unclamped);
  EXPECT_EQ(sliding(VisionMask::kAllLayersClamped), mask_of(right));
  EXPECT_EQ((std::set<Mask>{mask_of(right), past_clamped, unclamped}.size()), 3u);
}

TEST(VisionMask, TwoSwitchesOpenFullLayers) {
  const auto causal =
      mask_of([](const TokenPlace& q, const TokenPlace& s) { return s.position <= q.position; });
  const auto opened = mask_of([](const TokenPlace& q, const TokenPlace& s) {
    return s.position <= q.position || same_block(q, s);
  });
  for (const auto blocks : {VisionMask::kSlidingClamped, VisionMask::kSlidingPastClamped,
                            VisionMask::kSlidingUnclamped}) {
    EXPECT_EQ(values_of(full_mask(places(), places(), blocks)), causal);
  }
  for (const auto blocks : {VisionMask::kAllLayers, VisionMask::kAllLayersClamped}) {
    EXPECT_EQ(values_of(full_mask(places(), places(), blocks)), opened);
  }
}

// Blocks shorter than the window: the sliding layers of all five agree.
TEST(VisionMask, ShortBlocksShowNoSwitch) {
  const std::vector<TokenPlace> short_block = {
      {0, 0, true, -1}, {1, 1, true, 0}, {2, 2, true, 0}, {3, 3, true, 0}, {4, 4, true, -1}};
  const auto of = [&](VisionMask blocks) {
    return values_of(sliding_mask(short_block, short_block, kWindow, blocks));
  };
  const auto ours = of(VisionMask::kSlidingClamped);
  EXPECT_EQ(of(VisionMask::kSlidingPastClamped), ours);
  EXPECT_EQ(of(VisionMask::kSlidingUnclamped), ours);
  EXPECT_EQ(of(VisionMask::kAllLayers), ours);
  EXPECT_EQ(of(VisionMask::kAllLayersClamped), ours);
}

TEST(VisionMask, PaddingStaysHidden) {
  const std::vector<TokenPlace> padded = {{0, 0, false, 0}, {1, 0, true, 0}};
  EXPECT_EQ(values_of(full_mask(padded, padded, VisionMask::kAllLayers)), Mask({0, 0, 0, 1}));
  EXPECT_EQ(values_of(sliding_mask(padded, padded, kWindow, VisionMask::kSlidingUnclamped)),
            Mask({0, 0, 0, 1}));
}

// Tokens outside any block share no block.
TEST(mask, text_as_one_block) {
  expect_mask_avoids([](const TokenPlace& q, const TokenPlace& s) {
    const std::int32_t distance = q.position - s.position;
    return (distance >= 0 || q.block == s.block) && -kWindow < distance && distance < kWindow;
  });
}

// M-93: R-11's positions of two padding tokens are 0; neither is seen, nor sees.
TEST(mask, padding_visible) {
  std::vector<TokenPlace> padded = {
      {0, 0, false, -1}, {1, 0, false, -1}, {2, 0, true, -1}, {3, 1, true, -1}};
  for (const auto& mask : {full_mask(padded, padded), sliding_mask(padded, padded, kWindow)}) {
    EXPECT_EQ(values_of(mask),
              std::vector<double>({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1}));
  }
}

// Keys of a cache start anywhere; positions decide, not indices (M-54).
TEST(mask, position_is_not_the_index) {
  const std::vector<TokenPlace> query = {{2, 100, true, -1}};
  const std::vector<TokenPlace> keys = {{0, 96, true, -1}, {1, 97, true, -1}, {2, 100, true, -1}};
  EXPECT_EQ(values_of(sliding_mask(query, keys, kWindow)), std::vector<double>({0, 1, 1}));
  EXPECT_EQ(values_of(full_mask(query, keys)), std::vector<double>({1, 1, 1}));
}

TEST(SlidingMask, AWindowOfOneSeesItself) {
  const std::vector<TokenPlace> two = {{0, 0, true, -1}, {1, 1, true, -1}};
  EXPECT_EQ(values_of(sliding_mask(two, two, 1)), std::vector<double>({1, 0, 0, 1}));
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
