// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/html.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

#include "conformance/report/charts.h"
#include "conformance/report/figures.h"
#include "conformance/report/junit.h"
#include "conformance/report/place.h"
#include "conformance/report/terminal.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kFew = 4;          // cases that all get charts
constexpr std::size_t kMostCharts = 40;  // cases with charts at most
constexpr std::size_t kMostTaps = 60;    // failing taps in a table
constexpr std::size_t kMostOpen = 12;    // of which so many are shown at once

constexpr const char* kStyle = R"(<style>
:root { --ink: #1c2024; --dim: #6b7280; --paper: #fff; --line: #e3e6ea; --box: #f6f7f9;
  --pass: #9fd3b0; --near: #f0c36d; --fail: #d6453d; --none: #c9ced6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --dim: #9aa3ae; --paper: #15181c;
  --line: #2b3036; --box: #1d2126; --pass: #3f7f55; --near: #b98a2f; --fail: #e2605a;
  --none: #4a515a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1020px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2.2em; }
code, pre, td.name, svg text { font-family: ui-monospace, monospace; }
pre { background: var(--box); padding: .8em 1em; overflow-x: auto; font-size: 12.5px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: .25em .8em .25em 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.number { text-align: right; } td.name { overflow-wrap: anywhere; }
.badge { font-size: 12px; font-weight: 600; padding: .1em .5em; border-radius: 3px;
  background: var(--none); white-space: nowrap; }
.badge.pass { background: var(--pass); } .badge.warning { background: var(--near); }
.badge.fail, .badge.harness_error, .badge.resource_error { background: var(--fail); color: #fff; }
.scroll { overflow-x: auto; } figure { margin: 1em 0; } figcaption, .key { color: var(--dim); }
svg text { font-size: 10px; fill: var(--dim); } svg .grid { stroke: var(--line); }
svg .limit { fill: none; stroke: var(--dim); stroke-dasharray: 3 3; }
svg .pass { fill: var(--pass); } svg .near { fill: var(--near); } svg .fail { fill: var(--fail); }
svg .untested { fill: var(--none); } svg .entered { stroke: var(--ink); stroke-width: 1.5; }
svg.plot { width: 100%; } summary { cursor: pointer; color: var(--dim); }
</style>
)";

// Nothing where there is no number.
std::string finite(double value) {
  return std::isfinite(value) ? number(value) : "";
}

std::string cell(const std::string& text, const char* kind = "") {
  return "<td" + (*kind == '\0' ? "" : " class=\"" + std::string(kind) + "\"") + ">" + text +
         "</td>";
}

std::string badge(Verdict verdict) {
  std::string words = verdict_name(verdict);
  std::ranges::replace(words, '_', ' ');
  return std::string("<span class=\"badge ") + verdict_name(verdict) + "\">" + words + "</span>";
}

bool is_good(const CaseResult& result) {
  return result.verdict == Verdict::kPass || result.verdict == Verdict::kNotSupported ||
         result.verdict == Verdict::kWaived;
}

// Failures first, what could not be judged before what passes, in their order.
std::vector<const CaseResult*> by_interest(const Report& report) {
  std::vector<const CaseResult*> cases;
  for (const CaseResult& result : report.cases) {
    cases.push_back(&result);
  }
  std::ranges::stable_sort(cases, {}, [](const CaseResult* result) {
    return is_good(*result) ? (result->verdict == Verdict::kPass ? 1 : 2) : 0;
  });
  return cases;
}

std::string title_of(const CaseResult& result) {
  return result.checkpoint + "/" + result.case_name + ", " + result.impl + " " + result.precision +
         ", " + mode_name(result.mode);
}

std::string says(const CaseResult& result) {
  if (result.verdict == Verdict::kPass) {
    const Nearest near = nearest_to_limit(result);
    return near.share > 0 ? "at most " + number(100 * near.share) + " % at " + near.tap->tap : "";
  }
  if (!result.diagnosis.empty()) {
    return describe(result.diagnosis.front());
  }
  if (!result.message.empty() || result.introduced_by.empty()) {
    return result.message;
  }
  return "introduced by " + result.introduced_by.front();
}

std::string case_row(const CaseResult& result, const std::string& link) {
  const std::string name = xml_escaped(result.checkpoint + "/" + result.case_name);
  const std::string linked = link.empty() ? name : "<a href=\"#" + link + "\">" + name + "</a>";
  return "<tr>" + cell(badge(result.verdict)) + cell(linked, "name") +
         cell(xml_escaped(result.impl + " " + result.precision)) + cell(mode_name(result.mode)) +
         cell(xml_escaped(says(result))) + cell(finite(result.seconds), "number") + "</tr>\n";
}

std::string tap_row(const TapResult& tap) {
  std::string place = place_of(tap);
  if (!tap.where.empty() && std::isfinite(tap.want)) {
    place += (place.empty() ? "" : "; ") + ("largest at " + shape_string(tap.where)) + ": got " +
             finite(tap.got) + ", want " + finite(tap.want);
  }
  const std::string limit = tap.floor > 0 ? finite(tap.budget / tap.floor) : "";
  return "<tr>" + cell(xml_escaped(tap.tap), "name") + cell(xml_escaped(tap.code)) +
         cell(finite(tap.in_bound_units), "number") + cell(limit, "number") +
         cell(row_strip(tap) +
              (tap.note.empty() ? "" : "<div>" + xml_escaped(tap.note) + "</div>") + "<div>" +
              xml_escaped(place) + "</div>") +
         "</tr>\n";
}

std::string failing_taps(const CaseResult& result) {
  std::string rows;
  std::size_t count = 0;
  for (const TapResult& tap : result.taps) {
    if (tap.verdict == Verdict::kFail && ++count <= kMostTaps) {
      rows += tap_row(tap);
    }
  }
  if (count == 0) {
    return "";
  }
  const std::string more =
      count > kMostTaps ? "<p>and " + std::to_string(count - kMostTaps) + " more</p>" : "";
  return std::string(count > kMostOpen ? "<details>" : "<details open>") + "<summary>" +
         std::to_string(count) +
         (count == 1 ? " failing tap" : " failing taps, in the order of execution") +
         "</summary>\n<table><tr><th>tap<th>code"
         "<th>× floor<th>limit<th>where</tr>\n" +
         rows + "</table>" + more + "</details>\n";
}

// Line by line, for escapes stand for the ends of lines, too.
std::string preformatted(const std::string& text) {
  std::istringstream lines(text);
  std::string html;
  for (std::string line; std::getline(lines, line);) {
    html += xml_escaped(line) + "\n";
  }
  return html;
}

// What the checks of a property found.
std::string findings(const CaseResult& result) {
  std::string items;
  for (const std::string& failure : result.failures) {
    items += "<li>" + xml_escaped(failure) + "</li>\n";
  }
  return items.empty() ? "" : "<ul>\n" + items + "</ul>\n";
}

std::string case_section(const CaseResult& result, const std::string& link) {
  std::ostringstream words;
  print_case(words, result, {});
  std::string html = "<h2 id=\"" + link + "\">" + badge(result.verdict) + " " +
                     xml_escaped(title_of(result)) + "</h2>\n<pre>";
  html += preformatted(words.str()) + "</pre>\n";
  const std::string plot = error_by_depth(result);
  if (!plot.empty()) {
    html +=
        "<p class=\"key\">The error of each tap in the order of execution, in multiples of "
        "what honest rounding makes there; dashed: its limit; ringed: where an error "
        "entered.</p>\n" +
        plot;
  }
  const std::string maps = heat_maps(result);
  if (!maps.empty()) {
    html += "<details open><summary>Blocks and taps</summary><div class=\"scroll\">" + maps +
            "</div></details>\n";
  }
  return html + failing_taps(result) + findings(result);
}

std::string counts(const Report& report) {
  std::string text;
  for (const Verdict verdict :
       {Verdict::kFail, Verdict::kHarnessError, Verdict::kResourceError, Verdict::kNotTested,
        Verdict::kWarning, Verdict::kPass, Verdict::kWaived, Verdict::kNotSupported}) {
    const std::size_t count = count_cases(report, verdict);
    if (count > 0) {
      text += " " + std::to_string(count) + " " + badge(verdict);
    }
  }
  return text;
}

bool has_section(const CaseResult& result, const Report& report) {
  const bool few = report.cases.size() <= kFew && result.verdict == Verdict::kPass;
  return !is_good(result) || few;
}

}  // namespace

std::string html_report(const Report& report) {
  std::string rows;
  std::string sections;
  std::size_t drawn = 0;
  std::size_t left_out = 0;
  for (const CaseResult* result : by_interest(report)) {
    std::string link;
    if (has_section(*result, report)) {
      left_out += drawn == kMostCharts;
      if (drawn < kMostCharts) {
        link = "case-" + std::to_string(++drawn);
        sections += case_section(*result, link);
      }
    }
    rows += case_row(*result, link);
  }
  const std::string more = left_out > 0
                               ? "<p>" + std::to_string(left_out) +
                                     " more cases did not pass: report.json has their taps.</p>\n"
                               : "";
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>assay: " +
         std::to_string(count_cases(report, Verdict::kPass)) + " pass, " +
         std::to_string(count_cases(report, Verdict::kFail)) + " fail</title>\n" + kStyle +
         "</head><body>\n<h1>Is it a Gemma 4?" + counts(report) + "</h1>\n<p><code>" +
         xml_escaped(report.command) +
         "</code></p>\n<table><tr><th>verdict<th>case<th>program<th>mode<th>what it says<th>s"
         "</tr>\n" +
         rows + "</table>\n" + more + sections + "</body></html>\n";
}

}  // namespace assay::conformance
