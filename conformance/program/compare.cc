// SPDX-License-Identifier: Apache-2.0
// assay compare: judge a dump, of any origin, against a golden and by replay.
#include <iostream>
#include <optional>
#include <set>

#include "conformance/compare/chained.h"
#include "conformance/compare/hygiene.h"
#include "conformance/program/diagnosis.h"
#include "conformance/program/golden_files.h"
#include "conformance/program/judges.h"
#include "conformance/program/options.h"
#include "conformance/program/power.h"
#include "conformance/records/dump.h"
#include "reference/family/base/error.h"
#include "reference/family/checkpoint/gguf_files.h"

namespace assay::program {
namespace {

using conformance::CaseResult;
using conformance::Golden;
using conformance::Mode;

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
                                    {"--profile", options.profile},
                                    {"--only", options.only}}) {
    if (!value.empty()) {
      words.insert(words.end(), {name, value});
    }
  }
  if (options.rounded_dump) {
    words.emplace_back("--rounded-dump");
  }
  if (options.own_roundings) {
    words.emplace_back("--own-roundings");
  }
  if (options.own_truth) {
    words.emplace_back("--own-truth");
  }
  return command_line(words);
}

std::optional<conformance::NameMap> load_map(const std::string& path) {
  return path.empty() ? std::nullopt : std::optional(conformance::NameMap::read(path));
}

// A dump without any tap, and a checkpoint of another name than the golden's.
void check_names(const Golden& golden, const conformance::Dump& dump,
                 const CompareOptions& options) {
  if (dump.unknown.size() == dump.taps.size()) {
    const auto ignored = conformance::ignored_names(dump, golden.truth.names());
    const std::string& meant = ignored.front().meant;
    throw Error(options.dump + ": got no tap of the catalogue, expected names as assay taps " +
                "prints them, or a table of names with --map; the first is " +
                printable(ignored.front().name) +
                (meant.empty() ? "" : ": did you mean " + meant + "?"));
  }
  const std::string folder = checkpoint_name(options.checkpoint);
  if (!folder.empty() && !golden.checkpoint.empty() && folder != golden.checkpoint) {
    std::cout << "note: the golden was made from checkpoint '" << golden.checkpoint
              << "' and is judged with '" << folder << "'\n";
  }
}

// The golden's question with another truth: the reference's own fp64 run, of another profile or
// another checkpoint.
Golden with_own_truth(Golden golden, Judges& judges, const conformance::TapSet& dump,
                      const std::string& profile) {
  std::set<std::string> taps = golden.truth.names();
  taps.merge(dump.names());
  auto other = conformance::golden_from_run(judges.oracle()->f64(), golden.input,
                                            conformance::with_consulted(taps));
  std::cout << "note: ";
  if (profile != golden.profile) {
    std::cout << "the golden follows " << golden.profile << ": ";
  }
  std::cout << "the truth is the reference's own fp64 run under " << profile << "\n";
  golden.truth = std::move(other.truth);
  golden.floors.clear();
  golden.profile = profile;
  return golden;
}

void report_case(CaseResult result, const CompareOptions& options, const Golden& golden,
                 const std::string& checkpoint, conformance::Report& report) {
  result.case_name = golden.case_name;
  result.checkpoint = checkpoint.empty() ? golden.checkpoint : checkpoint_name(checkpoint);
  result.impl = std::filesystem::path(options.dump).stem().string();
  result.precision = options.precision;
  result.reproduce = reproduce(options);
  print_result(result);
  report.cases.push_back(std::move(result));
}

// A dump against a golden, in one mode or both.
class Comparer {
 public:
  explicit Comparer(const CompareOptions& options)
      : options_(options),
        precision_(precision_named(options.precision)),
        modes_(modes_named(options.mode)),
        golden_(conformance::read_golden(options.golden)),
        map_(load_map(options.map)),
        dump_(conformance::read_dump(options.dump, map())),
        checkpoint_(checkpoint_for(options, golden_)) {
    check_names(golden_, dump_, options);
    use_judges();
    hygiene_ = conformance::clean(golden_, map(), dump_);
  }

  conformance::Report judge() {
    conformance::Report report;
    report.command = options_.command;
    conformance::JudgeOptions options;
    options.exact_dump = is_exact();
    options.known_roundings = !has_own_roundings();
    auto results = conformance::judge_run(golden_, dump_.taps, judges_.oracle(), precision_, modes_,
                                          claim_named(options_.only), options);
    add_power(options_.golden, precision_, results);
    add_diagnosis(golden_, dump_.taps, judges_, precision_, options_.diagnosis, results);
    for (CaseResult& result : results) {
      conformance::add_hygiene(hygiene_, result);
      report_case(std::move(result), options_, golden_, checkpoint_, report);
    }
    return report;
  }

  // What the dump says of itself, or the command line of it.
  bool is_exact() const {
    const auto said = dump_.attributes.find("dump_exact");
    const bool denied = said != dump_.attributes.end() &&
                        (said->second == "false" || said->second == "False" || said->second == "0");
    return !options_.rounded_dump && !denied;
  }

  bool has_own_roundings() const {
    const auto said = dump_.attributes.find("rounding_points");
    return options_.own_roundings || (said != dump_.attributes.end() && said->second == "own");
  }

  // Throws for a dump that is bad input although nothing in it is wrong: its names are no taps.
  void check_coverage() const {
    if (hygiene_.mostly_ignored()) {
      throw Error(options_.dump + ": " + conformance::describe_ignored(hygiene_) +
                  ", expected names as assay taps prints them, or a table of names with --map");
    }
  }

 private:
  void use_judges() {
    const std::string profile = profile_named(options_.profile, golden_.profile);
    if (!checkpoint_.empty()) {
      judges_.use(checkpoint_, drafter_for(options_, golden_), profile);
      if (!options_.own_truth) {
        check_checkpoint(judges_, checkpoint_, golden_);
      }
      if (options_.own_truth || profile != golden_.profile) {
        golden_ = with_own_truth(std::move(golden_), judges_, dump_.taps, profile);
      }
      return;
    }
    if (options_.own_truth) {
      throw Error("--own-truth: got no checkpoint, expected one with --checkpoint");
    }
    if (profile != golden_.profile) {
      throw Error("--profile: got " + profile + " for a golden of profile " + golden_.profile +
                  " without a checkpoint, expected one with --checkpoint to make the truth with");
    }
    if (!options_.mode.empty() && modes_.contains(Mode::kReplay)) {
      throw Error("--mode replay: got no checkpoint, expected one with --checkpoint");
    }
    modes_.erase(Mode::kReplay);
    std::cout << "no checkpoint: the dump cannot be replayed, blame is the first failing tap\n";
  }

  const conformance::NameMap* map() const { return map_ ? &*map_ : nullptr; }

  const CompareOptions& options_;
  const conformance::PrecisionClass& precision_;
  std::set<Mode> modes_;
  Golden golden_;
  std::optional<conformance::NameMap> map_;
  conformance::Dump dump_;
  conformance::Hygiene hygiene_;
  std::string checkpoint_;
  Judges judges_;
};

}  // namespace

int compare(const CompareOptions& options) {
  Comparer comparer(options);
  const conformance::Report report = comparer.judge();
  const int status = finish_report(report, options.report);
  comparer.check_coverage();
  return status;
}

}  // namespace assay::program
