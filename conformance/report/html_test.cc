// SPDX-License-Identifier: Apache-2.0
// report.html and report.md: what they say, and that nothing of a foreign file becomes markup.
#include "conformance/report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "conformance/report/charts.h"
#include "conformance/report/markdown.h"

namespace assay::conformance {
namespace {

using testing::HasSubstr;
using testing::Not;

TapResult tap_of(const std::string& name, double units, Verdict verdict = Verdict::kPass) {
  TapResult tap;
  tap.tap = name;
  tap.verdict = verdict;
  tap.floor = 1e-7;
  tap.budget = 4e-7;
  tap.rel_l2 = units * 1e-7;
  tap.in_bound_units = units;
  return tap;
}

CaseResult case_of(Verdict verdict) {
  CaseResult result;
  result.case_name = "text-long";
  result.checkpoint = "31b-tiny";
  result.impl = "dump";
  result.precision = "f32";
  result.mode = Mode::kReplay;
  result.verdict = verdict;
  result.taps = {tap_of("text.layer.0.attn.mix", 0.5), tap_of("text.layer.0.out", 1),
                 tap_of("text.layer.1.attn.mix", 4e5, Verdict::kFail),
                 tap_of("text.layer.1.out", 3)};
  result.taps[2].code = "TOL";
  result.taps[2].rows = 11;
  result.taps[2].wrong_rows = {4, 5, 6, 7, 8, 9, 10};
  result.taps[2].rows_note = "rows 4-10 of 11, from the window's width on";
  result.introduced_by = {"text.layer.1.attn.mix"};
  return result;
}

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    ++found;
  }
  return found;
}

// Tags that are opened and closed; every other ends by itself.
void expect_well_formed(const std::string& html) {
  for (const char* tag : {"svg", "table", "details", "figure", "pre", "h2", "text", "rect", "title",
                          "circle", "div", "span", "body"}) {
    const std::string name = tag;
    const auto opened = count(html, "<" + name + ">") + count(html, "<" + name + " ");
    const std::regex alone("<" + name + "( [^<>]*)?/>");
    const auto closed =
        count(html, "</" + name + ">") +
        static_cast<std::size_t>(std::distance(
            std::sregex_iterator(html.begin(), html.end(), alone), std::sregex_iterator()));
    EXPECT_EQ(opened, closed) << tag;
  }
}

TEST(HtmlReport, shows_a_failure_in_words_and_charts) {
  const std::string html =
      html_report({"assay compare x.h5", {case_of(Verdict::kPass), case_of(Verdict::kFail)}});
  expect_well_formed(html);
  EXPECT_THAT(html, HasSubstr("<code>assay compare x.h5</code>"));
  EXPECT_THAT(html, HasSubstr("rows 4-10 of 11, from the window&apos;s width on"));
  EXPECT_THAT(html, HasSubstr("7 of 11 rows are wrong"));
  EXPECT_THAT(html, HasSubstr("text.layer.1.attn.mix: fail TOL, 4e+05 × floor, limit 4"));
  EXPECT_LT(html.find("badge fail\">fail</span></td><td class"),
            html.find("badge pass\">pass</span></td><td class"));
}

TEST(HtmlReport, needs_nothing_beside_it) {
  const std::string html = html_report({"assay verify", {case_of(Verdict::kFail)}});
  for (const char* outside : {"http", "src=", "<script", "@import", "url("}) {
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  }
}

TEST(HtmlReport, names_of_foreign_files_are_no_markup) {
  CaseResult result = case_of(Verdict::kFail);
  result.case_name = "<script>alert(1)</script>";
  result.message = "\"><img onerror=x>\x01\xff";
  result.taps[2].tap = "text.layer.1.<b>";
  result.taps[2].note = "</table><h1>";
  result.introduced_by = {"<i>"};
  result.ignored = {{"</pre><b>", ""}};
  result.failures = {"<u>"};
  const std::string html = html_report({"assay '</code>'", {result}});
  for (const char* markup : {"<script", "<img", "<b>", "<h1>E", "<i>", "<u>", "</table><h1>"}) {
    EXPECT_THAT(html, Not(HasSubstr(markup))) << markup;
  }
  EXPECT_EQ(count(html, "</code>"), 1u);
  expect_well_formed(html);
}

TEST(HtmlReport, many_passing_cases_are_rows_of_a_table) {
  Report report{"assay verify", {}};
  for (int i = 0; i < 100; ++i) {
    report.cases.push_back(case_of(Verdict::kPass));
  }
  const std::string html = html_report(report);
  EXPECT_EQ(count(html, "<svg"), 0u);
  EXPECT_EQ(count(html, "<tr>"), 101u);
  EXPECT_THAT(html, HasSubstr("100 <span class=\"badge pass\">"));
}

TEST(HtmlReport, of_very_many_failures_some_have_charts) {
  Report report{"assay verify", {}};
  for (int i = 0; i < 60; ++i) {
    report.cases.push_back(case_of(Verdict::kFail));
  }
  const std::string html = html_report(report);
  EXPECT_EQ(count(html, "<h2 "), 40u);
  EXPECT_THAT(html, HasSubstr("20 more cases did not pass"));
}

TEST(Charts, a_map_has_a_cell_for_each_block_and_tap) {
  const std::string map = heat_maps(case_of(Verdict::kFail));
  EXPECT_EQ(count(map, "<rect"), 4u);
  EXPECT_EQ(count(map, "<rect class=\"fail\""), 1u);
  EXPECT_EQ(count(map, "<rect class=\"near\""), 1u);  // 3 of 4 floors
  EXPECT_THAT(map, HasSubstr("<figcaption>text.layer</figcaption>"));
}

TEST(Charts, what_has_no_size_is_drawn_when_it_fails) {
  CaseResult result = case_of(Verdict::kFail);
  result.taps = {tap_of("text.logits", kNotMeasured, Verdict::kFail),
                 tap_of("text.ids", kNotMeasured), tap_of("text.embed", 1), tap_of("text.norm", 2)};
  EXPECT_EQ(count(error_by_depth(result), "<circle"), 3u);
  result.taps.clear();
  EXPECT_EQ(error_by_depth(result), "");
  EXPECT_EQ(heat_maps(result), "");
}

TEST(Charts, a_strip_of_rows_stays_small) {
  TapResult tap;
  tap.rows = 100000;
  tap.wrong_rows = {99999, 200000};
  const std::string strip = row_strip(tap);
  EXPECT_EQ(count(strip, "<rect"), 240u);
  EXPECT_EQ(count(strip, "<rect class=\"fail\""), 1u);
}

TEST(MarkdownReport, failures_come_first_and_names_end_no_block) {
  CaseResult bad = case_of(Verdict::kFail);
  bad.message = "```\n# not a heading";
  const std::string text = markdown_report({"assay verify", {case_of(Verdict::kPass), bad}});
  EXPECT_LT(text.find("## Did not pass"), text.find("## Passed"));
  EXPECT_THAT(text, HasSubstr("\n    FAIL  dump f32 replay  31b-tiny/text-long"));
  EXPECT_THAT(text, Not(HasSubstr("\n# not")));
  EXPECT_THAT(text, Not(HasSubstr("\n```")));
}

}  // namespace
}  // namespace assay::conformance
