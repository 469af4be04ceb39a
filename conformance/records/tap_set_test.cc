// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/tap_set.h"

#include <gtest/gtest.h>

#include "conformance/testing/file_maker.h"

namespace assay::conformance {
namespace {

using testing::error_of;

TEST(TapSet, keeps_the_order_and_finds_by_name) {
  TapSet taps;
  taps.add({"b", {2}, {1, 2}, false});
  taps.add({"a", {}, {3}, false});
  EXPECT_EQ(taps.begin()->name, "b");
  EXPECT_EQ(taps.at("a").values[0], 3);
  EXPECT_EQ(taps.find("c"), nullptr);
  EXPECT_EQ(error_of([&] { taps.at("c"); }), "c: got no such tap, expected one");
  EXPECT_EQ(error_of([&] {
              taps.add({"a", {}, {3}, false});
            }),
            "a: got this tap twice, expected it once");
  EXPECT_EQ(error_of([&] {
              taps.add({"d", {2, 2}, {3}, false});
            }),
            "d: got 1 values, expected 4 for shape [2, 2]");
}

TEST(TapSet, reshape_takes_batch_axes_and_flattened_heads) {
  const auto fits = [](std::vector<std::size_t> shape, const std::vector<std::size_t>& wanted) {
    Tap tap{"x", shape, std::vector<double>(element_count(shape)), false};
    return reshape_as(tap, wanted) && tap.shape == wanted;
  };
  EXPECT_TRUE(fits({1, 3, 8}, {3, 2, 4}));
  EXPECT_TRUE(fits({3, 2, 4}, {3, 8}));
  EXPECT_TRUE(fits({1, 1, 3}, {3}));
  EXPECT_TRUE(fits({8}, {1, 2, 4}));
  EXPECT_TRUE(fits({1}, {}));
  EXPECT_TRUE(fits({3, 1, 4}, {3, 4}));
  EXPECT_FALSE(fits({2, 3}, {3, 2}));
  EXPECT_FALSE(fits({3, 4, 2}, {3, 2, 4}));
  EXPECT_FALSE(fits({3, 8}, {3, 9}));
}

}  // namespace
}  // namespace assay::conformance
