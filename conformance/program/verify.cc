// SPDX-License-Identifier: Apache-2.0
// assay verify: run an implementation on goldens and judge its taps.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/fed.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/listeners.h"
#include "conformance/program/coverage.h"
#include "conformance/program/diagnosis.h"
#include "conformance/program/glob.h"
#include "conformance/program/golden_files.h"
#include "conformance/program/implementations.h"
#include "conformance/program/judges.h"
#include "conformance/program/options.h"
#include "conformance/program/own_case.h"
#include "conformance/program/power.h"
#include "conformance/program/properties.h"
#include "reference/family/base/error.h"
#include "reference/family/checkpoint/gguf_files.h"

namespace assay::program {
namespace {

// So many times --diagnosis is spent on explaining failures, all cases together.
constexpr double kDiagnoses = 3;

using conformance::CaseResult;
using conformance::Golden;
using conformance::Mode;

bool level_has(const std::string& level, const std::string& tap) {
  if (level == "logits") {
    return conformance::role_of(tap).logits;
  }
  if (level == "blocks") {
    const auto match = conformance::find_tap(tap);
    return match && match->entry->mandatory;
  }
  return true;
}

// What a level leaves out is not claimed.
conformance::TapFilter claim_of(const std::string& level) {
  if (level == "taps") {
    return {};
  }
  return [level](const std::string& tap) { return level_has(level, tap); };
}

// Everything about one golden that does not change with the precision.
struct Subject {
  Golden golden;
  std::string checkpoint;
  std::string drafter;
  bool has_file = true;  // false: the built-in case, whose truth is the fp64 build
};

class Verifier {
 public:
  explicit Verifier(const VerifyOptions& options)
      : options_(options),
        entry_(entry_named(options.impl)),
        modes_(modes_named(options.mode, true)),
        seconds_left_(kDiagnoses * options.diagnosis) {
    if (options.depth != 0 && !modes_.contains(Mode::kForced)) {
      throw Error("--depth: got " + std::to_string(options.depth) + ", expected --mode forced too");
    }
    if (entry_.is_oracle && options.mode.empty()) {
      modes_.erase(Mode::kReplay);  // the judge is not judged by itself
    }
    report_.command = options.command;
  }

  // `all_precisions`: also classes that cannot differ on this checkpoint.
  void judge(const Subject& subject, bool all_precisions) {
    const auto* distinct = all_precisions ? nullptr : distinct_precisions(subject.checkpoint);
    for (const std::string& precision : options_.precisions) {
      if (distinct == nullptr || std::ranges::find(*distinct, precision) != distinct->end()) {
        judge_precision(subject, precision);
      }
    }
  }

  // A checkpoint without a golden.
  void judge_own_case() {
    const std::string profile = profile_named(options_.profile, "REF");
    judges_.use(options_.checkpoint, options_.drafter, profile);
    Subject subject{own_case(judges_.oracle()->f64(), judges_.model(), options_),
                    options_.checkpoint, options_.drafter, false};
    subject.golden.profile = profile;
    judge(subject, true);
  }

  conformance::Report& report() { return report_; }
  const Coverage& coverage() const { return coverage_; }
  const RunPower& power() const { return power_; }

 private:
  const std::vector<std::string>* distinct_precisions(const std::string& checkpoint);
  void judge_precision(const Subject& subject, const std::string& precision);
  LoadedImplementation& candidate_in(const std::string& precision);
  conformance::RunOptions run_options(const Subject& subject) const;
  void judge_fed_run(const Subject& subject, const std::string& precision, Mode mode);
  conformance::Status run(const Subject& subject, const std::string& precision,
                          conformance::TapSet& taps);
  void explain_failures(const Golden& golden, const conformance::TapSet& dump,
                        const conformance::PrecisionClass& precision,
                        std::vector<CaseResult>& results);
  void add_without_taps(const Subject& subject, const std::string& precision,
                        const conformance::Status& status);
  void add(CaseResult result, const Subject& subject, const std::string& precision);
  std::string reproduce(const Subject& subject, const std::string& precision) const;

