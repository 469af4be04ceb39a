// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/unused.h"

#include <algorithm>
#include <set>

#include "conformance/catalogue/catalogue.h"
#include "conformance/compare/blame.h"
#include "conformance/compare/evidence.h"
#include "conformance/compare/judge.h"
#include "conformance/compare/replay.h"

namespace assay::conformance {
namespace {

using Names = std::set<std::string>;

// Introduced taps that are right end to end, or those that are wrong there.
Names introduced(const CaseResult& chained, const CaseResult& replayed, bool right) {
  Names names;
  for (const std::string& name : replayed.introduced_by) {
    const auto found = std::ranges::find(chained.taps, name, &TapResult::tap);
    if (found == chained.taps.end() || !is_evidence(*found)) {
      continue;
    }
    if ((found->verdict != Verdict::kFail) == right) {
      names.insert(name);
    }
  }
  return names;
}

// The wrong array before a tap.
std::string source_of(const std::string& tap, const Names& wrong) {
  std::string source;
  for (const std::string& name : wrong) {
    const bool later = source.empty() || execution_key(source) < execution_key(name);
    if (execution_key(name) < execution_key(tap) && later) {
      source = name;
    }
  }
  return source;
}

}  // namespace

void part_unused(Implementation& f64, const Replayed& what, const CaseResult& chained,
                 CaseResult& replayed) {
  const Names suspects = introduced(chained, replayed, true);
  const Names wrong = introduced(chained, replayed, false);
  if (suspects.empty() || wrong.empty()) {
    return;
  }
  CaseResult again = replay(f64, what.input, what.dump, what.floors,
                            ways_to_round(replay_rounding(what.floors.precision())),
                            [&](const std::string& name) { return !wrong.contains(name); });
  for (const std::string& name : suspects) {
    const TapResult* now = find_result(again, name);
    TapResult* tap = find_result(replayed, name);
    const std::string source = source_of(name, wrong);
    if (now == nullptr || tap == nullptr || source.empty() || !is_evidence(*now) ||
        now->verdict == Verdict::kFail) {
      continue;
    }
    *tap = *now;
    add_note(*tap, "right, though it does not follow from " + source + " as it is dumped");
    std::erase(replayed.introduced_by, name);
    TapResult* cause = find_result(replayed, source);
    if (!cause->unused) {
      cause->unused = true;
      add_note(*cause, "not the value that was used: " + name +
                           ", which comes from it, is right end to end");
    }
  }
  conclude(replayed);
}

}  // namespace assay::conformance
