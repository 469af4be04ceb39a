// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/which_profile.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string_view>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/chained.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/profiled.h"
#include "conformance/compare/replay.h"
#include "conformance/records/tap_order.h"
#include "reference/family/config/profile.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kMostRuns = 40;  // of the reference
// Floors were measured under the golden's profile. A switch that is right takes an error of some
// 10^5 floors down to rounding, which is a few of them, whatever they are exactly: at most so many,
// and that many times fewer than before.
constexpr double kRoundingReach = 100;

using Settings = std::map<std::string, std::string, std::less<>>;  // switch -> value

std::string who_sets(const ProfileSwitch& of, std::string_view value) {
  const auto values = of.values();
  return std::string(std::ranges::find(values, value, &ProfileValue::name)->who);
}

// Every switch of a profile, in words.
Settings settings_of(const std::string& profile) {
  Settings settings;
  for (const ProfileSwitch& each : kProfileSwitches) {
    settings[std::string(each.key)] = each.values().front().name;
  }
  const std::string text = profile_text(parse_profile(profile));
  for (std::size_t begin = 0; text.find('=', begin) != std::string::npos;) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::size_t equals = text.find('=', begin);
    settings[text.substr(begin, equals - begin)] = text.substr(equals + 1, end - equals - 1);
    begin = end + 1;
  }
  return settings;
}

std::string text_of(const Settings& settings) {
  std::string text;
  for (const auto& [key, value] : settings) {
    text.append(text.empty() ? "" : ",").append(key).append("=").append(value);
  }
  return profile_text(parse_profile(text));
}

// Whether the dump shows what leaves the encoders: what comes later is then computed from that.
bool shows_soft_embeddings(const TapSet& dump, bool of_audio) {
  return std::ranges::any_of(dump, [&](const Tap& tap) {
    return role_of(tap.name).soft_embeddings && is_audio(tap.name) == of_audio;
  });
}

// Whether a switch that is felt at `first` can be felt at this tap. Audio and images do not depend
// on each other.
bool touches(std::string_view first, const std::string& tap, const Suspect& suspect) {
  const std::string prefix(media_prefix(tap));
  const bool of_audio = is_audio(first);
  if (stage_of(first) == Stage::kText) {
    const auto& types = suspect.golden.input.token_types;
    const bool images = std::ranges::any_of(types, [](int t) { return t == 1 || t == 2; });
    return (images || !is_mask(first)) && prefix.empty() &&
           execution_key(tap) >= execution_key(first);
  }
  if (prefix.empty()) {
    const bool known = shows_soft_embeddings(suspect.dump, of_audio);
    return !suspect.golden.input.media.empty() && !(suspect.replay && known);
  }
  return is_audio(tap) == of_audio &&
         execution_key(tap) >= execution_key(prefix + std::string(first));
}

// How far off a failing tap is, in floors; infinite for what is no matter of size.
double floors_off(const TapResult& tap) {
  if (tap.code != "TOL") {
    return std::numeric_limits<double>::infinity();
  }
  return std::isfinite(tap.worst_row_units) ? std::max(tap.in_bound_units, tap.worst_row_units)
                                            : tap.in_bound_units;
}

class Search {
 public:
  Search(Implementation& f64, const Suspect& suspect) : f64_(f64), suspect_(suspect) {}

  ProfileMatch find(const CaseResult& judged) {
    for (const TapResult& tap : judged.taps) {
      before_[tap.tap] = floors_off(tap);
    }
    std::vector<std::string> failing = failing_of(judged);
    sort_by_execution(failing);
    ProfileMatch match;
    const Settings asked = settings_of(suspect_.golden.profile);
    Settings settings = asked;
    while (!failing.empty()) {
      const auto better = improve(settings, failing);
      if (!better) {
        break;
      }
      settings = better->settings;
      std::ranges::set_difference(sorted(failing), sorted(better->failing),
                                  std::back_inserter(match.explained));
      failing = better->failing;
    }
    if (settings != asked) {
      match.profile = text_of(settings);
      match.changes = changes(asked, settings);
      match.whole = failing.empty();
      sort_by_execution(match.explained);
    }
    return match;
  }

 private:
  struct Judged {
    Settings settings;
    std::vector<std::string> failing;
  };

  static std::vector<std::string> sorted(std::vector<std::string> names) {
    std::ranges::sort(names);
    return names;
  }

  static std::vector<SwitchChange> changes(const Settings& from, const Settings& to);
  std::vector<Settings> neighbours(const Settings& settings, const std::string& tap) const;
  std::optional<Judged> improve(const Settings& settings, const std::vector<std::string>& failing);
  std::optional<Judged> best_of(const std::vector<Settings>& candidates,
                                const std::vector<std::string>& failing);
  std::optional<std::vector<std::string>> failing_under(const Settings& settings);
  std::vector<std::string> failing_of(const CaseResult& judged) const;
  bool is_explained(const TapResult& tap) const;

