// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <ostream>
#include <set>
#include <span>

#include "conformance/catalogue/catalogue.h"
#include "conformance/report/collapse.h"
#include "conformance/report/coverage_note.h"
#include "conformance/report/figures.h"
#include "conformance/report/place.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr const char* kRed = "\033[31m";
constexpr const char* kGreen = "\033[32m";
constexpr const char* kYellow = "\033[33m";
constexpr const char* kPlain = "\033[0m";

struct Badge {
  const char* text;
  const char* colour;
};

Badge badge_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return {"PASS", kGreen};
    case Verdict::kFail:
      return {"FAIL", kRed};
    case Verdict::kWarning:
      return {"WARN", kYellow};
    case Verdict::kNotSupported:
      return {"SKIP", kYellow};
    case Verdict::kResourceError:
      return {"RSRC", kRed};
    case Verdict::kHarnessError:
      return {"HARN", kRed};
    case Verdict::kWaived:
      return {"WAIV", kYellow};
    case Verdict::kNotTested:
      return {"NONE", kRed};
  }
  return {"HARN", kRed};
}

std::string painted(const Badge& badge, bool colour) {
  return colour ? badge.colour + std::string(badge.text) + kPlain : badge.text;
}

std::string units(double value) {
  return number(value, std::fabs(value) < 1000 ? "%.3g" : "%.1e") + " × floor";
}

// "12.3", "13,000,000": three digits, from a thousand on two.
std::string grouped(double value) {
  if (std::fabs(value) < 999.5 || std::fabs(value) >= 1e12) {
    return number(value);
  }
  const double unit = std::pow(10, std::floor(std::log10(std::fabs(value))) - 1);
  std::string text = number(std::round(value / unit) * unit, "%.0f");
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

// Control characters of a foreign file must not reach the terminal.
std::string harmless(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c == 127; }, '?');
  return text;
}

bool is_bad(const TapResult& tap) {
  return tap.verdict == Verdict::kFail || tap.verdict == Verdict::kWarning;
}

using ByName = std::map<std::string, const TapResult*>;

// What is wrong is told by the note, not by the size of the error.
bool is_of_roundings(const TapResult& tap) {
  return tap.code == "ROUNDING" || tap.code == "GAIN";
}

// The tap of a group that says most: one with a code of its own first, then the largest ratio.
const TapResult* worst_of(const TapGroup& group, const ByName& taps) {
  const TapResult* worst = nullptr;
  for (const std::string& name : group.taps) {
    const auto found = taps.find(name);
    if (found == taps.end()) {
      continue;
    }
    const TapResult* tap = found->second;
    const bool by_share = worst != nullptr && is_of_roundings(*tap) && is_of_roundings(*worst);
    if (worst == nullptr || std::isnan(worst->in_bound_units) ||
        (by_share ? tap->differing > worst->differing
                  : tap->in_bound_units > worst->in_bound_units)) {
      worst = tap;
    }
  }
  return worst;
}

bool has_limit(const TapResult& tap) {
  return std::isfinite(tap.budget) && std::isfinite(tap.floor) && tap.floor > 0;
}

// "12.3 × floor (limit 4)", and what else is known of the tap.
std::string size_of_error(const TapResult& tap) {
  if (is_of_roundings(tap)) {
    return "";
  }
  const std::string limit =
      has_limit(tap) ? " (limit " + number(tap.budget / tap.floor) + ")" : std::string();
  if (std::isfinite(tap.in_bound_units)) {
    return "  " + units(tap.in_bound_units) + limit;
  }
  return std::isfinite(tap.rel_l2) ? "  relative error " + number(tap.rel_l2) : std::string();
}

// The same in words.
std::string size_in_words(const TapResult& tap, const std::string& precision) {
  if (is_of_roundings(tap)) {
    return tap.note;
  }
  return grouped(tap.in_bound_units) + " times the error that an honest " + precision +
         " program makes here; limit " + number(tap.budget / tap.floor) + " times";
}

std::string code_of(const TapResult& tap) {
  return tap.code.empty() || tap.code == "TOL" ? "" : "  " + tap.code;
}

// Where the largest error is, and the notes.
std::string details(const TapResult& tap, bool with_note = true) {
  std::string text;
  if (!tap.where.empty() && !std::isnan(tap.want)) {
    text += "  at " + shape_string(tap.where) + ": got " + number(tap.got, "%.6g") + ", want " +
            number(tap.want, "%.6g");
  }
  return text + (tap.note.empty() || !with_note ? "" : "  " + tap.note);
}

