// SPDX-License-Identifier: Apache-2.0
// assay compare: judge a dump, of any origin, against a golden and by replay.
#include <chrono>
#include <iostream>
#include <optional>

#include "conformance/compare/blame.h"
#include "conformance/compare/chained.h"
#include "conformance/compare/replay.h"
#include "conformance/program/golden_files.h"
#include "conformance/program/judges.h"
#include "conformance/program/options.h"
#include "conformance/records/dump.h"
#include "reference/core/error.h"

namespace assay::program {
namespace {

using conformance::CaseResult;
using conformance::Golden;

// The checkpoint that was named, or the one that lies with the golden; empty when there is none.
std::string checkpoint_for(const CompareOptions& options, const Golden& golden) {
  if (!options.checkpoint.empty() || golden.checkpoint.empty()) {
    return options.checkpoint;
  }
  try {
    return checkpoint_of(options.golden, golden.checkpoint).string();
  } catch (const Error&) {
    return "";
  }
}

std::string drafter_for(const CompareOptions& options, const Golden& golden) {
  if (!options.drafter.empty() || !golden.input.draft) {
    return options.drafter;
  }
  return checkpoint_of(options.golden, golden.drafter).string();
}

std::string reproduce(const CompareOptions& options) {
  std::vector<std::string> words = {"assay", "compare", options.golden, options.dump};
  for (const auto& [name, value] : {std::pair{"--map", options.map},
                                    {"--checkpoint", options.checkpoint},
                                    {"--drafter", options.drafter},
                                    {"--precision", options.precision},
                                    {"--mode", options.mode},
                                    {"--profile", options.profile}}) {
    if (!value.empty()) {
      words.insert(words.end(), {name, value});
    }
  }
  return command_line(words);
}

conformance::Dump load_dump(const CompareOptions& options) {
  if (options.map.empty()) {
    return conformance::read_dump(options.dump);
  }
  const auto map = conformance::NameMap::read(options.map);
  return conformance::read_dump(options.dump, &map);
}

// What of the dump will not be judged, and whether anything will.
void show_ignored(const Golden& golden, const conformance::Dump& dump,
                  const CompareOptions& options) {
  for (const std::string& name : dump.unknown) {
    std::cout << "ignored: " << name << " is no tap of the catalogue\n";
  }
  if (dump.unknown.size() == dump.taps.size()) {
    throw Error(options.dump +
                ": got no tap of the catalogue, expected names as assay taps "
                "prints them, or a table of names with --map");
  }
  const std::string folder = std::filesystem::path(options.checkpoint).filename().string();
  if (!folder.empty() && !golden.checkpoint.empty() && folder != golden.checkpoint) {
    std::cout << "note: the golden was made from checkpoint '" << golden.checkpoint
              << "' and is judged with '" << folder << "'\n";
  }
}

// The golden's question with the truth of another profile: the reference's own fp64 run.
Golden under_profile(Golden golden, Judges& judges, const conformance::TapSet& dump,
                     const std::string& profile) {
  std::set<std::string> taps = names_of(golden.truth);
  taps.merge(names_of(dump));
  auto other =
      conformance::golden_from_run(judges.f64(), golden.input, conformance::with_consulted(taps));
  std::cout << "note: the golden follows " << golden.profile
            << ": the truth is the reference's own fp64 run under " << profile << "\n";
  golden.truth = std::move(other.truth);
  golden.floors.clear();
  golden.profile = profile;
  return golden;
}

void report_case(CaseResult result, const CompareOptions& options, const Golden& golden,
                 const std::string& checkpoint, conformance::Report& report) {
  result.case_name = golden.case_name;
  result.checkpoint = checkpoint.empty() ? golden.checkpoint
                                         : std::filesystem::path(checkpoint).filename().string();
  result.impl = std::filesystem::path(options.dump).stem().string();
  result.precision = options.precision;
  result.reproduce = reproduce(options);
  show_case(result);
  report.cases.push_back(std::move(result));
}

}  // namespace

int compare(const CompareOptions& options) {
  const auto& precision = precision_named(options.precision);
  Modes modes = modes_named(options.mode);
  Golden golden = conformance::read_golden(options.golden);
  const std::string profile = options.profile.empty() ? golden.profile : options.profile;
  const auto dump = load_dump(options);
  show_ignored(golden, dump, options);

  Judges judges;
  const std::string checkpoint = checkpoint_for(options, golden);
  if (checkpoint.empty()) {
    if (!options.mode.empty() && modes.replay) {
      throw Error("--mode replay: got no checkpoint, expected one with --checkpoint");
    }
    modes.replay = false;
    std::cout << "no checkpoint: the dump cannot be replayed, blame is the first failing tap\n";
  } else {
    judges.use(checkpoint, drafter_for(options, golden), profile);
  }
  if (profile != golden.profile) {
    if (checkpoint.empty()) {
      throw Error("--profile: got " + profile + " for a golden of profile " + golden.profile +
                  " and no checkpoint, expected one with --checkpoint to make the truth with");
    }
    golden = under_profile(std::move(golden), judges, dump.taps, profile);
  }

  const auto start = std::chrono::steady_clock::now();
  const auto floors =
      judges.floors(golden, names_of(dump.taps), precision, modes.chained, modes.replay);
  std::optional<CaseResult> replayed;
  if (modes.replay) {
    replayed = conformance::replay(judges.f64(), golden.input, dump.taps, floors);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    replayed->seconds = seconds.count();
  }
  conformance::Report report;
  report.command = options.command;
  if (modes.chained) {
    CaseResult chained = conformance::compare_chained(golden, dump.taps, floors);
    const auto* steps = replayed ? &*replayed : nullptr;
    conformance::blame(chained, steps);
    if (judges.ready()) {
      name_profile(judges, golden, dump.taps, floors, steps, chained);
    }
    report_case(std::move(chained), options, golden, checkpoint, report);
  }
  if (replayed) {
    if (!modes.chained) {
      name_profile(judges, golden, dump.taps, floors, &*replayed, *replayed);
    }
    report_case(std::move(*replayed), options, golden, checkpoint, report);
  }
  return finish_report(report, options.report);
}

}  // namespace assay::program
