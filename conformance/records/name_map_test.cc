// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/name_map.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "conformance/testing/file_maker.h"
#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

using testing::error_of;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The same cases that assay_dump_test.py reads: one format, two programs.
TEST(NameMap, reads_what_the_hooks_read) {
  const std::string path = source_dir() + "/scripts/ports/maps/cases.json";
  const Json cases = parse_json(text_of(path), path);
  for (const Json& entry : cases.array()) {
    const std::string& what = entry["what"].string();
    const std::string& text = entry["text"].string();
    if (entry.contains("error")) {
      EXPECT_EQ(error_of([&] { NameMap::parse(text, "m.csv"); }), entry["error"].string()) << what;
      continue;
    }
    const NameMap map = NameMap::parse(text, "m.csv");
    for (const auto& [name, tap] : entry["names"].object()) {
      const auto found = map.tap_of(name);
      EXPECT_EQ(found.value_or("none"), tap.is_null() ? "none" : tap.string())
          << what << ": " << name;
    }
  }
}

TEST(NameMap, fills_in_the_numbers) {
  const NameMap map = NameMap::parse("mtp.step.{s}.layer.{j}.out,draft{s}_l_out-{j}\n", "map");
  EXPECT_EQ(map.size(), 1u);
  EXPECT_EQ(map.tap_of("draft1_l_out-3"), "mtp.step.1.layer.3.out");
  EXPECT_FALSE(map.tap_of("draft1_l_out-"));
  EXPECT_FALSE(map.tap_of(""));
}

// The maps of the folder are maps of dumps, too: of arrays that bear their module's names.
TEST(NameMap, reads_the_maps_of_hooks) {
  const auto map = NameMap::read(source_dir() + "/scripts/ports/maps/hf_text.csv");
  EXPECT_EQ(map.tap_of("model.layers.4.self_attn.o_proj"), "text.layer.4.attn.o_proj");
  EXPECT_EQ(map.tap_of("model.layers.4"), "text.layer.4.out");
  EXPECT_FALSE(map.tap_of("model.layers.4.per_layer_input_gate.x"));
}

TEST(NameMap, says_which_line_is_wrong) {
  EXPECT_EQ(error_of([] { NameMap::parse("text.layer.{i}.out,l_out\n", "m.csv"); }),
            "m.csv: line 1: got {i} in one column, expected it in both or in neither");
  EXPECT_EQ(error_of([] { NameMap::read("/nowhere/m.csv"); }),
            "m.csv: file: got none or one too large, expected a CSV below 1 MiB");
  EXPECT_EQ(error_of([] { NameMap::parse("text.layer.{i}.in,layers.{i},in,\n", "m.csv"); }),
            "m.csv: map: got rows for hooks alone, expected some that name an array");
}

}  // namespace
}  // namespace assay::conformance