  const VerifyOptions& options_;
  const conformance::ImplementationEntry& entry_;
  std::map<std::string, LoadedImplementation> candidates_;  // by precision
  std::set<Mode> modes_;
  std::map<std::string, std::vector<std::string>> distinct_;  // precisions by checkpoint
  Judges judges_;
  double seconds_left_;  // for diagnoses, all cases together
  Coverage coverage_;
  RunPower power_;
  conformance::Report report_;
};

// Whether a candidate that answers so has ended its case, and no more: the others go on.
bool ends_a_case(conformance::StatusCode code) {
  return code == conformance::StatusCode::kNotSupported ||
         code == conformance::StatusCode::kResourceError;
}

// Null: all differ.
const std::vector<std::string>* Verifier::distinct_precisions(const std::string& checkpoint) {
  if (!entry_.distinct_precisions) {
    return nullptr;
  }
  const auto [at, is_new] = distinct_.try_emplace(checkpoint);
  if (is_new) {
    at->second = entry_.distinct_precisions(checkpoint);
  }
  return &at->second;
}

LoadedImplementation& Verifier::candidate_in(const std::string& precision) {
  auto& candidate = candidates_.try_emplace(precision, entry_, precision).first->second;
  report_.executed_on = candidate.get().capabilities().executed_on;
  return candidate;
}

conformance::RunOptions Verifier::run_options(const Subject& subject) const {
  conformance::RunOptions run;
  run.prefill_chunk = options_.prefill;
  run.profile = profile_named(options_.profile, subject.golden.profile);
  return run;
}

conformance::Status Verifier::run(const Subject& subject, const std::string& precision,
                                  conformance::TapSet& taps) {
  conformance::CollectingListener listener([&](const std::string& tap) {
    return subject.golden.truth.has(tap) && level_has(options_.level, tap);
  });
  const auto run = run_options(subject);
  auto& candidate = candidate_in(precision);
  auto status = candidate.load(subject.checkpoint, subject.drafter);
  if (status.ok()) {
    status = candidate.get().run(subject.golden.input, run, listener);
  }
  if (!ends_a_case(status.code)) {
    conformance::require_ok(status, subject.golden.path.string());
    listener.check();
    taps = std::move(listener.taps());
  }
  return status;
}

void Verifier::judge_precision(const Subject& subject, const std::string& precision) {
  const auto start = std::chrono::steady_clock::now();
  const auto& precision_class = precision_named(precision);
  judges_.use(subject.checkpoint, subject.drafter, subject.golden.profile);
  if (!options_.checkpoint.empty() && subject.has_file) {
    check_checkpoint(judges_, subject.checkpoint, subject.golden);
  }
  if (const Mode mode = *modes_.begin(); mode == Mode::kIsolated || mode == Mode::kForced) {
    judge_fed_run(subject, precision, mode);
    return;
  }
  conformance::TapSet dump;
  if (const auto status = run(subject, precision, dump); !status.ok()) {
    add_without_taps(subject, precision, status);
    return;
  }

  const std::chrono::duration<double> run_time = std::chrono::steady_clock::now() - start;

  auto results = conformance::judge_run(subject.golden, dump, judges_.oracle(), precision_class,
                                        modes_, claim_of(options_.level));
  results.front().seconds += run_time.count();
  add_power(subject.golden.path, precision_class, results);
  explain_failures(subject.golden, dump, precision_class, results);
  for (CaseResult& result : results) {
    add(std::move(result), subject, precision);
  }
}

// A run that takes the truth in between.
void Verifier::judge_fed_run(const Subject& subject, const std::string& precision, Mode mode) {
  const auto run = run_options(subject);
  auto& candidate = candidate_in(precision);
  if (const auto status = candidate.load(subject.checkpoint, subject.drafter); !status.ok()) {
    add_without_taps(subject, precision, status);
    return;
  }
  add(conformance::judge_fed(subject.golden, candidate.get(), run, *judges_.oracle(),
                             precision_named(precision), mode, options_.depth,
                             claim_of(options_.level)),
      subject, precision);
}

// Of a port that is wrong everywhere, the first few failures are explained.
void Verifier::explain_failures(const Golden& golden, const conformance::TapSet& dump,
                                const conformance::PrecisionClass& precision,
                                std::vector<CaseResult>& results) {
  const auto start = std::chrono::steady_clock::now();
  add_diagnosis(golden, dump, judges_, precision, std::min(options_.diagnosis, seconds_left_),
                results);
  const std::chrono::duration<double> used = std::chrono::steady_clock::now() - start;
  seconds_left_ -= used.count();
}

// What the candidate lacks is nobody's failure; what it runs out of is its own.
void Verifier::add_without_taps(const Subject& subject, const std::string& precision,
                                const conformance::Status& status) {
  CaseResult result;
  result.case_name = subject.golden.case_name;
  result.checkpoint = checkpoint_name(subject.checkpoint);
  result.impl = options_.impl;
  result.precision = precision;
  result.mode = Mode::kChained;
  result.verdict = status.code == conformance::StatusCode::kResourceError
                       ? conformance::Verdict::kResourceError
                       : conformance::Verdict::kNotSupported;
  result.message = status.message;
  result.reproduce = reproduce(subject, precision);
  if (result.verdict != conformance::Verdict::kNotSupported) {  // those are told together
    print_result(result);
  }
  report_.cases.push_back(std::move(result));
}

void Verifier::add(CaseResult result, const Subject& subject, const std::string& precision) {
  result.case_name = subject.golden.case_name;
  result.checkpoint = checkpoint_name(subject.checkpoint);
  result.impl = options_.impl;
  result.precision = precision;
  result.reproduce = reproduce(subject, precision);
  if (!subject.has_file) {
    result.message = "no golden: the truth is the reference's own fp64 build";
  }
  coverage_.note(subject.golden, judges_.model(), judges_.drafter_model(), result);
  power_.note(result);
  auto power = std::exchange(result.power, {});  // printed for the run, not for each case
  print_result(result);
  result.power = std::move(power);
  report_.cases.push_back(std::move(result));
}

std::string Verifier::reproduce(const Subject& subject, const std::string& precision) const {
  std::vector<std::string> words = {"assay",       "verify",       "--impl",
                                    options_.impl, "--checkpoint", subject.checkpoint,
                                    "--precision", precision};
  const auto option = [&words](const char* name, const std::string& value) {
    if (!value.empty()) {
      words.insert(words.end(), {name, value});
    }
  };
  option("--golden", subject.has_file ? subject.golden.path.string() : "");
  option("--drafter", subject.drafter);
  option("--prefill", options_.prefill == 0 ? "" : std::to_string(options_.prefill));
  option("--mode", options_.mode);
  option("--depth", options_.depth == 0 ? "" : std::to_string(options_.depth));
  option("--profile", options_.profile);
  option("--target", options_.target);
  return command_line(words);
}

// The case of a golden file; nothing when its file's name (or folder/name) does not match --case.
std::optional<Subject> subject_of(const std::filesystem::path& file, const VerifyOptions& options) {
  const std::string name = file.stem().string();
  if (!glob_matches(options.case_glob, name) &&
      !glob_matches(options.case_glob, file.parent_path().filename().string() + "/" + name)) {
    return std::nullopt;
  }
  Subject subject;
  subject.golden = conformance::read_golden(file);
  subject.checkpoint = options.checkpoint.empty()
                           ? checkpoint_of(file, subject.golden.checkpoint).string()
                           : options.checkpoint;
  subject.drafter = options.drafter;
  if (subject.drafter.empty() && subject.golden.input.draft) {
    subject.drafter = checkpoint_of(file, subject.golden.drafter).string();
  }
  return subject;
}

void check_options(const VerifyOptions& options) {
  if (options.level != "logits" && options.level != "blocks" && options.level != "taps") {
    throw Error("--level: got '" + options.level + "', expected logits, blocks or taps");
  }
  profile_named(options.profile, "");
}

}  // namespace

int verify(const VerifyOptions& given) {
  VerifyOptions options = given;
  check_options(options);
  const auto& entry = entry_named(options.impl);
  use_target(entry, options.target);
  if (options.precisions.empty()) {
    options.precisions = entry.precisions;
  }
  Verifier verifier(options);
  if (options.golden.empty() && !options.checkpoint.empty()) {
    if (given.precisions.empty() && entry.is_oracle) {
      std::erase(options.precisions, "f64");  // fp64 is the truth here
    }
    if (!options.properties || glob_matches(options.case_glob, own_case_name(options))) {
      verifier.judge_own_case();
    }
  } else {
    const auto place =
        options.golden.empty() ? committed_goldens() : std::filesystem::path(options.golden);
    for (const auto& file : golden_files(place)) {
      if (const auto subject = subject_of(file, options)) {
        verifier.judge(*subject, !given.precisions.empty());
      }
    }
  }
  if (options.properties) {
    options.precisions = given.precisions.empty() ? entry.precisions : given.precisions;
    try_properties(options, verifier.report());
  }
  if (verifier.report().cases.empty()) {
    throw Error("--case: got '" + options.case_glob +
                "', expected a pattern that some case matches");
  }
  if (options.level == "taps") {
    verifier.coverage().print(std::cout);
  }
  verifier.power().print(std::cout);
  return finish_report(verifier.report(), options.report);
}

}  // namespace assay::program
