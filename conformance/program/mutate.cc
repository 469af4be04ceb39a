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

#include "conformance/compare/chained.h"
#include "conformance/compare/precision.h"
#include "conformance/mutants/kill_table.h"
#include "conformance/mutants/mutants_json.h"
#include "conformance/mutants/power.h"
#include "conformance/program/glob.h"
#include "conformance/program/golden_files.h"
#include "conformance/program/innocence.h"
#include "conformance/program/judges.h"
#include "conformance/program/options.h"
#include "conformance/program/own_case.h"
#include "conformance/program/trial_cases.h"
#include "conformance/report/write_file.h"
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
constexpr std::size_t kLonger = 103;

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

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr int kCaught = 4;

// How much a result is worth: a mutant is tried on until it is killed.
int rank(const Kill& kill) {
  return kill.fate == Fate::kKilled      ? kCaught
         : kill.fate == Fate::kMisplaced ? 3
         : kill.fate == Fate::kEscaped   ? 2
         : kill.fate == Fate::kBelow     ? 1
                                         : 0;
}

class Mutator {
 public:
  explicit Mutator(const MutateOptions& options)
      : options_(options), precision_(precision_named(options.precision)) {}

  // What each case shows of each mistake, a table for each checkpoint.
  int run_power() {
    if (options_.report.empty()) {
      throw Error("--power: got no --report, expected the folder for its tables");
    }
    std::map<std::string, conformance::PowerTable> tables;
    for (const auto& file : trial_cases(options_)) {
      const auto golden = conformance::read_golden(file);
      if (golden.profile != "REF") {
        continue;
      }
      use(file, golden);
      const std::string checkpoint = file.parent_path().filename().string();
      tables[checkpoint][file.stem().string()] =
          conformance::measure_power(judges_.oracle()->f64(), judges_.mutant_model(), golden);
      std::cout << trial_name(file) << std::endl;
    }
    std::filesystem::create_directories(options_.report);
    for (const auto& [checkpoint, table] : tables) {
      conformance::write_file(std::filesystem::path(options_.report) / (checkpoint + ".txt"),
                              conformance::power_text(table));
    }
    return 0;
  }

