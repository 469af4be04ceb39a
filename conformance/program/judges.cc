// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/judges.h"

#include <unistd.h>

#include <iostream>

#include "conformance/compare/identity.h"
#include "conformance/program/glob.h"
#include "conformance/program/implementations.h"
#include "conformance/program/notes.h"
#include "conformance/report/report_files.h"
#include "conformance/report/terminal.h"
#include "reference/family/base/error.h"
#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/config/profile.h"

namespace assay::program {

using conformance::Mode;

void Judges::use(const std::string& checkpoint, const std::string& drafter,
                 const std::string& profile) {
  if (f64_ == nullptr || checkpoint != checkpoint_ || drafter != drafter_) {
    load(checkpoint, drafter);
  }
  oracle_.emplace(*f64_, *f32_, profile);
}

void Judges::load(const std::string& checkpoint, const std::string& drafter) {
  oracle_.reset();
  mutant_model_.reset();
  const auto& oracle = conformance::oracle_entry();
  f64_ = make_implementation(oracle, "f64", checkpoint, drafter);
  f32_ = make_implementation(oracle, "f32", checkpoint, drafter);
  const auto opened = Checkpoint::open(checkpoint);
  print_notes(opened);
  model_ = opened.config();
  drafter_model_.reset();
  if (!drafter.empty()) {
    drafter_model_ = Checkpoint::open(drafter).config();
  }
  checkpoint_ = checkpoint;
  drafter_ = drafter;
}

const conformance::MutantModel& Judges::mutant_model() {
  if (!mutant_model_) {
    mutant_model_.emplace(checkpoint_, drafter_);
  }
  return *mutant_model_;
}

std::string precision_class_names(const std::string& last) {
  const auto classes = conformance::precision_classes();
  std::string names;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const bool is_last = i + 1 == classes.size();
    names += (i == 0 ? "" : is_last ? last : ", ") + std::string(classes[i].name);
  }
  return names;
}

const conformance::PrecisionClass& precision_named(const std::string& name) {
  const auto* precision = conformance::find_precision(name);
  if (precision == nullptr) {
    throw Error("--precision: got '" + name + "', expected one of " + precision_class_names(", "));
  }
  return *precision;
}

std::string profile_named(const std::string& option, const std::string& golden) {
  if (option.empty()) {
    return golden;
  }
  try {
    return profile_text(parse_profile(option));
  } catch (const Error& error) {
    throw Error(std::string("--") + error.what());
  }
}

conformance::TapFilter claim_named(const std::string& pattern) {
  if (pattern.empty()) {
    return {};
  }
  return [pattern](const std::string& tap) { return glob_matches(pattern, tap); };
}

void check_checkpoint(Judges& judges, const std::string& checkpoint,
                      const conformance::Golden& golden) {
  conformance::Profiled f64(judges.oracle()->f64_of_any_profile(), golden.profile);
  const std::string difference = conformance::other_checkpoint(f64, golden);
  if (difference.empty()) {
    return;
  }
  const std::string expected =
      golden.checkpoint.empty() ? "the one it was made from" : printable(golden.checkpoint);
  throw Error("--checkpoint: got " + printable(checkpoint) +
              ", whose fp64 run is not the truth of " + golden.path.filename().string() + " (" +
              difference + "), expected " + expected + "; --own-truth judges by that run instead");
}

std::set<Mode> modes_named(const std::string& name, bool of_runs) {
  if (name.empty()) {
    return {Mode::kChained, Mode::kReplay};
  }
  const auto mode = conformance::find_mode(name);
  const bool takes_part = mode == Mode::kIsolated || mode == Mode::kForced;
  if (!mode || !(conformance::is_runnable(*mode) || (of_runs && takes_part))) {
    throw Error("--mode: got '" + name + "', expected " +
                (of_runs ? "chained, replay, isolated or forced" : "chained or replay"));
  }
  return {*mode};
}

void print_result(const conformance::CaseResult& result) {
  conformance::TerminalOptions options;
  options.colour = conformance::is_colour_terminal(STDOUT_FILENO);
  conformance::print_case(std::cout, result, options);
  std::cout.flush();
}

int finish_report(const conformance::Report& report, const std::string& folder) {
  conformance::TerminalOptions options;
  options.colour = conformance::is_colour_terminal(STDOUT_FILENO);
  conformance::print_skipped(std::cout, report, options);
  conformance::print_summary(std::cout, report, options);
  if (!folder.empty()) {
    conformance::write_reports(folder, report);
    std::cout << "reports in " << folder << "\n";
  }
  return conformance::exit_code(report);
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    const bool plain =
        !word.empty() && word.find_first_of(" \t\n'\"\\$&|;<>()*?[]#~`!{}") == std::string::npos;
    line += line.empty() ? "" : " ";
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) {
      line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    line += '\'';
  }
  return line;
}

}  // namespace assay::program
