// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/properties.h"

#include <chrono>
#include <filesystem>
#include <optional>

#include "conformance/doors/registry.h"
#include "conformance/program/glob.h"
#include "conformance/program/golden_files.h"
#include "conformance/program/implementations.h"
#include "conformance/program/judges.h"
#include "conformance/properties/property.h"
#include "reference/family/checkpoint/gguf_files.h"

namespace assay::program {
namespace {

using conformance::CaseResult;
using conformance::Property;
using conformance::PropertyResult;

std::vector<std::string> checkpoints_of(const VerifyOptions& options) {
  if (!options.checkpoint.empty()) {
    return {options.checkpoint};
  }
  const auto folder = committed_goldens().parent_path() / "checkpoints";
  std::vector<std::string> all;
  for (const char* name :
       {"e2b-media-tiny", "e4b-tiny", "12b-media-tiny", "26b-media-tiny", "31b-tiny"}) {
    all.push_back((folder / name).string());
  }
  return all;
}

std::vector<const Property*> matching(const std::string& glob, const std::string& checkpoint) {
  std::vector<const Property*> some;
  for (const Property& property : conformance::properties()) {
    const std::string title = title_of(property);
    if (glob_matches(glob, title) || glob_matches(glob, checkpoint + "/" + title)) {
      some.push_back(&property);
    }
  }
  return some;
}

std::string reproduce(const VerifyOptions& options, const CaseResult& result,
                      const std::string& checkpoint) {
  std::vector<std::string> words = {
      "assay",    "verify",      "--properties",   "--impl", options.impl,    "--checkpoint",
      checkpoint, "--precision", result.precision, "--case", result.case_name};
  if (!options.profile.empty()) {
    words.insert(words.end(), {"--profile", options.profile});
  }
  return command_line(words);
}

// One implementation, in one precision, on one checkpoint.
void try_on(const VerifyOptions& options, const std::string& precision,
            const std::string& checkpoint, conformance::Report& report) {
  const std::string folder = checkpoint_name(checkpoint);
  const auto properties = matching(options.case_glob, folder);
  if (properties.empty()) {
    return;
  }
  const auto implementation = entry_named(options.impl).make(precision);
  std::optional<conformance::Subject> subject;
  PropertyResult unloaded;
  try {
    const std::string profile = profile_named(options.profile, "REF");
    const auto& oracle = conformance::oracle_entry();
    auto yardstick = std::make_shared<conformance::Yardstick>(
        oracle.make("f64"), oracle.make("f32"), class_of(*implementation), profile);
    subject.emplace(make_subject(*implementation, checkpoint, std::move(yardstick), profile));
  } catch (const conformance::Stopped& stopped) {
    unloaded.verdict = stopped.verdict();
    unloaded.message = stopped.what();
  }
  for (const Property* property : properties) {
    const auto start = std::chrono::steady_clock::now();
    const PropertyResult found = subject ? run_property(*property, *subject) : unloaded;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    CaseResult result;
    result.case_name = title_of(*property);
    result.checkpoint = folder;
    result.impl = options.impl;
    result.precision = precision;
    result.mode = conformance::Mode::kProperty;
    result.verdict = found.verdict;
    result.message = found.message;
    result.checks = found.checks;
    result.failed_checks = found.failed;
    result.failures = found.failures;
    result.seconds = seconds.count();
    result.reproduce = reproduce(options, result, checkpoint);
    print_result(result);
    report.cases.push_back(std::move(result));
  }
}

}  // namespace

void try_properties(const VerifyOptions& options, conformance::Report& report) {
  for (const std::string& checkpoint : checkpoints_of(options)) {
    for (const std::string& precision : options.precisions) {
      try_on(options, precision, checkpoint, report);
    }
  }
}

}  // namespace assay::program
