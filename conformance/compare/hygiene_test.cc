// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/hygiene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "conformance/compare/partial_rows.h"
#include "conformance/compare/same_arrays.h"
#include "conformance/compare/stored_bits.h"
#include "reference/family/base/number_formats.h"
#include "reference/family/testing/test_directory.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t kRows = 5;
constexpr std::size_t kWidth = 12;

// Values that differ from tap to tap and from row to row.
Tap real_tap(const std::string& name, double seed) {
  Tap tap{name, {kRows, kWidth}, {}, false};
  for (std::size_t i = 0; i < kRows * kWidth; ++i) {
    tap.values.push_back(2 * std::sin(seed + 1.7 * static_cast<double>(i)));
  }
  return tap;
}

TapSet set_of(const std::vector<Tap>& taps) {
  TapSet set;
  for (const Tap& tap : taps) {
    set.add(tap);
  }
  return set;
}

Tap rows(const Tap& tap, std::size_t first, std::size_t count) {
  Tap part = tap;
  part.shape = {count, kWidth};
  part.values.assign(tap.values.begin() + static_cast<std::ptrdiff_t>(first * kWidth),
                     tap.values.begin() + static_cast<std::ptrdiff_t>((first + count) * kWidth));
  return part;
}

TEST(PartialRows, TheLastRowIsPutWhereItBelongs) {
  const Tap truth = real_tap("text.logits", 1);
  for (const std::vector<std::size_t>& shape :
       {std::vector<std::size_t>{1, kWidth}, {kWidth}, {1, 1, kWidth}}) {
    Tap got = rows(truth, kRows - 1, 1);
    got.shape = shape;
    const auto placed = placed_rows(truth, got);
    ASSERT_TRUE(placed);
    EXPECT_EQ(placed->shape, truth.shape);
    EXPECT_THAT(placed->absent, ElementsAre(1, 1, 1, 1, 0));
    EXPECT_EQ(placed->values.back(), truth.values.back());
    EXPECT_TRUE(std::isnan(placed->values.front()));
    EXPECT_EQ(describe_rows(*placed), "holds the last of 5 rows and is judged by it");
  }
}

TEST(PartialRows, SeveralRowsGoToTheEndThatTheyAreNear) {
  const Tap truth = real_tap("text.layer.0.out", 1);
  const auto last = placed_rows(truth, rows(truth, 2, 3));
  ASSERT_TRUE(last);
  EXPECT_THAT(last->absent, ElementsAre(1, 1, 0, 0, 0));
  const auto first = placed_rows(truth, rows(truth, 0, 2));
  ASSERT_TRUE(first);
  EXPECT_EQ(describe_rows(*first), "holds the first 2 of 5 rows and is judged by them");
  EXPECT_FALSE(placed_rows(truth, rows(truth, 1, 2)));  // from the middle: nobody says whose
}

// A single row that is wrong is the last one, and is judged as wrong by its values.
TEST(PartialRows, AWrongRowIsTheLast) {
  const Tap truth = real_tap("text.logits", 1);
  const auto placed = placed_rows(truth, rows(real_tap("text.logits", 8), 4, 1));
  ASSERT_TRUE(placed);
  EXPECT_THAT(placed->absent, ElementsAre(1, 1, 1, 1, 0));
}

TEST(PartialRows, OtherShapesStayAsTheyAre) {
  const Tap truth = real_tap("text.logits", 1);
  EXPECT_FALSE(placed_rows(truth, truth));
  Tap odd = rows(truth, 0, 1);
  odd.values.pop_back();
  odd.shape = {kWidth - 1};
  EXPECT_FALSE(placed_rows(truth, odd));
  Tap longer = real_tap("text.logits", 8);  // more rows, and none of the truth's
  longer.values.resize(truth.values.size() + kWidth);
  longer.shape = {kRows + 1, kWidth};
  EXPECT_FALSE(placed_rows(truth, longer));
  Tap angles{"mtp.step.0.logits", {4, 3}, std::vector<double>(12, 1), false};
  EXPECT_FALSE(placed_rows(angles, {"mtp.step.0.logits", {3}, {1, 1, 1}, false}));  // no token rows
  Tap none = truth;
  none.shape = {0, kWidth};
  none.values.clear();
  EXPECT_FALSE(placed_rows(truth, none));
}

