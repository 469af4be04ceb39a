// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/innocence.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <set>

#include "conformance/mutants/kill_table.h"
#include "conformance/mutants/mutants_json.h"
#include "conformance/program/golden_files.h"
#include "conformance/program/implementations.h"
#include "conformance/program/judges.h"
#include "conformance/program/own_case.h"
#include "conformance/program/trial_cases.h"
#include "reference/family/base/error.h"
#include "reference/family/base/json.h"
#include "reference/family/checkpoint/gguf_files.h"

namespace assay::program {
namespace {

namespace fs = std::filesystem;
using conformance::Innocent;

// Seconds of one core that a run takes for each position of its prompt, and what comes before the
// first of a case: its floors. They tell about how long to wait.
constexpr double kSecondsPerPosition = 0.01;
constexpr double kRunsOfFloors = 15;

// One case: a committed file, or none.
struct Trial {
  fs::path file;
  std::string name;
  std::size_t positions = 0;
  std::size_t share = 0;  // of the runs
};

class Innocence {
 public:
  explicit Innocence(const MutateOptions& options)
      : options_(options),
        precision_(precision_named(options.precision)),
        log_(fs::path(options.report) / "innocent.jsonl") {}

  int run() {
    table_.precision = options_.precision;
    resume();
    const std::vector<Trial> trials = options_.checkpoint.empty() ? committed() : own();
    say_how_long(trials);
    std::size_t first = 0;
    for (const Trial& trial : trials) {
      try_case(trial, first);
      first += trial.share;
    }
    conformance::print_innocent(std::cout, table_);
    if (!options_.report.empty()) {
      conformance::write_mutants_json(options_.report, table_);
    }
    return table_.false_alarms == 0 ? 0 : 1;
  }

 private:
  std::vector<Trial> committed() const;
  std::vector<Trial> own() const;
  void resume();
  void say_how_long(const std::vector<Trial>& trials) const;
  void try_case(const Trial& trial, std::size_t first);
  void try_one(conformance::CaseTrials& trials, const Trial& trial, std::uint64_t seed);
  conformance::Golden load(const Trial& trial);
  std::unique_ptr<conformance::Implementation> engine_of(Innocent& innocent) const;
  void keep(const Trial& trial, std::uint64_t seed, const Innocent& innocent,
            const std::string& alarm);
  void count(const std::string& alarm);
  std::uint64_t seed_of(std::size_t run) const { return options_.seed * 1000003 + run; }
  std::string key(const std::string& name, std::uint64_t seed) const {
    return options_.precision + " " + name + " " + std::to_string(seed);
  }

