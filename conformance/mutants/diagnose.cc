// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/diagnose.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/replay.h"
#include "conformance/mutants/effects.h"
#include "conformance/records/tap_order.h"

namespace assay::conformance {
namespace {

// What is left of an error that a mistake explains: rounding, that is a few floors, and a small
// part of what it was.
constexpr double kRounding = 8;
constexpr double kPartLeft = 0.2;
// Mistakes that leave this much more than the best one explain less, whatever the floors say.
constexpr double kAsGood = 3;
// The pairs that are tried because their effects add up to the error, before any other.
constexpr std::size_t kNearestPairs = 60;
// The mistakes that are tried together with all others after that.
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
  std::map<std::string, std::size_t> compared;
  std::set<std::string> failing;
  Samples samples;
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
    before_ = outcome({});
    std::ranges::copy_if(before_.failing, std::back_inserter(failing_),
                         [&](const std::string& tap) {
                           return request_.taps.empty() || request_.taps.contains(tap);
                         });
    if (!before_.ran || failing_.empty()) {
      return {};
    }
    sort_by_execution(failing_);
    list_taps();
    effects_.emplace(outcome({}).samples, request_.dump);
    for (const Mutant* mutant : candidates()) {
      try_one(*mutant);
    }
    std::vector<std::string> open;
    std::vector<Diagnosis> found = explain(open);
    if (found.empty()) {
      try_single_layers();
      found = explain(open);
    }
    while (!open.empty() && try_pairs(open)) {
      found = explain(open);
    }
    return found;
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Trial {
    std::vector<const Mutant*> mutants;
    Outcome outcome;
    std::vector<std::size_t> parts = {};  // of a pair: the trials of each alone
  };

  bool out_of_time() const {
    return std::chrono::duration<double>(Clock::now() - start_).count() > request_.seconds;
  }

  Outcome outcome(const std::vector<const Mutant*>& mutants) {
    Mutated mutated(f64_, request_.model, mutants);
    Watched watched(mutated, failing_);
    const CaseResult result =
        replay(watched, request_.golden.input, request_.dump, request_.floors);
    Outcome seen;
    if (result.verdict == Verdict::kHarnessError ||
        (!mutants.empty() && mutated.changed().empty())) {
      return seen;
    }
    seen.ran = true;
    for (const TapResult& tap : result.taps) {
      seen.off[tap.tap] = floors_off(tap);
      seen.compared[tap.tap] = tap.compared;
    }
    seen.failing.insert(result.introduced_by.begin(), result.introduced_by.end());
    seen.samples = std::move(watched.samples);
    return seen;
  }

  void try_one(const Mutant& mutant) {
    if (!out_of_time()) {
      tried_.push_back({{&mutant}, outcome({&mutant})});
      effects_->add(std::exchange(tried_.back().outcome.samples, {}));
      ++singles_;
    }
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
    if (left == now.off.end() || 2 * now.compared.at(tap) < before_.compared.at(tap)) {
      return false;  // rows that the mistake opens are not right for it
    }
    return !now.failing.contains(tap) && left->second <= kRounding &&
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
    if (!needs_all(trial, explained)) {
      explained.clear();
    }
    return explained;
  }

  // Whether each mistake of a pair has a part in it: alone, the other leaves much more.
  bool needs_all(const Trial& trial, const std::vector<std::string>& explained) const {
    return std::ranges::all_of(trial.parts, [&](std::size_t part) {
      return std::ranges::any_of(explained, [&](const std::string& tap) {
        const auto alone = tried_[part].outcome.off.find(tap);
        return alone == tried_[part].outcome.off.end() ||
               trial.outcome.off.at(tap) <= kPartLeft * alone->second;
      });
    });
  }

  static double residual(const Trial& trial, const std::vector<std::string>& taps) {
    double most = 0;
    for (const std::string& tap : taps) {
      most = std::max(most, trial.outcome.off.at(tap));
    }
    return most;
  }

  // One mistake after another: that which explains most of what is left, which is `open` then.
  std::vector<Diagnosis> explain(std::vector<std::string>& open) const {
    std::vector<Diagnosis> found;
    open = failing_;
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
    for (std::size_t m = 0; m < best.mutants.size(); ++m) {
      const Mutant* mutant = best.mutants[m];
      const auto named = std::ranges::find(found, mutant->label, &Diagnosis::label);
      if (named != found.end()) {  // it explains more, together with another
        named->taps.insert(named->taps.end(), explained.begin(), explained.end());
        named->explains = named->taps.size();
        continue;
      }
      Diagnosis one;
      one.label = mutant->label;
      one.what = describe(*mutant);
      one.explains = explained.size();
      one.failing = failing_.size();
      one.residual = residual(best, explained);
      one.taps = explained;
      for (const Trial& other : tried_) {
        const Mutant* instead = in_its_place(best, m, other);
        if (instead != nullptr && explained_by(other, open) == explained &&
            residual(other, explained) <= kAsGood * std::max(one.residual, 1.0)) {
          one.same_here.push_back(instead->label);
        }
      }
      found.push_back(std::move(one));
    }
  }