TEST(PartialRows, PaddingIsCutOffAtTheEndWhereItIs) {
  const Tap truth = real_tap("text.logits", 1);
  for (const RowEnd end : {RowEnd::kFirst, RowEnd::kLast}) {
    Tap padded = truth;
    const auto at = end == RowEnd::kFirst ? padded.values.end() : padded.values.begin();
    padded.values.insert(at, 2 * kWidth, 0.5);
    padded.shape = {kRows + 2, kWidth};
    EXPECT_EQ(end_of_rows(truth, padded), end);
    const auto placed = placed_rows(truth, padded);
    ASSERT_TRUE(placed);
    EXPECT_EQ(placed->values, truth.values);
    EXPECT_THAT(placed->absent, IsEmpty());
    EXPECT_THAT(describe_padding(truth, padded, end),
                HasSubstr(end == RowEnd::kFirst ? "holds 7 rows, of which the first 5"
                                                : "holds 7 rows, of which the last 5"));
  }
}

Tap bits_of(Tap tap, std::uint16_t (*narrow)(float), bool with_sign = false) {
  for (double& value : tap.values) {
    const std::uint16_t bits = narrow(static_cast<float>(value));
    value = with_sign ? static_cast<double>(static_cast<std::int16_t>(bits)) : bits;
  }
  tap.integer = true;
  tap.stored = with_sign ? "I16" : "U16";
  return tap;
}

TEST(StoredBits, AreReadAsTheFormatThatGivesTheTruth) {
  const TapSet truth = set_of({real_tap("text.layer.0.out", 1), real_tap("text.layer.1.out", 2)});
  for (const bool with_sign : {false, true}) {
    for (const auto& [name, narrow] :
         {std::pair{"bf16", &bf16_from_float}, {"f16", &f16_from_float}}) {
      TapSet dump;
      for (const Tap& tap : truth) {
        dump.add(bits_of(tap, narrow, with_sign));
      }
      const WidenedBits widened = widen_stored_bits(truth, dump, "mine");
      EXPECT_EQ(widened.format, name);
      EXPECT_THAT(widened.taps, ElementsAre("text.layer.0.out", "text.layer.1.out"));
      const Tap& tap = dump.at("text.layer.0.out");
      EXPECT_FALSE(tap.integer);
      EXPECT_NEAR(tap.values[3], truth.at("text.layer.0.out").values[3], 0.01);
    }
  }
}

// A tap that is wrong is read as the file's others are, so that its error can be judged.
TEST(StoredBits, OneFormatHoldsForTheWholeFile) {
  const TapSet truth = set_of({real_tap("text.layer.0.out", 1), real_tap("text.layer.1.out", 2)});
  TapSet dump = set_of({bits_of(real_tap("text.layer.0.out", 1), bf16_from_float),
                        bits_of(real_tap("text.layer.1.out", 9), bf16_from_float)});
  EXPECT_THAT(widen_stored_bits(truth, dump, "mine").taps.size(), 2u);
  EXPECT_NEAR(dump.at("text.layer.1.out").values[0], 2 * std::sin(9), 0.01);
}

TEST(StoredBits, IntegersThatAreNeitherAreRefused) {
  const TapSet truth = set_of({real_tap("text.layer.0.out", 1)});
  Tap grid = real_tap("text.layer.0.out", 1);
  for (double& value : grid.values) {
    value = std::round(60 * value);
  }
  grid.integer = true;
  grid.stored = "I16";
  TapSet dump = set_of({grid});
  EXPECT_THAT(error_of([&] { widen_stored_bits(truth, dump, "mine.safetensors"); }),
              HasSubstr("mine.safetensors: text.layer.0.out: got integers (I16), expected "
                        "floating-point numbers; 16-bit floats are stored under their own type"));
  // Integers where integers belong are nobody's bits.
  TapSet ids = set_of({{"text.ids", {2}, {1, 2}, true, "I16", {}}});
  EXPECT_THAT(widen_stored_bits(truth, ids, "mine").taps, IsEmpty());
}

TEST(SameArrays, AreFoundWhereTheTruthDiffers) {
  const Tap a = real_tap("text.layer.0.out", 1);
  Tap in = real_tap("text.layer.1.in", 1);  // what one layer gives the next one takes
  const Tap b = real_tap("text.layer.1.out", 2);
  const Tap c = real_tap("text.layer.2.out", 3);
  const TapSet truth = set_of({a, in, b, c});
  EXPECT_THAT(same_arrays(truth, truth), IsEmpty());
  TapSet dump = truth;
  dump.find("text.layer.1.out")->values = a.values;
  EXPECT_THAT(same_arrays(truth, dump),
              ElementsAre(ElementsAre("text.layer.0.out", "text.layer.1.in", "text.layer.1.out")));
  dump.find("text.layer.1.out")->values[5] += 1e-9;  // near is not the same
  EXPECT_THAT(same_arrays(truth, dump), IsEmpty());
}

