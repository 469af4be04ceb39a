// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/power.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <string_view>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/roles.h"
#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/listeners.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

// A change of rounding in fp64, and of nothing.
constexpr double kNothing = 1e-10;
constexpr char kNone = '.';

std::string pattern_of(const std::string& tap) {
  const auto match = find_tap(tap);
  return match ? std::string(match->entry->pattern) : tap;
}

constexpr std::string_view kCodes = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO";
constexpr double kPerDecade = 5;

char code_of(double change) {
  if (!(change > kNothing)) {
    return kNone;
  }
  const auto steps =
      change >= 1 ? 0 : static_cast<std::size_t>(std::ceil(-kPerDecade * std::log10(change)));
  return kCodes[std::min(steps, kCodes.size() - 1)];
}

double relative_change(const Tap& truth, const Tap& got) {
  if (truth.values.size() != got.values.size()) {
    return 1;
  }
  double change = 0;
  double size = 0;
  for (std::size_t i = 0; i < truth.values.size(); ++i) {
    const double e = got.values[i] - truth.values[i];
    change += std::isfinite(e) ? e * e : 0;
    size += truth.values[i] * truth.values[i];
  }
  return change == 0 ? 0 : size == 0 ? 1 : std::sqrt(change / size);
}

TapSet taps_of(Implementation& implementation, const Golden& golden) {
  CollectingListener listener;
  require_ok(implementation.run(golden.input, {}, listener), golden.path.string(), "a run");
  listener.check();
  return std::move(listener.taps());
}

// "text.layer" of text.layer.3.attn.mix, with the item before it; "" for a tap that is of no layer.
std::string stack_of(const std::string& tap) {
  const auto match = find_tap(tap);
  if (!match || !match->layer) {
    return "";
  }
  const std::string prefix = tap_prefix(tap);
  return prefix.substr(0, prefix.find_last_of('.', prefix.size() - 2));
}

// How far each kind of tap moves, by its `number`; of layers in the first of a stack that moves at
// all.
Numbers changes(const TapSet& truth, const TapSet& got,
                const std::map<std::string, std::size_t>& number) {
  Numbers most(number.size(), 0);
  std::map<std::string, std::string> moved;  // by stack, the prefix of its layer
  for (const Tap& tap : truth) {
    const Tap* other = got.find(tap.name);
    const double change = other == nullptr ? 0 : relative_change(tap, *other);
    const std::string stack = stack_of(tap.name);
    const bool here =
        stack.empty() || !(change > kNothing) ||
        moved.emplace(stack, tap_prefix(tap.name)).first->second == tap_prefix(tap.name);
    if (here) {
      double& far = most[number.at(pattern_of(tap.name))];
      far = std::max(far, change);
    }
  }
  return most;
}

// Whether a tap shows what entered before the taps that were judged before it: at the logits of a
// chained run it does in every class, at other taps of a chained run where they are judged end to
// end, in a replay nowhere.
bool accumulates(const std::string& kind, const CaseResult& result, bool sixteen_bit) {
  return result.mode != Mode::kReplay && (!sixteen_bit || role_of(kind).output);
}

}  // namespace

CasePower measure_power(Implementation& f64, const MutantModel& model, const Golden& golden) {
  CasePower power;
  const TapSet truth = taps_of(f64, golden);
  std::map<std::string, std::size_t> number;
  for (const Tap& tap : truth) {
    if (number.emplace(pattern_of(tap.name), power.kinds.size()).second) {
      power.kinds.push_back(pattern_of(tap.name));
    }
  }
  for (const Mutant& mutant : all_mutants()) {
    const bool acts = std::ranges::any_of(
        mutant.rewrites, [&](const Rewrite& rewrite) { return number.contains(rewrite.tap); });
    if (!acts) {
      continue;
    }
    Mutated mutated(f64, model, {&mutant});
    const TapSet taps = taps_of(mutated, golden);
    if (mutated.changed().empty()) {
      continue;
    }
    const Numbers most = changes(truth, taps, number);
    std::string codes;
    for (std::size_t k = 0; k < most.size(); ++k) {
      const bool hidden = std::ranges::find(mutant.hidden, power.kinds[k]) != mutant.hidden.end();
      codes += hidden ? kNone : code_of(most[k]);
    }
    power.by_mutant.emplace_back(mutant.label, codes);
  }
  return power;
}

std::string power_text(const PowerTable& table) {
  std::string text;
  for (const auto& [name, power] : table) {
    text += "case " + name + "\nkinds";
    for (const std::string& kind : power.kinds) {
      text += " " + kind;
    }
    text += "\n";
    for (const auto& [label, codes] : power.by_mutant) {
      text += label + " " + codes + "\n";
    }
  }
  return text;
}

PowerTable parse_power(const std::string& text, const std::string& label) {
  PowerTable table;
  CasePower* open = nullptr;
  std::istringstream lines(text);
  std::size_t number = 0;
  const auto refuse = [&](const std::string& expected) {
    throw Error(label + ": line " + std::to_string(number) + ": expected " + expected);
  };
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first;
    if (first == "kinds") {
      if (open == nullptr || !open->kinds.empty()) {
        refuse("a case before its kinds of tap, which stand once");
      }
      for (std::string kind; words >> kind;) {
        open->kinds.push_back(kind);
      }
      continue;
    }
    words >> second;
    if (first == "case" && !second.empty()) {
      open = &table[second];
    } else if (open == nullptr || second.size() != open->kinds.size() ||
               second.find_first_not_of(std::string(kCodes) + kNone) != std::string::npos) {
      refuse("a case, its kinds of tap, and a mutant with a code or . for each of them");
    } else {
      open->by_mutant.emplace_back(first, second);
    }
  }
  return table;
}

double least_change(char code) {
  const std::size_t steps = kCodes.find(code);
  return steps == std::string_view::npos ? 0
                                         : std::pow(10.0, -static_cast<double>(steps) / kPerDecade);
}

Power power_of(const CasePower& power, const CaseResult& result, bool sixteen_bit) {
  std::map<std::string, double> budget;  // of each kind of tap, the widest
  for (const TapResult& tap : result.taps) {
    const bool judged = tap.verdict == Verdict::kPass || tap.verdict == Verdict::kWarning;
    if (judged) {
      // A tap of integers has no budget: any change shows.
      const double own = std::isfinite(tap.budget) ? tap.budget : 0;
      double& most = budget.try_emplace(pattern_of(tap.tap), own).first->second;
      most = std::max(most, own);
    }
  }
  Power found;
  for (const auto& [label, codes] : power.by_mutant) {
    bool seen = false;
    bool first = true;
    for (std::size_t k = 0; k < power.kinds.size() && !seen; ++k) {
      const auto judged = budget.find(power.kinds[k]);
      if (codes[k] == kNone || judged == budget.end()) {
        continue;
      }
      const bool counts = first || accumulates(power.kinds[k], result, sixteen_bit);
      first = false;
      seen = counts && least_change(codes[k]) > judged->second;
    }
    ++found.expressible;
    found.excluded += seen ? 1 : 0;
    (seen ? found.seen : found.blind).push_back(label);
  }
  return found;
}

}  // namespace assay::conformance
