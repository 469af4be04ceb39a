// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/junit.h"

#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <locale>
#include <sstream>

#include "conformance/report/collapse.h"
#include "conformance/report/coverage_note.h"

namespace assay::conformance {
namespace {

// The length of the UTF-8 character that begins at text[at], or 0 when there is none that XML may
// hold.
std::size_t character_length(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(at);
  if (first < 0x80) {
    return first >= 0x20 || first == '\n' || first == '\t' ? 1 : 0;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) {
    return 0;
  }
  std::uint32_t code = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) {
      return 0;
    }
    code = code << 6 | (byte(at + i) & 0x3Fu);
  }
  const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < least || code > 0x10FFFF || surrogate || code == 0xFFFE || code == 0xFFFF ? 0
                                                                                          : length;
}

std::string escaped_character(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    case '\n':
      return "&#10;";
    case '\t':
      return "&#9;";
    default:
      return std::string(1, c);
  }
}

struct Counts {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
  double seconds = 0;
};

void count(Counts& counts, const CaseResult& result) {
  ++counts.tests;
  counts.seconds += result.seconds;
  counts.failures += result.verdict == Verdict::kFail;
  counts.errors += result.verdict == Verdict::kResourceError;
  counts.errors += result.verdict == Verdict::kHarnessError;
  counts.errors += result.verdict == Verdict::kNotTested;
  counts.skipped += result.verdict == Verdict::kNotSupported;
  counts.skipped += result.verdict == Verdict::kWaived;
}

std::string attributes_of(const Counts& counts) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << " tests=\"" << counts.tests << "\" failures=\"" << counts.failures << "\" errors=\""
       << counts.errors << "\" skipped=\"" << counts.skipped << "\" time=\"" << std::fixed
       << std::setprecision(3) << counts.seconds << '"';
  return text.str();
}

std::string one_line(const CaseResult& result) {
  if (result.class_explains) {
    return result.class_note;
  }
  if (!result.profile_note.empty()) {
    return result.profile_note;
  }
  if (!result.message.empty()) {
    return result.message;
  }
  if (result.introduced_by.empty()) {
    return std::string(verdict_name(result.verdict));
  }
  std::string line = "introduced by";
  for (const TapGroup& group : collapse_layers(result.introduced_by)) {
    line += " " + group.label;
  }
  return line;
}

// What was tested, names that are no tap, and what else is to be said of the dump, a line each.
std::string hygiene(const CaseResult& result) {
  std::string text;
  if (result.coverage.kinds_known > 0) {
    text += "\ncoverage: " + std::to_string(result.coverage.kinds_judged) + " of " +
            std::to_string(result.coverage.kinds_known) + " kinds of tap";
  }
  if (const std::string note = coverage_note(result); !note.empty()) {
    text += "\ncoverage: " + note;
  }
  if (result.power.expressible > 0) {
    text += "\npower: " + describe(result.power);
  }
  for (const IgnoredName& ignored : result.ignored) {
    text += "\nignored: " + ignored.name +
            (ignored.meant.empty() ? "" : ": did you mean " + ignored.meant + "?");
  }
  for (const DumpNote& note : result.notes) {
    text += "\nnote:";
    for (const TapGroup& group : collapse_layers(note.taps)) {
      text += " " + group.label;
    }
    text += ": " + note.text;
  }
  return text;
}

std::string details(const CaseResult& result) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  for (const TapResult& tap : result.taps) {
    if (tap.verdict == Verdict::kFail) {
      text << tap.tap << ' ' << tap.code << " rel_l2 " << tap.rel_l2 << " budget " << tap.budget
           << (tap.rows_note.empty() ? "" : " ") << tap.rows_note
           << (tap.signature.empty() ? "" : " ") << tap.signature << (tap.note.empty() ? "" : " ")
           << tap.note << '\n';
    }
  }
  for (const std::string& failure : result.failures) {
    text << failure << '\n';
  }
  if (!result.reproduce.empty()) {
    text << "reproduce: " << result.reproduce << '\n';
  }
  const std::string more = hygiene(result);
  text << (more.empty() ? "" : more.substr(1) + "\n");
  return text.str();
}

std::string outcome(const CaseResult& result) {
  const std::string message = " message=\"" + xml_escaped(one_line(result)) + "\"";
  const std::string type = std::string(" type=\"") + verdict_name(result.verdict) + "\"";
  const std::string text = xml_escaped(details(result));
  switch (result.verdict) {
    case Verdict::kPass: {
      const std::string notes = hygiene(result);
      return notes.empty() ? "" : "<system-out>" + xml_escaped(notes.substr(1)) + "</system-out>";
    }
    case Verdict::kWarning:
      return "<system-out>warning: " + xml_escaped(one_line(result) + hygiene(result)) +
             "</system-out>";
    case Verdict::kFail:
      return "<failure" + message + type + ">" + text + "</failure>";
    case Verdict::kResourceError:
    case Verdict::kHarnessError:
    case Verdict::kNotTested:
      return "<error" + message + type + ">" + text + "</error>";
    case Verdict::kNotSupported:
    case Verdict::kWaived:
      return "<skipped" + message + "/>";
  }
  return "";
}

std::string test_case(const CaseResult& result) {
  Counts time;
  time.seconds = result.seconds;
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << "    <testcase name=\""
       << xml_escaped(result.case_name + " [" + mode_name(result.mode) + "]") << "\" classname=\""
       << xml_escaped(result.checkpoint + "." + result.impl + "." + result.precision)
       << "\" time=\"" << std::fixed << std::setprecision(3) << result.seconds << '"';
  const std::string inside = outcome(result);
  text << (inside.empty() ? "/>" : ">" + inside + "</testcase>") << '\n';
  return text.str();
}

}  // namespace

std::string xml_escaped(const std::string& text) {
  std::string escaped;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length == 0) {
      escaped += '?';
    } else if (length == 1) {
      escaped += escaped_character(text[at]);
    } else {
      escaped += text.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return escaped;
}

std::string junit_report(const Report& report) {
  std::vector<std::string> suites;  // checkpoints in the order in which they came
  Counts all;
  for (const CaseResult& result : report.cases) {
    count(all, result);
    if (std::ranges::find(suites, result.checkpoint) == suites.end()) {
      suites.push_back(result.checkpoint);
    }
  }
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  xml += "<testsuites name=\"assay\"" + attributes_of(all) + ">\n";
  for (const std::string& suite : suites) {
    Counts counts;
    std::string cases;
    for (const CaseResult& result : report.cases) {
      if (result.checkpoint == suite) {
        count(counts, result);
        cases += test_case(result);
      }
    }
    xml += "  <testsuite name=\"" + xml_escaped(suite) + "\"" + attributes_of(counts) + ">\n";
    xml += cases + "  </testsuite>\n";
  }
  return xml + "</testsuites>\n";
}

}  // namespace assay::conformance