  int run() {
    const auto mutants = matching(options_);
    resume();
    std::vector<const Mutant*> open;
    for (const Mutant* mutant : mutants) {
      if (rank(table_[mutant->label]) < kCaught) {
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
        return rank(table_[mutant->label]) == kCaught || tries_[mutant->label] >= kMostTries;
      });
    }
    open.clear();
    std::ranges::copy_if(mutants, std::back_inserter(open), [&](const Mutant* mutant) {
      return rank(table_[mutant->label]) < kCaught;
    });
    for (const auto& file : cases) {
      if (file.stem() == "text-long" && !open.empty()) {
        try_longer(file, open);
      }
    }
    for (const auto& file : cases) {
      if (open.empty() || try_padded(file, open)) {
        break;
      }
    }
    return finish(mutants);
  }

 private:
  // What another call found, of whatever labels it was asked for.
  void resume() {
    const auto path = std::filesystem::path(options_.report) / "mutants.json";
    if (!options_.resume || options_.report.empty() || !std::filesystem::exists(path)) {
      return;
    }
    const auto before = conformance::read_mutants_json(read_text(path), path.string());
    if (before.precision != options_.precision) {
      throw Error(path.string() + ": got a table in " + before.precision + ", expected " +
                  options_.precision + " to go on from");
    }
    for (const Kill& kill : before.kills) {
      table_[kill.label] = kill;
    }
  }

  void use(const std::filesystem::path& file, const conformance::Golden& golden) {
    const std::string drafter =
        golden.input.draft ? checkpoint_of(file, golden.drafter).string() : "";
    judges_.use(checkpoint_of(file, golden.checkpoint).string(), drafter, golden.profile);
  }

  void try_case(const std::filesystem::path& file, const std::vector<const Mutant*>& open) {
    const auto golden = conformance::read_golden(file);
    if (golden.profile != "REF") {
      return;
    }
    use(file, golden);
    try_golden(golden, trial_name(file), open);
  }

  // In 16 bits some mistakes show only far from the first token: the fp64 build's truth for a
  // prompt of kLonger tokens.
  void try_longer(const std::filesystem::path& file, std::vector<const Mutant*>& open) {
    use(file, conformance::read_golden(file));
    VerifyOptions longer;
    longer.checkpoint = file.parent_path().filename().string();
    longer.tokens = kLonger;
    const auto golden = own_case(judges_.oracle()->f64(), judges_.model(), longer);
    try_golden(golden, longer.checkpoint + "/text-" + std::to_string(kLonger), open);
    std::erase_if(open,
                  [&](const Mutant* mutant) { return rank(table_[mutant->label]) == kCaught; });
  }

  // No oracle pads a prompt, so its truth is the fp64 build's: a case after two tokens of padding.
  bool try_padded(const std::filesystem::path& file, const std::vector<const Mutant*>& open) {
    auto golden = conformance::read_golden(file);
    auto& input = golden.input;
    const bool plain = input.media.empty() && !input.draft && input.requests.empty();
    if (golden.profile != "REF" || !plain) {
      return false;
    }
    use(file, golden);
    constexpr std::size_t kPadding = 2;
    input.valid.assign(kPadding, 0);
    input.valid.resize(kPadding + input.ids.size(), 1);
    input.ids.insert(input.ids.begin(), kPadding, judges_.model().text.special.pad);
    input.token_types.clear();
    input.positions.clear();
    auto padded = conformance::golden_from_run(judges_.oracle()->f64(), input, {});
    padded.path = file;
    try_golden(padded, trial_name(file) + ", padded", open);
    return true;
  }

  void try_golden(const conformance::Golden& golden, const std::string& name,
                  const std::vector<const Mutant*>& open) {
    conformance::CaseTrials trials(golden, name, *judges_.oracle(), judges_.mutant_model(),
                                   precision_);
    for (const Mutant* mutant : open) {
      if (!trials.has_taps_of(*mutant)) {
        continue;
      }
      Kill kill = trials.judge(*mutant);
      tries_[mutant->label] += kill.fate == Fate::kEquivalent ? 0 : 1;
      Kill& best = table_[mutant->label];
      const bool shows_more =
          rank(kill) == rank(best) && kill.fate == Fate::kBelow && kill.differing > best.differing;
      if (rank(kill) > rank(best) || shows_more) {
        best = std::move(kill);
      }
    }
    save();
  }

  void save() const {
    if (options_.report.empty()) {
      return;
    }
    conformance::KillTable table{options_.precision, {}};
    for (const auto& [label, kill] : table_) {
      if (!kill.case_name.empty() || done_) {
        table.kills.push_back(kill);
      }
    }
    conformance::write_mutants_json(options_.report, table);
  }

  int finish(const std::vector<const Mutant*>& mutants) {
    conformance::KillTable table{options_.precision, {}};
    for (const Mutant* mutant : mutants) {
      table.kills.push_back(table_.at(mutant->label));
    }
    conformance::print_kill_table(std::cout, table);
    done_ = true;
    save();
    if (!options_.report.empty()) {
      std::cout << "mutants.json in " << options_.report << "\n";
    }
    return conformance::all_killed(table) ? 0 : 1;
  }

  const MutateOptions& options_;
  const conformance::PrecisionClass& precision_;
  Judges judges_;
  std::map<std::string, Kill> table_;  // by label
  std::map<std::string, std::size_t> tries_;
  bool done_ = false;
};

}  // namespace

int mutate(const MutateOptions& options) {
  if (options.innocent > 0) {
    return try_innocence(options);
  }
  Mutator mutator(options);
  if (options.power) {
    return mutator.run_power();
  }
  return mutator.run();
}

}  // namespace assay::program
