// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/paragraphs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/catalogue/embedded.h"
#include "conformance/catalogue/tap_table.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Paragraphs, are_parted_by_blank_lines) {
  const Paragraphs file("# head\n\na: 1\nb: two words\n\n\na: 3\n", "f");
  ASSERT_EQ(file.all().size(), 2u);
  EXPECT_EQ(file.all()[0].kind(), "a");
  EXPECT_EQ(file.all()[0].at("b"), "two words");
  EXPECT_EQ(file.all()[1].get("b", "-"), "-");
}

TEST(Paragraphs, a_value_goes_on_over_lines_and_comments) {
  const Paragraphs file("a: one: #2\n  three\n# no end\n four   five\nb: 6", "f");
  EXPECT_EQ(file.all()[0].at("a"), "one: #2 three four   five");
  EXPECT_EQ(file.all()[0].at("b"), "6");
}

TEST(Paragraphs, words) {
  EXPECT_THAT(words_of(" a  b c"), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(words_of("").empty());
}

template <class Act>
std::string error_of(const Act& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string error_in(const std::string& text) {
  return error_of([&] { Paragraphs(text, "f.txt"); });
}

TEST(Paragraphs, errors_name_file_and_line) {
  EXPECT_EQ(error_in("a: 1\nwhat\n"), "f.txt:2: line: got 'what', expected key: value");
  EXPECT_EQ(error_in("\n  goes on\n"),
            "f.txt:2: line: got '  goes on', expected a key before what goes on");
  const Paragraphs file("a: 1\nb: 2\nb: 3\n", "f.txt");
  const Paragraph& first = file.all()[0];
  EXPECT_EQ(error_of([&] { first.at("c"); }), "f.txt:1: a '1': got no c, expected one");
  EXPECT_EQ(error_of([&] { first.expect_keys({"a"}); }),
            "f.txt:2: key: got 'b', expected one of a");
  EXPECT_EQ(error_of([&] {
              first.expect_keys({"a", "b"});
            }),
            "f.txt:3: key: got 'b' a second time, expected it once");
  EXPECT_EQ(error_of([&] { first.fail("b", "3"); }), "f.txt:2: b: got '2', expected 3");
}

constexpr const char* kSection = "section: s\nstage: text\npart: layers\n\n";  // 4 lines
constexpr const char* kRow = "tap: a.{i}.x\nshape: [T]\nrole: real\nformula: x\n";

std::string table_error(const std::string& text) {
  return error_of([&] { TapTable(text, "taps.txt"); });
}

// A paragraph of kRow with one line more, or another in its place.
std::string with(const std::string& key, const std::string& value) {
  std::string row = kRow;
  const std::size_t at = row.find(key + ": ");
  const std::size_t end = at == std::string::npos ? row.size() : row.find('\n', at) + 1;
  row.replace(std::min(at, row.size()), end - std::min(at, row.size()), key + ": " + value + "\n");
  return kSection + row;
}

TEST(TapTable, a_row_has_defaults) {
  const TapTable table(std::string(kSection) + kRow, "taps.txt");
  const TapEntry& entry = table.entries().front();
  EXPECT_EQ(entry.hf, "-");
  EXPECT_FALSE(entry.mandatory || entry.discrete);
  EXPECT_EQ(entry.presence, Presence::kAlways);
  EXPECT_EQ(entry.part, Part::kLayers);
  EXPECT_TRUE(table.index("a.{}.x"));
}

TEST(TapTable, errors_name_file_and_line) {
  EXPECT_THAT(table_error(kRow), HasSubstr("taps.txt:1: tap: got 'a.{i}.x', expected a section"));
  EXPECT_THAT(table_error(with("role", "guess")), HasSubstr("taps.txt:7: role: got 'guess'"));
  EXPECT_THAT(table_error(with("shape", "T")), HasSubstr("taps.txt:6: shape: got 'T'"));
  EXPECT_THAT(table_error(with("when", "never")), HasSubstr("taps.txt:9: when: got 'never'"));
  EXPECT_THAT(table_error(with("mandatory", "no")), HasSubstr("taps.txt:9: mandatory: got 'no'"));
  EXPECT_THAT(table_error(with("until", "x")), HasSubstr("taps.txt:9: until: got 'x'"));
  EXPECT_THAT(table_error(with("role", "product with input y")),
              HasSubstr("taps.txt:7: role: got 'product with input y', expected a tap beside"));
  EXPECT_THAT(table_error(with("role", "choice from x\nuntil: z")),
              HasSubstr("taps.txt:8: until: got 'z'"));
  EXPECT_THAT(table_error(kSection + std::string(kRow) + "\n" + kRow),
              HasSubstr("taps.txt:10: tap: got 'a.{i}.x', expected a pattern that no row before"));
  EXPECT_THAT(table_error("section: s\nstage: never\npart: layers\n"),
              HasSubstr("taps.txt:2: stage: got 'never'"));
}

TEST(TapTable, a_section_copies_the_rows_that_every_layer_has) {
  const TapTable table(with("when", "moe") + "\n" +
                           "tap: a.{i}.y\nshape: [T]\nrole: product with input y\nformula: y\n\n"
                           "section: d\nstage: draft\npart: layers\nlike: a.{i}.\nnamed: b.{j}.\n",
                       "taps.txt");
  ASSERT_EQ(table.entries().size(), 3u);
  EXPECT_EQ(table.entries()[2].pattern, "b.{j}.y");
  EXPECT_EQ(table.entries()[2].stage, Stage::kDraft);
  EXPECT_EQ(table.entries()[2].role.input, "y");
  EXPECT_THAT(table_error("section: d\nstage: draft\npart: layers\nlike: a.{i}.\nnamed: b.\n"),
              HasSubstr("taps.txt:4: like: got 'a.{i}.'"));
}

TEST(Embedded, are_the_files_of_data) {
  EXPECT_NO_THROW(TapTable(embedded::taps, "conformance/catalogue/data/taps.txt"));
  EXPECT_GE(all_taps().size(), 219u);
  EXPECT_EQ(all_rules().size(), 213u);
  EXPECT_EQ(all_mistakes().size(), 374u);
  EXPECT_EQ(all_divergences().size(), 49u);
}

}  // namespace
}  // namespace assay::conformance
