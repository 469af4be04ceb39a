// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "conformance/report/collapse.h"
#include "conformance/report/coverage_note.h"
#include "conformance/report/json_report.h"
#include "conformance/report/junit.h"
#include "conformance/report/report_files.h"
#include "conformance/report/terminal.h"
#include "conformance/report/write_file.h"
#include "reference/family/base/error.h"
#include "reference/family/base/json.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TapResult failing_tap(const std::string& name, double units) {
  TapResult tap;
  tap.tap = name;
  tap.verdict = Verdict::kFail;
  tap.code = "TOL";
  tap.max_abs = 0.5;
  tap.rel_l2 = units * 1e-7;
  tap.floor = 1e-7;
  tap.budget = 3e-7;
  tap.in_bound_units = units;
  tap.where = {11, 2, 97};
  tap.got = 0.412;
  tap.want = -0.133;
  return tap;
}

CaseResult failing_case() {
  CaseResult result;
  result.case_name = "text-12";
  result.checkpoint = "e2b-tiny";
  result.impl = "my_port";
  result.precision = "f32";
  result.mode = Mode::kReplay;
  result.verdict = Verdict::kFail;
  result.introduced_by = {"text.layer.4.attn.q_rope", "text.layer.9.attn.q_rope"};
  result.inherited = {"text.layer.9.out"};
  result.taps = {failing_tap("text.layer.4.attn.q_rope", 1.6e6),
                 failing_tap("text.layer.9.attn.q_rope", 2e5), failing_tap("text.layer.9.out", 40)};
  result.not_provided = {{"text.layer.0.attn.scores", "fused"},
                         {"text.layer.1.attn.scores", "fused"}};
  result.reproduce = "assay verify --case 'e2b-tiny/text-12'";
  result.seconds = 0.25;
  return result;
}

CaseResult passing_case() {
  CaseResult result = failing_case();
  result.verdict = Verdict::kPass;
  result.mode = Mode::kChained;
  result.introduced_by.clear();
  result.inherited.clear();
  result.taps = {TapResult{}};
  result.taps[0].tap = "text.logits";
  result.taps[0].rel_l2 = 1e-6;
  result.taps[0].budget = 4e-6;
  return result;
}

Report two_cases() {
  return {"assay verify", {failing_case(), passing_case()}};
}

CaseResult with_verdict(Verdict verdict) {
  CaseResult result = passing_case();
  result.verdict = verdict;
  return result;
}

std::string printed(const Report& report, const TerminalOptions& options = {}) {
  std::ostringstream out;
  for (const CaseResult& result : report.cases) {
    print_case(out, result, options);
  }
  print_summary(out, report, options);
  return out.str();
}

TEST(Result, exit_code_tells_the_port_from_the_harness) {
  EXPECT_EQ(exit_code({"", {passing_case()}}), 0);
  EXPECT_EQ(exit_code(two_cases()), 1);
  EXPECT_EQ(exit_code({"", {with_verdict(Verdict::kHarnessError)}}), 3);
  EXPECT_EQ(exit_code({"", {with_verdict(Verdict::kResourceError)}}), 1);
  EXPECT_EQ(exit_code({"", {with_verdict(Verdict::kWarning), with_verdict(Verdict::kWaived)}}), 0);
  EXPECT_EQ(exit_code({"", {failing_case(), with_verdict(Verdict::kHarnessError)}}), 1);
}

TEST(Result, says_what_it_ran_on_where_that_is_to_be_said) {
  Report report = two_cases();
  EXPECT_EQ(printed(report).find("executed on"), std::string::npos);
  EXPECT_EQ(json_report(report).find("executed_on"), std::string::npos);
  report.executed_on = "host twin";
  EXPECT_NE(printed(report).find("\nexecuted on: host twin\n"), std::string::npos);
  EXPECT_NE(json_report(report).find("\"executed_on\": \"host twin\""), std::string::npos);
}

TEST(Collapse, joins_layers_of_one_tap) {
  const auto groups = collapse_layers(
      {"text.layer.0.ffn.act", "text.layer.1.ffn.act", "text.layer.2.ffn.act",
       "text.layer.9.ffn.act", "text.layer.0.out", "text.logits", "mtp.step.1.layer.0.out",
       "mtp.step.1.layer.1.out", "mtp.step.0.token", "mtp.step.2.token", "unknown.3.x",
       "media.0.vision.layer.1.out", "media.0.vision.layer.2.out", "media.1.vision.layer.2.out",
       "media.0.image.rgb", "media.1.image.rgb", "media.2.audio.subsample.0.out",
       "media.2.audio.subsample.1.out", "vision.pool"});
  std::vector<std::string> labels;
  labels.reserve(groups.size());
  for (const TapGroup& group : groups) {
    labels.push_back(group.label);
  }
  EXPECT_THAT(labels, ElementsAre("text.layer.{0-2,9}.ffn.act", "text.layer.0.out", "text.logits",
                                  "mtp.step.1.layer.{0,1}.out", "mtp.step.{0,2}.token",
                                  "unknown.3.x", "media.0.vision.layer.{1,2}.out",
                                  "media.1.vision.layer.2.out", "media.{0,1}.image.rgb",
                                  "media.2.audio.subsample.{0,1}.out", "vision.pool"));
  EXPECT_EQ(groups[0].taps.size(), 4u);
}

