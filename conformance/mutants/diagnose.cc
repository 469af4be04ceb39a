// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/diagnose.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/replay.h"
#include "conformance/records/tap_reader.h"  // sort_by_execution

namespace assay::conformance {
namespace {

// What is left of an error that a mistake explains: rounding, that is a few floors, and a small
// part of what it was.
constexpr double kRounding = 8;
constexpr double kPartLeft = 0.2;
// Mistakes that leave this much more than the best one explain less, whatever the floors say.
constexpr double kAsGood = 3;
// The mistakes that are tried together with all others, where one alone explains nothing.
constexpr std::size_t kPartners = 3;

double floors_off(const TapResult& tap) {
  if (tap.code != "TOL" && tap.verdict == Verdict::kFail) {
    return std::numeric_limits<double>::infinity();
  }
  const double row = std::isfinite(tap.worst_row_units) ? tap.worst_row_units : 0;
  return std::max(std::isfinite(tap.in_bound_units) ? tap.in_bound_units : 0, row);
}

// A replay: how far each tap is off, and which fail.
struct Outcome {
  std::map<std::string, double> off;
  std::set<std::string> failing;
  bool ran = false;
};

class NameListener : public TapListener {
 public:
  bool wants(const std::string& name) const override {
    names.insert(name);
    return false;
  }
  void on_tap(const TensorView& /*tap*/) override {}

  mutable std::set<std::string> names;
};

// Taps that carry the residual stream: what comes later depends on earlier layers through them.
bool is_stream(std::string_view tap) {
  const std::string leaf(tap_leaf(tap));
  return leaf == "in" || leaf == "out" || leaf.ends_with("residual") || leaf.ends_with("embed") ||
         leaf.ends_with("tower_out") || leaf.ends_with("mel") || leaf.ends_with("patches") ||
         leaf.ends_with("hidden_in");
}

bool has_layer(const std::string& tap) {
  const auto match = find_tap(tap);
  return match && match->layer.has_value();
}

class Doctor {
 public:
  Doctor(Implementation& f64, const DiagnosisRequest& request) : f64_(f64), request_(request) {}