  const MutateOptions& options_;
  const conformance::PrecisionClass& precision_;
  fs::path log_;
  Judges judges_;
  std::string checkpoint_;  // in use
  std::string drafter_;
  std::set<std::string> done_;
  conformance::KillTable table_;
};

// Of fewer runs than cases, others are tried with each seed.
std::vector<Trial> Innocence::committed() const {
  std::vector<Trial> trials;
  for (const auto& file : trial_cases(options_)) {
    const auto golden = conformance::read_case(file);
    if (golden.profile == "REF" && golden.input.requests.empty() && !golden.input.ids.empty()) {
      trials.push_back({file, trial_name(file), golden.input.ids.size(), 0});
    }
  }
  if (trials.empty()) {
    throw Error("--case: got '" + options_.case_glob + "', expected a case with a text run");
  }
  const std::size_t from = options_.seed * options_.innocent % trials.size();
  for (std::size_t run = 0; run < options_.innocent; ++run) {
    ++trials[(from + run) % trials.size()].share;
  }
  std::erase_if(trials, [](const Trial& trial) { return trial.share == 0; });
  return trials;
}

std::vector<Trial> Innocence::own() const {
  const std::string name =
      checkpoint_name(options_.checkpoint) + "/text-" + std::to_string(options_.tokens);
  return {{"", name, options_.tokens, options_.innocent}};
}

void Innocence::count(const std::string& alarm) {
  ++table_.innocent_runs;
  table_.false_alarms += alarm.empty() ? 0 : 1;
}

void Innocence::resume() {
  if (options_.report.empty()) {
    return;
  }
  fs::create_directories(options_.report);
  if (!options_.resume) {
    fs::remove(log_);
    return;
  }
  std::ifstream file(log_);
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    const std::string place = log_.string() + ":" + std::to_string(number);
    const Json run = parse_json(line, place);
    try {
      done_.insert(run.at("precision").get<std::string>() + " " +
                   run.at("case").get<std::string>() + " " +
                   std::to_string(run.at("seed").get<std::uint64_t>()));
      count(run.at("refused_at").get<std::string>());
    } catch (const std::exception& error) {  // a part of another type, too
      throw Error(place + ": " + error.what());
    }
  }
}

void Innocence::say_how_long(const std::vector<Trial>& trials) const {
  double seconds = 0;
  std::size_t open = 0;
  std::size_t run = 0;
  for (const Trial& trial : trials) {
    std::size_t here = 0;
    for (std::size_t i = 0; i < trial.share; ++i) {
      here += done_.contains(key(trial.name, seed_of(run++))) ? 0 : 1;
    }
    open += here;
    seconds += here == 0 ? 0
                         : (static_cast<double>(here) + kRunsOfFloors) * kSecondsPerPosition *
                               static_cast<double>(trial.positions + 4);
  }
  std::cout << options_.innocent << " honest runs on " << trials.size()
            << (trials.size() == 1 ? " case, " : " cases, ") << open << " to do: about "
            << static_cast<int>(seconds / 60 + 1) << " min" << std::endl;
}

conformance::Golden Innocence::load(const Trial& trial) {
  if (trial.file.empty()) {
    checkpoint_ = options_.checkpoint;
    drafter_.clear();
    judges_.use(checkpoint_, "", "REF");
    VerifyOptions own;
    own.checkpoint = checkpoint_;
    own.tokens = options_.tokens;
    return own_case(judges_.oracle()->f64(), judges_.model(), own);
  }
  auto golden = conformance::read_golden(trial.file);
  checkpoint_ = checkpoint_of(trial.file, golden.checkpoint).string();
  drafter_ = golden.input.draft ? checkpoint_of(trial.file, golden.drafter).string() : "";
  judges_.use(checkpoint_, drafter_, golden.profile);
  return golden;
}

void Innocence::try_case(const Trial& trial, std::size_t first) {
  std::vector<std::uint64_t> open;
  for (std::size_t i = 0; i < trial.share; ++i) {
    if (!done_.contains(key(trial.name, seed_of(first + i)))) {
      open.push_back(seed_of(first + i));
    }
  }
  if (open.empty()) {
    return;
  }
  const auto golden = load(trial);
  conformance::CaseTrials trials(golden, trial.name, *judges_.oracle(), judges_.mutant_model(),
                                 precision_);
  for (const std::uint64_t seed : open) {
    try_one(trials, trial, seed);
  }
}

void Innocence::try_one(conformance::CaseTrials& trials, const Trial& trial, std::uint64_t seed) {
  Innocent innocent = conformance::innocent_variant(seed);
  const auto engine = engine_of(innocent);
  const std::string alarm = trials.alarm_of(innocent, engine.get());
  count(alarm);
  if (!alarm.empty()) {
    std::cout << "refused: " << trial.name << ", " << innocent.what() << ": " << alarm << std::endl;
  }
  keep(trial, seed, innocent, alarm);
}

// The program that the variant names, on the machine's best target where it lacks the one that was
// drawn. Null where there is none, none of this class or none that drafts: the float build runs.
std::unique_ptr<conformance::Implementation> Innocence::engine_of(Innocent& innocent) const {
  const auto& oracle = conformance::oracle_entry();
  if (oracle.use_threads) {
    oracle.use_threads(innocent.engine.empty() ? innocent.threads : 1);
  }
  const auto* entry = conformance::find_implementation(innocent.engine);
  if (entry == nullptr || !drafter_.empty() ||
      std::ranges::find(entry->precisions, options_.precision) == entry->precisions.end()) {
    innocent.engine.clear();
    return nullptr;
  }
  try {
    use_target(*entry, innocent.target);
  } catch (const Error&) {
    innocent.target.clear();
  }
  if (entry->use_target && innocent.target.empty()) {
    entry->use_target("");
  }
  if (entry->use_threads) {
    entry->use_threads(innocent.threads);
  }
  return make_implementation(*entry, options_.precision, checkpoint_, drafter_);
}

void Innocence::keep(const Trial& trial, std::uint64_t seed, const Innocent& innocent,
                     const std::string& alarm) {
  if (options_.report.empty()) {
    return;
  }
  Json::Array kinds;
  for (const std::string& kind : innocent.kinds) {
    kinds.emplace_back(kind);
  }
  const Json line = Json::Object{{"precision", options_.precision},
                                 {"case", trial.name},
                                 {"positions", trial.positions},
                                 {"seed", seed},
                                 {"kinds", std::move(kinds)},
                                 {"what", innocent.what()},
                                 {"refused_at", alarm}};
  std::ofstream out(log_, std::ios::app);
  out << json_text(line) << "\n" << std::flush;
  if (!out) {
    throw Error(log_.string() + ": cannot be written");
  }
}

}  // namespace

int try_innocence(const MutateOptions& options) {
  return Innocence(options).run();
}

}  // namespace assay::program