TEST(JsonReport, has_the_keys_of_the_contract) {
  const auto json = parse_json(json_report(two_cases()), "report");
  EXPECT_EQ(json["format_version"], 1);
  EXPECT_EQ(json["summary"]["pass"], 1);
  EXPECT_EQ(json["summary"]["fail"], 1);
  for (const char* key :
       {"warning", "not_supported", "resource_error", "harness_error", "waived"}) {
    EXPECT_EQ(json["summary"].at(key), 0) << key;
  }
  const auto& first = json["cases"][0];
  for (const char* key : {"case", "checkpoint", "impl", "precision", "mode", "verdict"}) {
    EXPECT_TRUE(first.at(key).is_string()) << key;
  }
  EXPECT_EQ(first["introduced_by"].size(), 2u);
  const auto& tap = first["taps"][0];
  EXPECT_EQ(tap["tap"], "text.layer.4.attn.q_rope");
  EXPECT_EQ(tap["verdict"], "fail");
  EXPECT_EQ(tap["in_bound_units"], 1.6e6);
  EXPECT_EQ(tap["where"], (Json::Array{11, 2, 97}));
  EXPECT_TRUE(json["cases"][1]["introduced_by"].is_array());
  EXPECT_TRUE(json["cases"][1]["introduced_by"].array().empty());
}

TEST(JsonReport, numbers_that_are_not_finite_are_null) {
  Report report = two_cases();
  report.cases[0].taps[0].max_abs = std::numeric_limits<double>::infinity();
  report.cases[0].taps[0].note = "bytes \xff\x01";
  const auto json = parse_json(json_report(report), "report");
  EXPECT_TRUE(json["cases"][0]["taps"][0]["max_abs"].is_null());
  EXPECT_TRUE(json["cases"][1]["taps"][0]["max_abs"].is_null());
}

