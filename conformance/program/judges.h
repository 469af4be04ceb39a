// SPDX-License-Identifier: Apache-2.0
// The two builds of the registry's oracle, loaded with the checkpoint of a case: the fp64 one is
// the judge of replay, both together measure floors. Who is judged is another matter.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/compare/floors.h"
#include "conformance/compare/profiled.h"
#include "conformance/interface/implementation.h"
#include "conformance/records/golden.h"
#include "conformance/report/result.h"
#include "reference/family/config/config.h"

namespace assay::program {

class Judges {
 public:
  // Loads when the checkpoint is another one than before. Judges follow `profile`.
  void use(const std::string& checkpoint, const std::string& drafter, const std::string& profile);
  bool ready() const { return f64_ != nullptr; }

  const ModelConfig& model() const { return model_; }
  const ModelConfig* drafter_model() const { return drafter_model_ ? &*drafter_model_ : nullptr; }
  conformance::Implementation& f64() { return *f64_judge_; }
  // The build itself, which follows the profile that a run asks for.
  conformance::Implementation& f64_of_any_profile() { return *f64_; }

  // Stored floors where the golden has all of them, measured ones otherwise.
  conformance::Floors floors(const conformance::Golden& golden, const std::set<std::string>& taps,
                             const conformance::PrecisionClass& precision, bool chained,
                             bool replay);

 private:
  void load(const std::string& checkpoint, const std::string& drafter);

  std::string checkpoint_;
  std::string drafter_;
  ModelConfig model_;
  std::optional<ModelConfig> drafter_model_;
  std::unique_ptr<conformance::Implementation> f64_;
  std::unique_ptr<conformance::Implementation> f32_;
  std::optional<conformance::Profiled> f64_judge_;
  std::optional<conformance::Profiled> f32_judge_;
};

// Looks for the profile that a failing dump follows, and writes what it finds into the result.
// `replayed`: of the same dump, or null. Without judges nothing is looked for.
void name_profile(Judges& judges, const conformance::Golden& golden,
                  const conformance::TapSet& dump, const conformance::Floors& floors,
                  const conformance::CaseResult* replayed, conformance::CaseResult& result);

// The class of a --precision; throws for an unknown name.
const conformance::PrecisionClass& precision_named(const std::string& name);

// A --profile in its usual spelling, or the golden's where none was given. Throws for a switch or a
// value that is not known.
std::string profile_named(const std::string& option, const std::string& golden);

// "--mode": which of the two a run should do. Empty: both. Throws for an unknown name.
struct Modes {
  bool chained = true;
  bool replay = true;
};
Modes modes_named(const std::string& name);

std::set<std::string> names_of(const conformance::TapSet& taps);

// Prints each case as it comes, then the summary; writes the reports. Returns the exit status.
int finish_report(const conformance::Report& report, const std::string& folder);
void print_result(const conformance::CaseResult& result);

// "x y" from its words, quoted for a shell where needed.
std::string command_line(const std::vector<std::string>& words);

}  // namespace assay::program
