// SPDX-License-Identifier: Apache-2.0
// The two builds of the registry's oracle, loaded with the checkpoint of a case: the fp64 one is
// the judge of replay, both together measure floors. Who is judged is another matter.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/compare/judge_run.h"
#include "conformance/compare/verdict.h"
#include "conformance/interface/implementation.h"
#include "conformance/mutants/scene.h"
#include "reference/family/config/config.h"

namespace assay::program {

class Judges {
 public:
  // Loads when the checkpoint is another one than before. Judges follow `profile`.
  void use(const std::string& checkpoint, const std::string& drafter, const std::string& profile);

  const ModelConfig& model() const { return model_; }
  const ModelConfig* drafter_model() const { return drafter_model_ ? &*drafter_model_ : nullptr; }
  // The weights as mistakes read them.
  const conformance::MutantModel& mutant_model();
  // Null before use().
  conformance::Oracle* oracle() { return oracle_ ? &*oracle_ : nullptr; }

 private:
  void load(const std::string& checkpoint, const std::string& drafter);

  std::string checkpoint_;
  std::string drafter_;
  ModelConfig model_;
  std::optional<ModelConfig> drafter_model_;
  std::optional<conformance::MutantModel> mutant_model_;
  std::unique_ptr<conformance::Implementation> f64_;
  std::unique_ptr<conformance::Implementation> f32_;
  std::optional<conformance::Oracle> oracle_;
};

// "f64, f32 or bf16", with `last` before the last of them.
std::string precision_class_names(const std::string& last);

// The class of a --precision; throws for an unknown name.
const conformance::PrecisionClass& precision_named(const std::string& name);

// A --profile in its usual spelling, or the golden's where none was given. Throws for a switch or a
// value that is not known.
std::string profile_named(const std::string& option, const std::string& golden);

// "--only": the taps that a pattern claims to be right; no filter for no pattern.
conformance::TapFilter claim_named(const std::string& pattern);

// Throws unless the fp64 run of the checkpoint gives the golden's truth (identity.h).
void check_checkpoint(Judges& judges, const std::string& checkpoint,
                      const conformance::Golden& golden);

// "--mode": what a run is judged by. Empty: all that a dump is judged by. Throws for an unknown
// name, and for a mode that takes part in the run where there is none (`of_runs` false).
std::set<conformance::Mode> modes_named(const std::string& name, bool of_runs = false);

// Prints what was skipped and the summary; writes the reports. Returns the exit status.
int finish_report(const conformance::Report& report, const std::string& folder);
// One case, as it comes.
void print_result(const conformance::CaseResult& result);

// "x y" from its words, quoted for a shell where needed.
std::string command_line(const std::vector<std::string>& words);

}  // namespace assay::program