// Every tag that opens closes, in the right order, and no raw markup stands in an attribute.
void expect_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  ASSERT_TRUE(xml.starts_with("<?xml"));
  for (std::size_t at = xml.find('<', 1); at != std::string::npos; at = xml.find('<', at + 1)) {
    const std::size_t end = xml.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = xml.substr(at + 1, end - at - 1);
    EXPECT_EQ(tag.find('<'), std::string::npos);
    EXPECT_EQ(std::ranges::count(tag, '"') % 2, 0) << tag;
    if (tag.front() == '/') {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(tag.substr(1), open.back());
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(Junit, is_well_formed_whatever_the_names) {
  Report report = two_cases();
  report.cases[0].message = "a <b> & \"c\" 'd' \x01 \xff \xe2\x82\xac\n]]>";
  report.cases[0].checkpoint = "<odd & \"name\">";
  for (const Verdict verdict : {Verdict::kWarning, Verdict::kNotSupported, Verdict::kResourceError,
                                Verdict::kHarnessError, Verdict::kWaived}) {
    report.cases.push_back(with_verdict(verdict));
  }
  const std::string xml = junit_report(report);
  expect_well_formed(xml);
  EXPECT_THAT(xml, HasSubstr("<testsuites name=\"assay\" tests=\"7\" failures=\"1\" errors=\"2\" "
                             "skipped=\"2\""));
  EXPECT_THAT(xml, HasSubstr("<testsuite name=\"&lt;odd &amp; &quot;name&quot;&gt;\" tests=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<testsuite name=\"e2b-tiny\" tests=\"6\""));
  EXPECT_THAT(xml, HasSubstr("<testcase name=\"text-12 [replay]\""));
  EXPECT_THAT(xml, HasSubstr("reproduce: assay verify --case &apos;e2b-tiny/text-12&apos;"));
}

TEST(Junit, escapes_what_xml_cannot_hold) {
  EXPECT_EQ(xml_escaped("\x01\x7f\xc0\x80\xed\xa0\x80"), "?\x7f?????");
  EXPECT_EQ(xml_escaped("\xe2\x82\xac\xf0\x9f\x98\x80"), "\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(xml_escaped("\xe2\x82"), "??");
  EXPECT_EQ(xml_escaped("a\nb"), "a&#10;b");
}

TEST(Terminal, shows_a_failing_case_on_one_screen) {
  const std::string text = printed(two_cases());
  EXPECT_THAT(text, HasSubstr("FAIL  my_port f32 replay  e2b-tiny/text-12  3 of 3 taps"));
  EXPECT_THAT(
      text,
      HasSubstr("  introduced  text.layer.{4,9}.attn.q_rope\n"
                "              1,600,000 times the error that an honest f32 program makes here; "
                "limit 3 times\n"
                "              in text.layer.4.attn.q_rope  at [11, 2, 97]: got 0.412, want "
                "-0.133\n"));
  EXPECT_THAT(text, HasSubstr("assay explain text.layer.4.attn.q_rope"));
  EXPECT_THAT(text, HasSubstr("inherited   1 taps, up to 40 × floor"));
  EXPECT_THAT(text, HasSubstr("untested    text.layer.{0,1}.attn.scores: fused"));
  EXPECT_THAT(text, HasSubstr("reproduce   assay verify --case 'e2b-tiny/text-12'"));
  EXPECT_THAT(text,
              HasSubstr("PASS  my_port f32 chained  e2b-tiny/text-12  1 taps, at most 25 % of "
                        "the budget, at text.logits"));
  EXPECT_THAT(text, HasSubstr("1 pass, 1 fail\n"));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_LE(std::ranges::count(text, '\n'), 24);
}

TEST(Terminal, tells_what_was_skipped_for_one_reason_in_one_line) {
  Report report = two_cases();
  for (const char* name : {"image-1", "image-2", "image-1"}) {
    CaseResult result = with_verdict(Verdict::kNotSupported);
    result.case_name = name;
    result.message = "no encoders\033[2J";
    result.precision = report.cases.size() == 4 ? "bf16" : "f32";
    report.cases.push_back(result);
  }
  report.cases.back().precision = "bf16";
  report.cases.push_back(with_verdict(Verdict::kNotSupported));
  report.cases.back().message = "no drafter";
  report.cases.push_back(with_verdict(Verdict::kNotSupported));
  report.cases.back().mode = Mode::kProperty;  // has a line of its own
  std::ostringstream out;
  print_skipped(out, report, {});
  EXPECT_EQ(out.str(),
            "SKIP  my_port f32  e2b-tiny/text-12: no drafter\n"
            "SKIP  my_port f32, bf16  e2b-tiny/image-1 and 1 more: no encoders?[2J\n");
  std::ostringstream nothing;
  print_skipped(nothing, two_cases(), {});
  EXPECT_EQ(nothing.str(), "");
}

TEST(Terminal, tells_where_an_error_is_and_what_was_not_tested) {
  CaseResult result = failing_case();
  TapResult& first = result.taps[0];
  first.rows_note = "rows 4-10 of 11, from the window's width on";
  first.signature = "got = want / 6, a constant ratio";
  first.since = "text.layer.4.attn.v_norm";
  first.within = {"text.layer.4.attn.q_rope", "text.layer.4.attn.scores"};
  first.mistakes = {"M-60", "M-67"};
  result.coverage = {12, 42, 1};
  TapResult blind = failing_tap("text.logits", 1);
  blind.verdict = Verdict::kNotTested;
  blind.code = "INSENSITIVE";
  blind.note = "all zeros would pass";
  result.taps.push_back(blind);
  std::ostringstream out;
  print_case(out, result, {});
  for (const char* line :
       {"rows 4-10 of 11, from the window's width on; got = want / 6, a constant ratio",
        "since text.layer.4.attn.v_norm, over attn.q_rope, attn.scores; mistakes that live there: "
        "M-60 M-67 (assay explain M-60)",
        "3 of 4 taps fail (12 of 42 kinds), 1 not tested",
        "  blind       text.logits: all zeros would pass"}) {
    EXPECT_THAT(out.str(), HasSubstr(line));
  }
  const auto json = parse_json(json_report({"", {result}}), "report")["cases"][0];
  EXPECT_EQ(json["coverage"]["kinds_judged"], 12);
  EXPECT_EQ(json["coverage"]["ignored"], 1);
  EXPECT_EQ(json["rows"]["note"], "rows 4-10 of 11, from the window's width on");
  EXPECT_EQ(json["taps"][0]["mistakes"].size(), 2u);
  EXPECT_EQ(json["taps"][3]["verdict"], "not_tested");
}

TEST(Coverage, a_pass_that_rests_on_little_says_so_everywhere) {
  CaseResult result;
  result.coverage = {1, 52, 0};
  TapResult tap;
  tap.tap = "text.logits";
  result.taps = {tap};
  result.power = {1, 2, {"M-67"}, {"M-60"}};
  const std::string note =
      "rests on text.logits alone, 1 of 52 kinds of tap: no step between them is judged by itself";
  std::ostringstream out;
  print_case(out, result, {});
  EXPECT_THAT(out.str(), HasSubstr("coverage    " + note));
  EXPECT_THAT(junit_report({"", {result}}), HasSubstr("coverage: " + note));
  EXPECT_THAT(junit_report({"", {result}}), HasSubstr("power: excludes 1 of 2"));
  const auto json = parse_json(json_report({"", {result}}), "report")["cases"][0];
  EXPECT_EQ(json["coverage"]["note"].get<std::string>(), note);
  result.coverage = {1, 4, 0};
  EXPECT_EQ(coverage_note(result), "");
}

TEST(Terminal, a_class_that_explains_is_one_line) {
  CaseResult result = failing_case();
  result.achieved_class = "bf16";
  result.class_note = "every value is a bf16 number; declare bf16, in which it passes";
  result.class_explains = true;
  std::ostringstream out;
  print_case(out, result, {});
  EXPECT_THAT(out.str(), HasSubstr("  class       every value is a bf16 number; declare bf16"));
  EXPECT_THAT(out.str(), HasSubstr("introduced  2 taps, all by that rounding\n"));
  EXPECT_THAT(out.str(), Not(HasSubstr("q_rope")));
  EXPECT_THAT(junit_report({"", {result}}), HasSubstr("message=\"every value is a bf16 number"));
}

TEST(Terminal, stays_on_one_screen_when_everything_fails) {
  CaseResult result = failing_case();
  result.introduced_by.clear();
  result.inherited.clear();
  for (const char* tap : {"in", "out", "attn.q_proj", "attn.q_norm", "attn.mix", "attn.o_proj",
                          "ffn.mul", "ffn.down", "ffn.residual", "attn.residual"}) {
    for (int layer = 0; layer < 60; ++layer) {
      result.taps.push_back(
          failing_tap("text.layer." + std::to_string(layer) + "." + tap, 10 + layer));
    }
  }
  const std::string text = printed({"", {result}});
  EXPECT_LE(std::ranges::count(text, '\n'), 24);
  EXPECT_THAT(text, HasSubstr("text.layer.{0-59}.in  69 × floor (limit 3)  at [11, 2, 97]"));
  EXPECT_THAT(text, HasSubstr("more kinds of tap"));
}

TEST(Terminal, tells_sizes_in_words_with_few_digits) {
  for (const auto& [units, words] :
       {std::pair{12.34, "  12.3 times"}, std::pair{999.4, "  999 times"},
        std::pair{999.6, "  1,000 times"}, std::pair{1549.0, "  1,500 times"},
        std::pair{1.28e7, "  13,000,000 times"}, std::pair{9.96e6, "  10,000,000 times"},
        std::pair{3e15, "  3e+15 times"}}) {
    CaseResult result = failing_case();
    result.taps = {failing_tap("text.layer.4.attn.q_rope", units)};
    EXPECT_THAT(printed({"", {result}}), HasSubstr(words)) << units;
  }
}

// A failure that is no matter of degree has no size, and a tap without a floor no limit.
TEST(Terminal, says_nothing_about_a_limit_that_is_not_there) {
  CaseResult result = failing_case();
  result.taps = {failing_tap("text.layer.4.attn.q_rope", kNotMeasured)};
  result.taps[0].code = "SHAPE";
  result.taps[0].budget = kNotMeasured;
  const std::string text = printed({"", {result}});
  EXPECT_THAT(text, HasSubstr("text.layer.{4,9}.attn.q_rope  SHAPE"));
  EXPECT_THAT(text, Not(HasSubstr("limit")));
}

TEST(Terminal, colours_only_when_told_and_keeps_control_bytes_out) {
  CaseResult result = failing_case();
  result.message = "a\033[2Jb";
  EXPECT_THAT(printed({"", {result}}), HasSubstr("a?[2Jb"));
  TerminalOptions colour;
  colour.colour = true;
  EXPECT_THAT(printed({"", {result}}, colour), HasSubstr("\033[31mFAIL\033[0m"));
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(ReportFiles, are_written_whole) {
  const auto folder = std::filesystem::temp_directory_path() / "assay_report_test" / "deep";
  std::filesystem::remove_all(folder.parent_path());
  write_reports(folder, two_cases());
  EXPECT_EQ(text_of(folder / "report.json"), json_report(two_cases()));
  EXPECT_EQ(text_of(folder / "junit.xml"), junit_report(two_cases()));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 4);
  EXPECT_THROW(write_reports(folder / "report.json", two_cases()), Error);
  EXPECT_THROW(write_file(folder / "none" / "a.txt", "x"), Error);
  std::filesystem::remove_all(folder.parent_path());
}

}  // namespace
}  // namespace assay::conformance