std::string title(const std::string& word) {
  return "  " + word + std::string(word.size() < 12 ? 12 - word.size() : 1, ' ');
}

// One group of taps: a line, or in words three short ones.
void print_group(std::ostream& out, const TapGroup& group, const TapResult* worst,
                 const std::string& words) {
  out << harmless(group.label);
  if (worst == nullptr) {
    out << '\n';
    return;
  }
  const std::string of = group.taps.size() > 1 ? "  in " + worst->tap : "";
  if (words.empty()) {
    const std::string place = place_of(*worst);
    out << harmless(code_of(*worst) + size_of_error(*worst) + details(*worst) + of +
                    (place.empty() ? "" : "  " + place))
        << '\n';
    return;
  }
  out << harmless(code_of(*worst)) << '\n' << title("") << harmless(words) << '\n';
  const std::string more = harmless(of + details(*worst, !is_of_roundings(*worst)));
  if (!more.empty()) {
    out << title("") << more.substr(2) << '\n';
  }
  const std::string place = harmless(place_of(*worst));
  if (!place.empty()) {
    out << title("") << place << '\n';
  }
}

void print_groups(std::ostream& out, const std::string& word, const std::vector<std::string>& names,
                  const ByName& taps, const std::string& precision,
                  const TerminalOptions& options) {
  const std::vector<TapGroup> groups = collapse_layers(names);
  const std::size_t shown = std::min(groups.size(), options.groups);
  for (std::size_t i = 0; i < shown; ++i) {
    const TapResult* worst = worst_of(groups[i], taps);
    const bool in_words =
        i == 0 && worst != nullptr && std::isfinite(worst->in_bound_units) && has_limit(*worst);
    out << title(i == 0 ? word : "");
    print_group(out, groups[i], worst, in_words ? size_in_words(*worst, precision) : "");
    const auto match = find_tap(groups[i].taps.front());
    if (word == "introduced" && match && !match->entry->rules.empty()) {
      out << title("") << "rules " << match->entry->rules << ": assay explain "
          << groups[i].taps.front() << '\n';
    }
    const std::string step =
        word == "introduced" && worst != nullptr ? step_of(*worst) : std::string();
    if (!step.empty()) {
      out << title("") << harmless(step) << '\n';
    }
  }
  if (shown < groups.size()) {
    out << title("") << "and " << groups.size() - shown << " more kinds of tap\n";
  }
}

// Failing taps that blame did not place (in chained mode there may be no blame).
std::vector<std::string> unplaced(const CaseResult& result) {
  std::set<std::string> placed(result.introduced_by.begin(), result.introduced_by.end());
  placed.insert(result.inherited.begin(), result.inherited.end());
  std::vector<std::string> names;
  for (const TapResult& tap : result.taps) {
    if (is_bad(tap) && !placed.contains(tap.tap)) {
      names.push_back(tap.tap);
    }
  }
  return names;
}

void print_inherited(std::ostream& out, const CaseResult& result, const ByName& taps) {
  if (result.inherited.empty()) {
    return;
  }
  const TapResult* worst = worst_of({"", result.inherited}, taps);
  out << title("inherited") << result.inherited.size() << " taps";
  if (worst != nullptr && std::isfinite(worst->in_bound_units)) {
    out << ", up to " << units(worst->in_bound_units);
  }
  out << '\n';
}

// Names that are no tap, the numbers of each kind in one line.
void print_ignored(std::ostream& out, const CaseResult& result, const TerminalOptions& options) {
  std::map<std::string, std::string> meant;
  std::vector<std::string> names;
  for (const IgnoredName& ignored : result.ignored) {
    names.push_back(ignored.name);
    meant.emplace(ignored.name, ignored.meant);
  }
  const std::vector<TapGroup> groups = collapse_names(names);
  const std::size_t shown = std::min(groups.size(), options.groups);
  for (std::size_t i = 0; i < shown; ++i) {
    std::vector<std::string> taps;
    for (const std::string& name : groups[i].taps) {
      if (!meant.at(name).empty()) {
        taps.push_back(meant.at(name));
      }
    }
    out << title(i == 0 ? "ignored" : "") << harmless(groups[i].label) << ": no tap";
    const char* separator = "; did you mean ";
    for (const TapGroup& group : collapse_layers(taps)) {
      out << separator << group.label;
      separator = ", ";
    }
    out << (taps.empty() ? "\n" : "?\n");
  }
  if (shown < groups.size()) {
    out << title("") << "and " << groups.size() - shown << " more kinds of name\n";
  }
}

