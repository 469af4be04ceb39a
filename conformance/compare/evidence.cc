// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/evidence.h"

#include <algorithm>
#include <set>

#include "conformance/catalogue/roles.h"
#include "conformance/records/tap_order.h"

namespace assay::conformance {
namespace {

using Names = std::set<std::string>;

// The kind of a tap of the catalogue: its pattern, whatever the layer.
std::string kind_of(const std::string& tap) {
  const auto match = find_tap(tap);
  return match ? std::string(match->entry->pattern) : "";
}

template <class Keep>
std::vector<std::string> taps_that(const TapSet& truth, Keep keep) {
  std::vector<std::string> names;
  for (const Tap& tap : truth) {
    if (keep(tap)) {
      names.push_back(tap.name);
    }
  }
  return names;
}

// Logits of the model, or those from which a drafter takes its token.
bool is_end(const std::string& tap) {
  static const Names kOfDrafts = [] {
    Names patterns;
    for (const TapEntry& entry : all_taps()) {
      if (entry.role.last_choice) {
        patterns.insert(scores_of_choice(entry.pattern));
      }
    }
    return patterns;
  }();
  return role_of(tap).logits || kOfDrafts.contains(kind_of(tap));
}

bool can_be_untested(const CaseResult& result) {
  return result.verdict == Verdict::kPass || result.verdict == Verdict::kWarning ||
         result.verdict == Verdict::kNotTested;
}

void say(CaseResult& result, const std::string& text) {
  result.message += (result.message.empty() ? "" : "; ") + text;
}

// Why a tap is no evidence, by what was said of it in some mode.
std::string reason(const std::vector<CaseResult>& results, const std::string& tap) {
  for (const CaseResult& result : results) {
    const auto found = std::ranges::find(result.taps, tap, &TapResult::tap);
    if (found != result.taps.end()) {
      return found->note;
    }
  }
  return "not in the dump";
}

Names evidence_of(const CaseResult& result) {
  Names names;
  for (const TapResult& tap : result.taps) {
    if (is_evidence(tap)) {
      names.insert(tap.tap);
    }
  }
  return names;
}

void count_kinds(const Names& known, CaseResult& result) {
  Names judged;
  for (const std::string& tap : evidence_of(result)) {
    judged.insert(kind_of(tap));
  }
  judged.erase("");
  result.coverage.kinds_judged = judged.size();
  Names all = known;
  all.insert(judged.begin(), judged.end());
  all.erase("");
  result.coverage.kinds_known = all.size();
}

const std::string* tested(const std::vector<std::string>& end, const Names& evidence) {
  const auto found =
      std::ranges::find_if(end, [&](const std::string& tap) { return evidence.contains(tap); });
  return found == end.end() ? nullptr : &*found;
}

class Weighing {
 public:
  Weighing(const Golden& golden, bool narrowed, std::vector<CaseResult>& results)
      : end_(narrowed ? std::vector<std::string>{} : end_of(golden)), results_(results) {
    for (const CaseResult& result : results) {
      all_.merge(evidence_of(result));
    }
  }

  void weigh(CaseResult& result) const {
    if (!can_be_untested(result)) {
      return;
    }
    if (all_.empty()) {
      result.verdict = Verdict::kNotTested;
      say(result, "nothing is tested" + first_reason(result));
    } else if (!end_.empty() && tested(end_, all_) == nullptr) {
      result.verdict = Verdict::kNotTested;
      say(result, "the end of the case is not tested: " + end_.back() + ": " +
                      reason(results_, end_.back()) + "; whoever claims less says so: --only '" +
                      *all_.begin() + "'");
    } else {
      weigh_mode(result);
    }
  }

 private:
  // The run is tested; this mode of it may not be.
  void weigh_mode(CaseResult& result) const {
    const Names own = evidence_of(result);
    if (own.empty()) {
      result.verdict = Verdict::kWarning;
      say(result, "nothing is tested in this mode" + first_reason(result));
    } else if (const std::string* end = tested(end_, all_);
               end != nullptr && tested(end_, own) == nullptr) {
      say(result, *end + " is not tested in this mode" + reason_here(result, *end));
    }
  }

  static std::string first_reason(const CaseResult& result) {
    return result.taps.empty() ? ": no tap of the dump could be judged"
                               : reason_here(result, result.taps.front().tap);
  }

  static std::string reason_here(const CaseResult& result, const std::string& tap) {
    const auto found = std::ranges::find(result.taps, tap, &TapResult::tap);
    return found == result.taps.end() || found->note.empty() ? "" : ": " + tap + ": " + found->note;
  }

  std::vector<std::string> end_;
  std::vector<CaseResult>& results_;
  Names all_;  // evidence of any mode
};

}  // namespace

bool is_evidence(const TapResult& tap) {
  return tap.verdict == Verdict::kPass || tap.verdict == Verdict::kFail ||
         (tap.verdict == Verdict::kWarning && tap.code.empty());
}

std::vector<std::string> end_of(const Golden& golden) {
  if (!golden.input.requests.empty()) {
    return {};
  }
  for (const Stage stage : {Stage::kDraft, Stage::kText}) {
    auto logits = taps_that(golden.truth, [&](const Tap& tap) {
      return is_end(tap.name) && stage_of(tap.name) == stage;
    });
    if (!logits.empty()) {
      return logits;
    }
  }
  auto embeddings =
      taps_that(golden.truth, [](const Tap& tap) { return role_of(tap.name).soft_embeddings; });
  if (!embeddings.empty()) {
    return embeddings;
  }
  // A golden without logits: a replay may judge them, or its own last tap has to do.
  std::vector<std::string> end;
  for (const TapEntry& entry : all_taps()) {
    if (entry.role.logits && entry.stage == Stage::kText) {
      end.emplace_back(entry.pattern);
    }
  }
  std::vector<std::string> names = taps_that(golden.truth, [](const Tap&) { return true; });
  sort_by_execution(names);
  if (!names.empty()) {
    end.push_back(names.back());
  }
  return end;
}

void weigh_evidence(const Golden& golden, bool narrowed, std::vector<CaseResult>& results) {
  Names known;
  for (const Tap& tap : golden.truth) {
    known.insert(kind_of(tap.name));
  }
  const Weighing weighing(golden, narrowed, results);
  for (CaseResult& result : results) {
    count_kinds(known, result);
  }
  for (CaseResult& result : results) {
    weighing.weigh(result);
  }
}

}  // namespace assay::conformance