  Implementation& f64_;
  const Suspect& suspect_;
  std::map<std::string, double> before_;  // floors that each tap is off under the golden's profile
  std::size_t runs_ = 0;
};

std::vector<SwitchChange> Search::changes(const Settings& from, const Settings& to) {
  std::vector<SwitchChange> changed;
  for (const ProfileSwitch& each : kProfileSwitches) {
    const std::string& value = to.find(each.key)->second;
    if (from.find(each.key)->second != value) {
      changed.push_back(
          {std::string(each.key) + "=" + value, who_sets(each, value), std::string(each.ledger)});
    }
  }
  return changed;
}

// Profiles that differ in one switch which can be felt at the tap.
std::vector<Settings> Search::neighbours(const Settings& settings, const std::string& tap) const {
  std::vector<Settings> all;
  for (const ProfileSwitch& each : kProfileSwitches) {
    if (!touches(each.first_tap, tap, suspect_)) {
      continue;
    }
    for (const ProfileValue& value : each.values()) {
      if (settings.find(each.key)->second != value.name) {
        all.push_back(settings);
        all.back().find(each.key)->second = value.name;
      }
    }
  }
  return all;
}

// Down to rounding, and not only because it never was far from it.
bool Search::is_explained(const TapResult& tap) const {
  const double now = floors_off(tap);
  const auto before = before_.find(tap.tap);
  return now <= kRoundingReach && before != before_.end() && now * kRoundingReach <= before->second;
}

std::vector<std::string> Search::failing_of(const CaseResult& judged) const {
  std::vector<std::string> names;
  for (const TapResult& tap : judged.taps) {
    const bool asked = !suspect_.replay || std::ranges::find(judged.introduced_by, tap.tap) !=
                                               judged.introduced_by.end();
    if (asked && tap.verdict == Verdict::kFail && !is_explained(tap)) {
      names.push_back(tap.tap);
    }
  }
  return names;
}

// The taps that fail under a profile; nothing when it cannot be run.
std::optional<std::vector<std::string>> Search::failing_under(const Settings& settings) {
  if (++runs_ > kMostRuns) {
    return std::nullopt;
  }
  Profiled judge(f64_, text_of(settings));
  if (suspect_.replay) {
    const CaseResult result = replay(judge, suspect_.golden.input, suspect_.dump, suspect_.floors);
    if (result.verdict == Verdict::kHarnessError) {
      return std::nullopt;
    }
    return failing_of(result);
  }
  try {
    const Golden other =
        golden_from_run(judge, suspect_.golden.input, with_consulted(suspect_.dump.names()));
    return failing_of(compare_chained(other, suspect_.dump, suspect_.floors));
  } catch (const Error&) {  // as many soft tokens as the prompt has placeholders: not here
    return std::nullopt;
  } catch (const HarnessError&) {
    return std::nullopt;
  }
}

// The candidate with the fewest failures left, none of them new, fewer than there were.
std::optional<Search::Judged> Search::best_of(const std::vector<Settings>& candidates,
                                              const std::vector<std::string>& failing) {
  std::optional<Judged> best;
  for (const Settings& settings : candidates) {
    const auto left = failing_under(settings);
    const std::size_t most = best ? best->failing.size() : failing.size();
    if (left && left->size() < most && std::ranges::includes(sorted(failing), sorted(*left))) {
      best = Judged{settings, *left};
    }
    if (best && best->failing.empty()) {
      break;
    }
  }
  return best;
}

std::optional<Search::Judged> Search::improve(const Settings& settings,
                                              const std::vector<std::string>& failing) {
  const auto singles = neighbours(settings, failing.front());
  if (auto found = best_of(singles, failing)) {
    return found;
  }
  std::vector<Settings> pairs;
  for (const Settings& single : singles) {
    for (const Settings& pair : neighbours(single, failing.front())) {
      const bool new_pair = std::ranges::find(pairs, pair) == pairs.end() &&
                            std::ranges::find(singles, pair) == singles.end() && pair != settings;
      if (new_pair) {
        pairs.push_back(pair);
      }
    }
  }
  return best_of(pairs, failing);
}

}  // namespace

ProfileMatch which_profile(Implementation& f64, const Suspect& suspect, const CaseResult& judged) {
  return Search(f64, suspect).find(judged);
}

std::string describe_match(const ProfileMatch& match, const std::string& golden_profile) {
  std::string what;
  for (const SwitchChange& change : match.changes) {
    what += (what.empty() ? "" : " with ") + change.setting + " (" + change.who +
            (change.who.empty() ? "" : "; ") + change.ledger + ")";
  }
  const bool reference = profile_text(parse_profile(golden_profile)) == "REF";
  if (!match.whole) {
    return what + " explains " + std::to_string(match.explained.size()) + " of the taps";
  }
  return "this is " + what + ", not " +
         (reference ? "a Gemma 4 of the reference profile" : "the golden's " + golden_profile);
}

}  // namespace assay::conformance
