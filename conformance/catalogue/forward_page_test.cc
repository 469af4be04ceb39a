// SPDX-License-Identifier: Apache-2.0
// Section 2 of docs/spec/text.md has the real taps of a text model, each once and in the order in
// which they are computed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "conformance/catalogue/catalogue.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

using Names = std::vector<std::string>;

std::string section_2() {
  std::ifstream file(source_dir() + "/docs/spec/text.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::size_t first = page.find("\n## 2 ");
  return page.substr(first, page.find("\n## 3 ") - first);
}

// The names in the first column of the tables whose taps begin with `prefix`.
Names on_page(const std::string& prefix) {
  Names names;
  std::istringstream lines(section_2());
  bool ours = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| tap, below")) {
      ours = line.starts_with("| tap, below `" + prefix + "` |");
    } else if (ours && line.starts_with("| `")) {
      const std::string cell = line.substr(0, line.find('|', 1));
      const std::regex name("`([^`]+)`");
      for (std::sregex_iterator it(cell.begin(), cell.end(), name), end; it != end; ++it) {
        names.push_back(prefix + it->str(1));
      }
    }
  }
  return names;
}

bool is_in_the_catalogue_only(std::string_view tap) {
  return tap.find(".cache.") != tap.npos || tap.ends_with(".kv_source") || tap.ends_with("ids") ||
         tap == "text.ids_expanded" || tap == "text.mm_type" || tap == "text.positions";
}

// The catalogue's; what only experts have comes last.
Names wanted(const std::string& prefix) {
  Names names;
  Names experts;
  for (const TapEntry& tap : all_taps()) {
    const std::string name(tap.pattern);
    const bool of_layer = name.starts_with("text.layer.");
    if (!name.starts_with(prefix) || of_layer != prefix.starts_with("text.layer.") ||
        is_in_the_catalogue_only(name)) {
      continue;
    }
    (tap.presence == Presence::kMoe ? experts : names).push_back(name);
  }
  names.insert(names.end(), experts.begin(), experts.end());
  return names;
}

TEST(ForwardPage, has_the_taps_of_the_model_in_order) {
  EXPECT_EQ(on_page("text."), wanted("text."));
}

TEST(ForwardPage, has_the_taps_of_a_layer_in_order) {
  const Names names = on_page("text.layer.{i}.");
  EXPECT_EQ(names, wanted("text.layer.{i}."));
  EXPECT_THAT(names, testing::SizeIs(testing::Ge(40)));
}

}  // namespace
}  // namespace assay::conformance