void print_notes(std::ostream& out, const CaseResult& result) {
  std::vector<DumpNote> notes;  // one of each text
  for (const DumpNote& note : result.notes) {
    const auto known = std::ranges::find(notes, note.text, &DumpNote::text);
    DumpNote& of_text = known == notes.end() ? notes.emplace_back() : *known;
    of_text.text = note.text;
    of_text.taps.insert(of_text.taps.end(), note.taps.begin(), note.taps.end());
  }
  for (const DumpNote& note : notes) {
    const char* separator = "";
    out << title("note");
    for (const TapGroup& group : collapse_layers(note.taps)) {
      out << separator << harmless(group.label);
      separator = ", ";
    }
    out << ": " << harmless(note.text) << '\n';
  }
}

void print_not_provided(std::ostream& out, const CaseResult& result) {
  std::set<std::string> ignored;
  for (const IgnoredName& name : result.ignored) {
    ignored.insert(name.name);
  }
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const auto& [tap, reason] : result.not_provided) {
    if (!ignored.contains(tap)) {
      by_reason[reason].push_back(tap);
    }
  }
  bool first = true;
  for (const auto& [reason, taps] : by_reason) {
    const std::vector<TapGroup> groups = collapse_layers(taps);
    out << title(first ? "untested" : "") << harmless(groups.front().label);
    if (groups.size() > 1) {
      out << " and " << groups.size() - 1 << " more kinds of tap";
    }
    out << (reason.empty() ? "" : ": " + harmless(reason)) << '\n';
    first = false;
  }
}

// Taps that are in the dump and of which nothing can be said, by the reason.
void print_untested(std::ostream& out, const CaseResult& result) {
  std::map<std::string, std::vector<const TapResult*>> by_code;
  for (const TapResult& tap : result.taps) {
    if (tap.verdict == Verdict::kNotTested) {
      by_code[tap.code].push_back(&tap);
    }
  }
  for (const auto& [code, taps] : by_code) {
    std::vector<std::string> names;
    for (const TapResult* tap : taps) {
      names.push_back(tap->tap);
    }
    const std::vector<TapGroup> groups = collapse_layers(names);
    out << title("blind") << harmless(groups.front().label);
    if (groups.size() > 1) {
      out << " and " << groups.size() - 1 << " more kinds of tap";
    }
    out << ": " << harmless(taps.front()->note) << '\n';
  }
}

// "3 of 96 checks fail, 0.2 s: …", all that is said of a property.
std::string property_headline(const CaseResult& result) {
  std::string text = std::to_string(result.checks) + " checks";
  if (result.failed_checks > 0) {
    text = std::to_string(result.failed_checks) + " of " + text + " fail";
  }
  return text + ", " + number(result.seconds) + " s" +
         (result.message.empty() ? "" : ": " + result.message);
}

// "2 of 412 taps fail", or how near to failing a passing case came.
std::string headline(const CaseResult& result) {
  if (result.mode == Mode::kProperty) {
    return property_headline(result);
  }
  const auto failed = std::ranges::count(result.taps, Verdict::kFail, &TapResult::verdict);
  const auto warned = std::ranges::count(result.taps, Verdict::kWarning, &TapResult::verdict);
  std::string text = std::to_string(result.taps.size()) + " taps";
  const auto& kinds = result.coverage;
  const std::string of_kinds = kinds.kinds_known == 0
                                   ? ""
                                   : " (" + std::to_string(kinds.kinds_judged) + " of " +
                                         std::to_string(kinds.kinds_known) + " kinds)";
  if (failed > 0) {
    text = std::to_string(failed) + " of " + text + " fail";
  }
  const auto untested = std::ranges::count(result.taps, Verdict::kNotTested, &TapResult::verdict);
  text += of_kinds;
  if (untested > 0) {
    text += ", " + std::to_string(untested) + " not tested";
  }
  if (warned > 0) {
    text += ", " + std::to_string(warned) + " worth a look";
  }
  if (failed == 0) {
    if (const Nearest nearest = nearest_to_limit(result); nearest.tap != nullptr) {
      text += ", at most " + number(100 * nearest.share, "%.2g") + " % of the budget, at " +
              nearest.tap->tap;
    }
  }
  return text + ", " + number(result.seconds) + " s";
}

}  // namespace

bool is_colour_terminal(int descriptor) {
  return isatty(descriptor) == 1 && std::getenv("NO_COLOR") == nullptr;
}

