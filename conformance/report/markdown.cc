// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/markdown.h"

#include <sstream>

#include "conformance/report/terminal.h"

namespace assay::conformance {
namespace {

// Indented, so that nothing in a foreign name ends the block.
std::string block(const std::string& text) {
  std::string indented = "    ";
  for (const char c : text) {
    indented += c;
    if (c == '\n') {
      indented += "    ";
    }
  }
  return indented.substr(0, indented.find_last_not_of(' ') + 1) + "\n";
}

}  // namespace

std::string markdown_report(const Report& report) {
  std::ostringstream summary;
  print_summary(summary, report, {});
  std::ostringstream bad;
  std::ostringstream good;
  for (const CaseResult& result : report.cases) {
    if (result.verdict != Verdict::kNotSupported) {
      print_case(result.verdict == Verdict::kPass ? good : bad, result, {});
    }
  }
  std::ostringstream skipped;
  print_skipped(skipped, report, {});
  std::string text = "# assay: " + summary.str() + "\n" + block(report.command + "\n");
  if (!bad.str().empty()) {
    text += "## Did not pass\n\n" + block(bad.str());
  }
  if (!good.str().empty()) {
    text += "## Passed\n\n" + block(good.str());
  }
  if (!skipped.str().empty()) {
    text += "## Not supported\n\n" + block(skipped.str());
  }
  return text;
}

}  // namespace assay::conformance