  // What another trial has in the place of a mistake of the best one, if that is all in which the
  // two differ.
  static const Mutant* in_its_place(const Trial& best, std::size_t m, const Trial& other) {
    if (&other == &best || other.mutants.size() != best.mutants.size()) {
      return nullptr;
    }
    if (best.mutants.size() == 1) {
      return other.mutants.front();
    }
    const Mutant* kept = best.mutants[1 - m];
    for (std::size_t k = 0; k < 2; ++k) {
      if (other.mutants[k] == kept && other.mutants[1 - k] != best.mutants[m]) {
        return other.mutants[1 - k];
      }
    }
    return nullptr;
  }

  double total(const Outcome& seen, const std::vector<std::string>& taps) const {
    double sum = 0;
    for (const std::string& tap : taps) {
      const auto off = seen.off.find(tap);
      sum += off == seen.off.end() ? std::numeric_limits<double>::infinity() : off->second;
    }
    return sum;
  }

  // Of mistakes in what a layer gives, those of one layer alone: a scalar that a file lacks. Where
  // the dump shows every layer they are seen there as they are.
  void try_single_layers() {
    for (const Mutant* mutant : candidates()) {
      const Rewrite& rewrite = mutant->rewrites.front();
      if (mutant->rewrites.size() > 1 || rewrite.tap != "text.layer.{i}.out") {
        continue;
      }
      for (const std::string& tap : by_pattern_.at(rewrite.tap)) {
        const bool felt = std::ranges::any_of(
            failing_, [&](const std::string& failing) { return reaches(tap, failing); });
        if (felt && !request_.dump.has(tap)) {
          try_one(own_.emplace_back(in_one_layer(*mutant, find_tap(tap)->layer.value())));
        }
      }
    }
  }

  static Mutant in_one_layer(const Mutant& mutant, std::size_t layer) {
    Mutant one = mutant;
    const std::string number = std::to_string(layer);
    one.label += (one.label.find(':') == std::string::npos ? ":" : ".") + ("layer=" + number);
    one.what = describe(mutant) + ", in layer " + number + " alone";
    one.rewrites.front().formula = [formula = mutant.rewrites.front().formula, layer](Scene& scene,
                                                                                      Tap& tap) {
      only(scene.layer() == layer);
      formula(scene, tap);
    };
    return one;
  }

  // Whether a pair of single trials explains any of these taps. If so, what does the same in their
  // place is tried as well.
  bool try_pair(std::size_t one, std::size_t other, const std::vector<std::string>& open) {
    if (!run_pair(one, other, open)) {
      return false;
    }
    const auto explained = explained_by(tried_.back(), open);
    for (const auto& [place, kept] : {std::pair(one, other), std::pair(other, one)}) {
      for (const std::size_t same : effects_->like(place, explained)) {
        if (same != kept && !out_of_time()) {
          run_pair(same, kept, open);
        }
      }
    }
    return true;
  }

  // Keeps the trial where it explains something.
  bool run_pair(std::size_t one, std::size_t other, const std::vector<std::string>& open) {
    if (!tried_[one].outcome.ran || !tried_[other].outcome.ran ||
        !paired_.insert(std::minmax(one, other)).second) {
      return false;
    }
    const std::vector<const Mutant*> both = {tried_[one].mutants.front(),
                                             tried_[other].mutants.front()};
    Trial pair{both, outcome(both), {one, other}};
    if (explained_by(pair, open).empty()) {
      return false;
    }
    tried_.push_back(std::move(pair));
    return true;
  }

  // Two at once: first the pairs whose effects add up to the error, then the singles that take most
  // away with each other one. True after the first pair that explains something.
  bool try_pairs(const std::vector<std::string>& open) {
    for (const Effects::Pair& pair : effects_->nearest_pairs(open, kNearestPairs)) {
      if (out_of_time()) {
        return false;
      }
      if (try_pair(pair.one, pair.other, open)) {
        return true;
      }
    }
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < singles_; ++i) {
      if (tried_[i].outcome.ran && total(tried_[i].outcome, open) < total(before_, open)) {
        order.push_back(i);
      }
    }
    std::ranges::stable_sort(order, {},
                             [&](std::size_t i) { return total(tried_[i].outcome, open); });
    order.resize(std::min(order.size(), kPartners));
    for (const std::size_t partner : order) {
      for (std::size_t other = 0; other < singles_; ++other) {
        if (out_of_time()) {
          return false;
        }
        if (other != partner && try_pair(partner, other, open)) {
          return true;
        }
      }
    }
    return false;
  }

  Implementation& f64_;
  const DiagnosisRequest& request_;
  Clock::time_point start_ = Clock::now();
  Outcome before_;
  std::vector<std::string> failing_;  // in execution order
  std::map<std::string, std::string> since_;
  std::map<std::string, std::vector<std::string>> by_pattern_;
  std::vector<Trial> tried_;  // singles first
  std::size_t singles_ = 0;
  std::deque<Mutant> own_;          // of one layer
  std::optional<Effects> effects_;  // of the singles, by their number
  std::set<std::pair<std::size_t, std::size_t>> paired_;
};

}  // namespace

std::vector<Diagnosis> diagnose(Implementation& f64, const DiagnosisRequest& request) {
  return Doctor(f64, request).examine();
}

}  // namespace assay::conformance