void print_case(std::ostream& out, const CaseResult& result, const TerminalOptions& options) {
  out << painted(badge_of(result.verdict), options.colour) << "  "
      << harmless(result.impl + " " + result.precision + " " + mode_name(result.mode)) << "  "
      << harmless(result.checkpoint + "/" + result.case_name) << "  " << harmless(headline(result))
      << '\n';
  if (result.mode == Mode::kProperty) {
    return;
  }
  if (!result.message.empty()) {
    out << title("message") << harmless(result.message) << '\n';
  }
  if (!result.class_note.empty()) {
    out << title("class") << harmless(result.class_note) << '\n';
  }
  print_ignored(out, result, options);
  print_notes(out, result);
  if (!result.taps.empty() && result.verdict != Verdict::kNotTested) {
    print_untested(out, result);
  }
  if (const std::string note = coverage_note(result); !note.empty()) {
    out << title("coverage") << harmless(note) << '\n';
  }
  if (result.power.expressible > 0) {
    out << title("power") << harmless(describe(result.power)) << '\n';
  }
  if (result.verdict == Verdict::kPass) {
    return;
  }
  ByName taps;
  for (const TapResult& tap : result.taps) {
    taps.emplace(tap.tap, &tap);
  }
  if (result.class_explains) {
    out << title("introduced") << result.introduced_by.size() << " taps, all by that rounding\n";
  } else {
    print_groups(out, "introduced", result.introduced_by, taps, result.precision, options);
  }
  print_groups(out, result.verdict == Verdict::kWarning ? "noticed" : "failed", unplaced(result),
               taps, result.precision, options);
  print_inherited(out, result, taps);
  print_not_provided(out, result);
  if (!result.profile_note.empty()) {
    out << title("profile") << harmless(result.profile_note) << '\n';
  }
  for (const Diagnosis& each : result.diagnosis) {
    out << title("diagnosis") << harmless(describe(each)) << '\n';
  }
  if (!result.rounding_note.empty()) {
    out << title("rounding") << harmless(result.rounding_note) << '\n';
  }
  if (!result.reproduce.empty()) {
    out << title("reproduce") << harmless(result.reproduce) << '\n';
  }
}

void print_skipped(std::ostream& out, const Report& report, const TerminalOptions& options) {
  struct Group {
    std::set<std::string> cases;
    std::vector<std::string> precisions;
  };
  std::map<std::pair<std::string, std::string>, Group> groups;  // by implementation and reason
  for (const CaseResult& result : report.cases) {
    if (result.verdict != Verdict::kNotSupported || result.mode == Mode::kProperty) {
      continue;
    }
    Group& group = groups[{result.impl, result.message}];
    group.cases.insert(result.checkpoint + "/" + result.case_name);
    if (std::ranges::find(group.precisions, result.precision) == group.precisions.end()) {
      group.precisions.push_back(result.precision);
    }
  }
  for (const auto& [reason, group] : groups) {
    out << painted(badge_of(Verdict::kNotSupported), options.colour) << "  "
        << harmless(reason.first);
    const char* separator = " ";
    for (const std::string& precision : group.precisions) {
      out << separator << harmless(precision);
      separator = ", ";
    }
    const std::size_t others = group.cases.size() - 1;
    out << "  " << harmless(*group.cases.begin())
        << (others > 0 ? " and " + std::to_string(others) + " more" : std::string())
        << (reason.second.empty() ? "" : ": " + harmless(reason.second)) << '\n';
  }
}

void print_summary(std::ostream& out, const Report& report, const TerminalOptions& options) {
  if (!report.executed_on.empty()) {
    out << "executed on: " << harmless(report.executed_on) << '\n';
  }
  const char* separator = "";
  for (const Verdict verdict :
       {Verdict::kPass, Verdict::kFail, Verdict::kWarning, Verdict::kNotSupported,
        Verdict::kResourceError, Verdict::kHarnessError, Verdict::kWaived, Verdict::kNotTested}) {
    const std::size_t count = count_cases(report, verdict);
    if (count == 0 && verdict != Verdict::kPass && verdict != Verdict::kFail) {
      continue;
    }
    std::string name = verdict_name(verdict);
    std::ranges::replace(name, '_', ' ');
    const Badge badge{name.c_str(), badge_of(verdict).colour};
    out << separator << count << ' ' << painted(badge, options.colour && count > 0);
    separator = ", ";
  }
  out << '\n';
}

}  // namespace assay::conformance
