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

}  // namespace
}  // namespace assay::conformance
