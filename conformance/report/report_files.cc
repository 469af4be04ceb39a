// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/report_files.h"

#include <system_error>

#include "conformance/report/html.h"
#include "conformance/report/json_report.h"
#include "conformance/report/junit.h"
#include "conformance/report/markdown.h"
#include "conformance/report/write_file.h"
#include "reference/family/base/error.h"

namespace assay::conformance {

void write_reports(const std::filesystem::path& folder, const Report& report) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder, error)) {
    throw Error(folder.string() + ": folder: got " +
                (error ? error.message() : std::string("no folder")) +
                ", expected a place for reports");
  }
  write_file(folder / "report.json", json_report(report));
  write_file(folder / "junit.xml", junit_report(report));
  write_file(folder / "report.html", html_report(report));
  write_file(folder / "report.md", markdown_report(report));
}

}  // namespace assay::conformance