  std::vector<Diagnosis> examine() {
    const Outcome before = outcome({});
    if (!before.ran || before.failing.empty()) {
      return {};
    }
    before_ = before;
    failing_.assign(before.failing.begin(), before.failing.end());
    sort_by_execution(failing_);
    list_taps();
    for (const Mutant* mutant : candidates()) {
      if (out_of_time()) {
        break;
      }
      tried_.push_back({{mutant}, outcome({mutant})});
    }
    std::vector<Diagnosis> found = explain();
    if (found.empty()) {
      try_pairs();
      found = explain();
    }
    return found;
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Trial {
    std::vector<const Mutant*> mutants;
    Outcome outcome;
  };

  bool out_of_time() const {
    return std::chrono::duration<double>(Clock::now() - start_).count() > request_.seconds;
  }

  Outcome outcome(const std::vector<const Mutant*>& mutants) {
    Mutated mutated(f64_, request_.model, mutants);
    const CaseResult result =
        replay(mutated, request_.golden.input, request_.dump, request_.floors);
    Outcome seen;
    if (result.verdict == Verdict::kHarnessError ||
        (!mutants.empty() && mutated.changed().empty())) {
      return seen;
    }
    seen.ran = true;
    for (const TapResult& tap : result.taps) {
      seen.off[tap.tap] = floors_off(tap);
    }
    seen.failing.insert(result.introduced_by.begin(), result.introduced_by.end());
    return seen;
  }

  void list_taps() {
    NameListener names;
    f64_.run(request_.golden.input, {}, names);
    for (const std::string& name : names.names) {
      if (const auto match = find_tap(name)) {
        by_pattern_[std::string(match->entry->pattern)].push_back(name);
      }
    }
    for (const std::string& tap : failing_) {
      std::string last;
      for (const Tap& shown : request_.dump) {
        if (is_stream(shown.name) && execution_key(shown.name) < execution_key(tap) &&
            media_prefix(shown.name) == media_prefix(tap) &&
            (last.empty() || execution_key(last) < execution_key(shown.name))) {
          last = shown.name;
        }
      }
      since_[tap] = last;
    }
  }

  // Whether a rewritten tap can be felt at a failing one: it is that tap, or lies before it, is not
  // dumped itself, and no dumped tap of the residual stream stands between.
  bool reaches(const std::string& rewritten, const std::string& failing) const {
    if (rewritten == failing) {
      return true;
    }
    if (request_.dump.has(rewritten) || !(execution_key(rewritten) < execution_key(failing))) {
      return false;
    }
    const std::string& last = since_.at(failing);
    return last.empty() || !has_layer(rewritten) || execution_key(last) < execution_key(rewritten);
  }

  bool can_act(const Mutant& mutant) const {
    return std::ranges::any_of(mutant.rewrites, [&](const Rewrite& rewrite) {
      const auto taps = by_pattern_.find(rewrite.tap);
      return taps != by_pattern_.end() &&
             std::ranges::any_of(taps->second, [&](const std::string& tap) {
               return rewrites_layer(rewrite, request_.model, tap) &&
                      std::ranges::any_of(failing_, [&](const std::string& failing) {
                        return reaches(tap, failing);
                      });
             });
    });
  }

  // The catalogue's own mistakes first, then places and values, then mechanical slips.
  std::vector<const Mutant*> candidates() const {
    std::vector<const Mutant*> some;
    for (const Mutant& mutant : all_mutants()) {
      if (can_act(mutant)) {
        some.push_back(&mutant);
      }
    }
    std::ranges::stable_sort(some, {}, [](const Mutant* mutant) {
      return (mutant->label.starts_with("MECH") ? 2 : 0) +
             (mutant->label.find(':') != std::string::npos ? 1 : 0);
    });
    return some;
  }

  bool is_explained(const std::string& tap, const Outcome& now) const {
    const auto left = now.off.find(tap);
    return left != now.off.end() && !now.failing.contains(tap) && left->second <= kRounding &&
           left->second <= kPartLeft * before_.off.at(tap);
  }

  std::vector<std::string> explained_by(const Trial& trial,
                                        const std::vector<std::string>& open) const {
    std::vector<std::string> explained;
    if (!trial.outcome.ran) {
      return explained;
    }
    for (const std::string& tap : open) {
      if (is_explained(tap, trial.outcome)) {
        explained.push_back(tap);
      }
    }
    // What it breaks in a layer that it explains was no mistake of that layer.
    for (const std::string& tap : trial.outcome.failing) {
      if (!before_.failing.contains(tap)) {
        std::erase_if(explained,
                      [&](const std::string& good) { return tap_prefix(good) == tap_prefix(tap); });
      }
    }
    return explained;
  }

  static double residual(const Trial& trial, const std::vector<std::string>& taps) {
    double most = 0;
    for (const std::string& tap : taps) {
      most = std::max(most, trial.outcome.off.at(tap));
    }
    return most;
  }

  // One mistake after another: that which explains most of what is left.
  std::vector<Diagnosis> explain() const {
    std::vector<Diagnosis> found;
    std::vector<std::string> open = failing_;
    while (!open.empty()) {
      std::vector<std::string> most;
      const Trial* best = nullptr;
      for (const Trial& trial : tried_) {
        const auto explained = explained_by(trial, open);
        const bool better =
            explained.size() > most.size() ||
            (best != nullptr && !explained.empty() && explained.size() == most.size() &&
             trial.mutants.size() <= best->mutants.size() &&
             residual(trial, explained) * kAsGood < residual(*best, most));
        if (better) {
          most = explained;
          best = &trial;
        }
      }
      if (best == nullptr) {
        break;
      }
      add(*best, most, open, found);
      std::erase_if(
          open, [&](const std::string& tap) { return std::ranges::find(most, tap) != most.end(); });
    }
    return found;
  }

  void add(const Trial& best, const std::vector<std::string>& explained,
           const std::vector<std::string>& open, std::vector<Diagnosis>& found) const {
    for (const Mutant* mutant : best.mutants) {
      Diagnosis one;
      one.label = mutant->label;
      one.what = describe(*mutant);
      one.explains = explained.size();
      one.failing = failing_.size();
      one.residual = residual(best, explained);
      one.taps = explained;
      for (const Trial& other : tried_) {
        const bool as_good = &other != &best && other.mutants.size() == 1 &&
                             best.mutants.size() == 1 && explained_by(other, open) == explained &&
                             residual(other, explained) <= kAsGood * std::max(one.residual, 1.0);
        if (as_good) {
          one.same_here.push_back(other.mutants.front()->label);
        }
      }
      found.push_back(std::move(one));
    }
  }

  double total(const Outcome& seen) const {
    double sum = 0;
    for (const std::string& tap : failing_) {
      const auto off = seen.off.find(tap);
      sum += off == seen.off.end() ? std::numeric_limits<double>::infinity() : off->second;
    }
    return sum;
  }

  // The singles that take most away, each with every other.
  void try_pairs() {
    std::vector<const Trial*> order;
    for (const Trial& trial : tried_) {
      if (trial.outcome.ran && total(trial.outcome) < total(before_)) {
        order.push_back(&trial);
      }
    }
    std::ranges::stable_sort(order, {}, [&](const Trial* t) { return total(t->outcome); });
    order.resize(std::min(order.size(), kPartners));
    std::vector<const Mutant*> partners;
    std::vector<const Mutant*> all;
    for (const Trial* trial : order) {
      partners.push_back(trial->mutants.front());
    }
    for (const Trial& trial : tried_) {
      all.push_back(trial.mutants.front());
    }
    for (const Mutant* partner : partners) {
      for (const Mutant* other : all) {
        if (out_of_time()) {
          return;
        }
        if (other != partner) {
          Trial pair{{partner, other}, outcome({partner, other})};
          if (!explained_by(pair, failing_).empty()) {
            tried_.push_back(std::move(pair));
            return;
          }
        }
      }
    }
  }

  Implementation& f64_;
  const DiagnosisRequest& request_;
  Clock::time_point start_ = Clock::now();
  Outcome before_;
  std::vector<std::string> failing_;  // in execution order
  std::map<std::string, std::string> since_;
  std::map<std::string, std::vector<std::string>> by_pattern_;
  std::vector<Trial> tried_;
};

}  // namespace

std::vector<Diagnosis> diagnose(Implementation& f64, const DiagnosisRequest& request) {
  return Doctor(f64, request).examine();
}

}  // namespace assay::conformance
