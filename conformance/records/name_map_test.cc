// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/name_map.h"

#include <gtest/gtest.h>

#include "conformance/testing/file_maker.h"

namespace assay::conformance {
namespace {

using testing::error_of;

TEST(NameMap, fills_in_the_numbers) {
  const NameMap map = NameMap::parse(
      "# ours, theirs\n"
      "text.layer.{i}.attn.q_proj, Qcur-{i}\r\n"
      "\n"
      "mtp.step.{s}.layer.{j}.out,draft{s}_l_out-{j}\n"
      "text.logits,result_output\n",
      "map");
  EXPECT_EQ(map.size(), 3u);
  EXPECT_EQ(map.tap_of("Qcur-12"), "text.layer.12.attn.q_proj");
  EXPECT_EQ(map.tap_of("draft1_l_out-3"), "mtp.step.1.layer.3.out");
  EXPECT_EQ(map.tap_of("result_output"), "text.logits");
  EXPECT_FALSE(map.tap_of("Qcur-"));
  EXPECT_FALSE(map.tap_of("Qcur-1x"));
  EXPECT_FALSE(map.tap_of("result_outputs"));
  EXPECT_FALSE(map.tap_of(""));
}

TEST(NameMap, says_which_line_is_wrong) {
  EXPECT_EQ(error_of([] { NameMap::parse("a,b\nc\n", "m.csv"); }),
            "m.csv: line 2: got 1 columns, expected tap,name");
  EXPECT_EQ(error_of([] { NameMap::parse("a,b,c\n", "m.csv"); }),
            "m.csv: line 1: got 3 columns, expected tap,name");
  EXPECT_EQ(error_of([] { NameMap::parse("a,\n", "m.csv"); }),
            "m.csv: line 1: got an empty column, expected tap,name");
  EXPECT_EQ(error_of([] { NameMap::parse("text.layer.{i}.out,l_out\n", "m.csv"); }),
            "m.csv: line 1: got {i} in one column, expected it in both or in neither");
  EXPECT_EQ(error_of([] { NameMap::parse("# nothing\n", "m.csv"); }),
            "m.csv: map: got no rows, expected tap,name lines");
  EXPECT_EQ(error_of([] { NameMap::read("/nowhere/m.csv"); }),
            "m.csv: file: got none or one too large, expected a CSV below 1 MiB");
}

}  // namespace
}  // namespace assay::conformance
