// SPDX-License-Identifier: Apache-2.0
// assay mutate: prove the suite. Runs the mistakes of the catalogue and prints where each is
// caught.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "conformance/compare/precision.h"
#include "conformance/mutants/kill_table.h"
#include "conformance/mutants/mutants_json.h"
#include "conformance/program/glob.h"
#include "conformance/program/golden_files.h"
#include "conformance/program/judges.h"
#include "conformance/program/options.h"
#include "reference/family/base/error.h"

namespace assay::program {
namespace {

using conformance::Fate;
using conformance::Kill;
using conformance::Mutant;

// Seconds that one mutant takes, on one core of a machine of 2024: it tells the user before the
// run about how long to wait, and is corrected by what is measured.
constexpr double kSecondsEach = 0.5;
// Cases on which a mutant that was not caught is tried.
constexpr std::size_t kMostTries = 12;

std::vector<const Mutant*> matching(const MutateOptions& options) {
  std::vector<const Mutant*> some;
  for (const Mutant& mutant : conformance::all_mutants()) {
    const std::string mistake(conformance::mistake_label(mutant.label));
    if (glob_matches(options.glob, mutant.label) || glob_matches(options.glob, mistake)) {
      some.push_back(&mutant);
    }
  }
  if (some.empty()) {
    throw Error("mutate: got '" + options.glob +
                "', expected a pattern that some mutant's label matches, as 'M-60*'");
  }
  if (options.sample != 0 && options.sample < some.size()) {
    conformance::Random random(options.seed);
    for (std::size_t i = 0; i < options.sample; ++i) {
      std::swap(some[i], some[i + random.next() % (some.size() - i)]);
    }
    some.resize(options.sample);
  }
  return some;
}

// The committed cases that a mutant can be tried on, small ones first: of the reference profile,
// whose weights are stored as numbers.
std::vector<std::filesystem::path> trial_cases(const MutateOptions& options) {
  std::vector<std::filesystem::path> some;
  const auto place =
      options.golden.empty() ? committed_goldens() : std::filesystem::path(options.golden);
  for (const auto& file : golden_files(place)) {
    const std::string checkpoint = file.parent_path().filename().string();
    const std::string name = checkpoint + "/" + file.stem().string();
    const bool plain = name.find("switch-") == std::string::npos &&
                       checkpoint.find("-q") == std::string::npos &&
                       checkpoint.find("-kmix") == std::string::npos;
    if (plain && (glob_matches(options.case_glob, name) ||
                  glob_matches(options.case_glob, file.stem().string()))) {
      some.push_back(file);
    }
  }
  std::ranges::sort(some, {}, [](const auto& file) { return std::filesystem::file_size(file); });
  if (some.empty()) {
    throw Error("--case: got '" + options.case_glob +
                "', expected a pattern that some case matches");
  }
  return some;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// How much a result is worth: a mutant is tried on until it is killed.
int rank(const Kill& kill) {
  return kill.fate == Fate::kKilled      ? 3
         : kill.fate == Fate::kMisplaced ? 2
         : kill.fate == Fate::kEscaped   ? 1
                                         : 0;
}

class Mutator {
 public:
  explicit Mutator(const MutateOptions& options)
      : options_(options), precision_(precision_named(options.precision)) {}

  int run() {
    const auto mutants = matching(options_);
    resume(mutants);
    std::vector<const Mutant*> open;
    for (const Mutant* mutant : mutants) {
      if (rank(table_[mutant->label]) < 3) {
        table_[mutant->label] = {mutant->label, "", mutant->expected, "", 0, Fate::kEquivalent};
        open.push_back(mutant);
      }
    }
    const auto cases = trial_cases(options_);
    std::cout << mutants.size() << " mutants, " << open.size() << " to run: about "
              << static_cast<int>(static_cast<double>(open.size()) * kSecondsEach / 60 + 1)
              << " min\n";
    std::cout.flush();
    for (const auto& file : cases) {
      if (open.empty()) {
        break;
      }
      try_case(file, open);
      std::erase_if(open, [&](const Mutant* mutant) {
        return rank(table_[mutant->label]) == 3 || tries_[mutant->label] >= kMostTries;
      });
    }
    return finish(mutants);
  }

 private:
  void resume(const std::vector<const Mutant*>& mutants) {
    const auto path = std::filesystem::path(options_.report) / "mutants.json";
    if (!options_.resume || options_.report.empty() || !std::filesystem::exists(path)) {
      return;
    }
    for (const Kill& kill : conformance::read_mutants_json(read_text(path), path.string())) {
      const bool wanted = std::ranges::any_of(
          mutants, [&](const Mutant* mutant) { return mutant->label == kill.label; });
      if (wanted) {
        table_[kill.label] = kill;
      }
    }
  }

  void try_case(const std::filesystem::path& file, const std::vector<const Mutant*>& open) {
    const auto golden = conformance::read_golden(file);
    if (golden.profile != "REF") {
      return;
    }
    const std::string checkpoint = checkpoint_of(file, golden.checkpoint).string();
    const std::string drafter =
        golden.input.draft ? checkpoint_of(file, golden.drafter).string() : "";
    judges_.use(checkpoint, drafter, golden.profile);
    const conformance::MutantModel model(checkpoint, drafter);
    const std::string name = file.parent_path().filename().string() + "/" + file.stem().string();
    conformance::CaseTrials trials(golden, name, *judges_.oracle(), model, precision_);
    for (const Mutant* mutant : open) {
      if (!trials.has_taps_of(*mutant)) {
        continue;
      }
      Kill kill = trials.judge(*mutant);
      tries_[mutant->label] += kill.fate == Fate::kEquivalent ? 0 : 1;
      Kill& best = table_[mutant->label];
      if (rank(kill) > rank(best)) {
        best = std::move(kill);
      }
    }
    save();
  }

  conformance::KillTable table_of(const std::vector<const Mutant*>& mutants) const {
    conformance::KillTable table;
    for (const Mutant* mutant : mutants) {
      table.kills.push_back(table_.at(mutant->label));
    }
    return table;
  }

  void save() const {
    if (!options_.report.empty()) {
      conformance::KillTable table;
      for (const auto& [label, kill] : table_) {
        if (!kill.case_name.empty()) {
          table.kills.push_back(kill);
        }
      }
      conformance::write_mutants_json(options_.report, table);
    }
  }

  int finish(const std::vector<const Mutant*>& mutants) const {
    const conformance::KillTable table = table_of(mutants);
    conformance::print_kill_table(std::cout, table);
    if (!options_.report.empty()) {
      conformance::write_mutants_json(options_.report, table);
      std::cout << "mutants.json in " << options_.report << "\n";
    }
    return conformance::all_killed(table) ? 0 : 1;
  }

  const MutateOptions& options_;
  const conformance::PrecisionClass& precision_;
  Judges judges_;
  std::map<std::string, Kill> table_;  // by label
  std::map<std::string, std::size_t> tries_;
};

}  // namespace

int mutate(const MutateOptions& options) {
  return Mutator(options).run();
}

}  // namespace assay::program