TEST(SameArrays, AreAFailureThatNoClassExcuses) {
  CaseResult result;
  result.mode = Mode::kChained;
  for (const auto& [name, error] :
       {std::pair{"text.layer.0.out", 0.3}, {"text.layer.1.out", 0.1}}) {
    TapResult tap;
    tap.tap = name;
    tap.rel_l2 = error;
    tap.verdict = Verdict::kWarning;  // informative in 16 bits
    result.taps.push_back(tap);
  }
  judge_same_arrays({{"text.layer.0.out", "text.layer.1.out"}}, result);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_THAT(result.introduced_by, ElementsAre("text.layer.0.out"));
  EXPECT_EQ(result.taps[0].code, "ALIASED");
  EXPECT_THAT(result.taps[0].note, HasSubstr("the same array, bit for bit, as text.layer.1.out"));
  EXPECT_EQ(result.taps[1].verdict, Verdict::kWarning);
}

Hygiene with_ignored(std::size_t ignored, std::size_t arrays, bool mapped = false) {
  Hygiene hygiene;
  hygiene.arrays = arrays;
  hygiene.mapped = mapped;
  for (std::size_t i = 0; i < ignored; ++i) {
    hygiene.ignored.push_back({"my." + std::to_string(i), i == 0 ? "text.embed" : ""});
  }
  return hygiene;
}

Verdict verdict_with(const Hygiene& hygiene, Verdict before = Verdict::kPass) {
  CaseResult result;
  result.verdict = before;
  add_hygiene(hygiene, result);
  return result.verdict;
}

TEST(Hygiene, NamesThatAreNoTapReachTheVerdict) {
  EXPECT_EQ(verdict_with(with_ignored(0, 8)), Verdict::kPass);
  EXPECT_EQ(verdict_with(with_ignored(1, 8)), Verdict::kWarning);
  EXPECT_EQ(verdict_with(with_ignored(4, 8)), Verdict::kWarning);
  EXPECT_EQ(verdict_with(with_ignored(5, 8)), Verdict::kNotTested);
  EXPECT_EQ(verdict_with(with_ignored(7, 8, true)), Verdict::kWarning);  // a map has chosen
  EXPECT_EQ(verdict_with(with_ignored(7, 8), Verdict::kFail), Verdict::kFail);
  EXPECT_EQ(
      describe_ignored(with_ignored(3, 4)),
      "3 of 4 arrays of the dump bear no tap's name: my.0 (did you mean text.embed?), my.1, …");
}

// Rows for taps that the golden has not are for other sizes, and no note.
TEST(Hygiene, RowsOfAMapThatFindNoArray) {
  const std::vector<Tap> taps = {real_tap("text.layer.0.out", 1), real_tap("text.layer.1.out", 2),
                                 real_tap("text.norm", 3), real_tap("text.logits", 4)};
  Golden golden;
  golden.truth = set_of(taps);
  const auto map = NameMap::parse(
      "text.layer.{i}.out,out_{i}\ntext.layer.{i}.moe.out,moe_{i}\n\ntext.norm,norm\n"
      "text.logits,logits\n",
      "m.csv");
  Dump dump;
  dump.taps = set_of({taps[0], taps[3]});
  Hygiene hygiene = clean(golden, &map, dump);
  EXPECT_EQ(hygiene.rows, 3u);
  ASSERT_EQ(hygiene.notes.size(), 1u);
  EXPECT_THAT(hygiene.notes[0].taps, ElementsAre("text.norm"));
  EXPECT_EQ(hygiene.notes[0].text, "no array of the dump bears the map's name: line 4");
  CaseResult result;
  add_hygiene(hygiene, result);
  EXPECT_EQ(result.message, "");

  dump.taps = set_of({taps[2]});
  hygiene = clean(golden, &map, dump);
  add_hygiene(hygiene, result);
  EXPECT_EQ(result.message, "warning: 2 of 3 rows of the map find no array: out_{i}, logits");
  EXPECT_EQ(result.verdict, Verdict::kPass);
  dump.taps = set_of(taps);
  EXPECT_THAT(clean(golden, &map, dump).notes, IsEmpty());
}

}  // namespace
}  // namespace assay::conformance
