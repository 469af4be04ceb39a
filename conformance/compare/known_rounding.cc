// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/known_rounding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <set>
#include <sstream>
#include <vector>

#include "conformance/compare/judge.h"
#include "conformance/compare/replay.h"

namespace assay::conformance {
namespace {

struct KnownRounding {
  const char* what;
  const char* at_a_tap;
  const char* who;
  Rounding rounding;
};

constexpr std::array kKnown = {
    KnownRounding{"rounding activations before a product: to 8 bits a block where the weight is "
                  "stored in blocks, else to its f16 or bf16",
                  "as rounded activations give it",
                  "ggml's CPU kernels; class int8",
                  {.stored_products = true}},
    KnownRounding{"a GELU looked up in a table of f16",
                  "as a GELU from a table gives it",
                  "llama.cpp as it is published, on CPUs",
                  {.gelu = GeluForm::kF16Table}},
};

// Those that no longer fail.
std::set<std::string> explained(const std::vector<std::string>& before, const CaseResult& after) {
  std::set<std::string> names(before.begin(), before.end());
  for (const TapResult& tap : after.taps) {
    if (tap.verdict == Verdict::kFail) {
      names.erase(tap.tap);
    }
  }
  return names;
}

// Whether any tap came out otherwise.
bool is_felt(const CaseResult& before, const CaseResult& after) {
  return !std::ranges::equal(before.taps, after.taps, [](const TapResult& a, const TapResult& b) {
    return a.rel_l2 == b.rel_l2 || (std::isnan(a.rel_l2) && std::isnan(b.rel_l2));
  });
}

std::string line_of(const KnownRounding& known, std::size_t count, std::size_t all,
                    double largest) {
  std::ostringstream line;
  line << count << " of " << all << " failing taps are off by what " << known.what
       << " gives, relative L2 up to " << std::setprecision(2) << largest << " (" << known.who
       << ")";
  return line.str();
}

}  // namespace

RoundingNames name_roundings(Implementation& f64, const CaseInput& input, const TapSet& dump,
                             const Floors& floors, CaseResult& replayed) {
  RoundingNames found;
  const std::size_t all = replayed.introduced_by.size();
  for (const KnownRounding& known : kKnown) {
    if (all == 0 || floors.precision().rounds_taps) {
      break;  // a class that rounds every tap tells these apart from nothing
    }
    CaseResult again = replay(f64, input, dump, floors, {known.rounding});
    auto names = explained(replayed.introduced_by, again);
    found.stored_products |= known.rounding.stored_products && is_felt(replayed, again);
    if (!names.empty() && known.rounding.stored_products) {
      const auto [up, down] = other_half_ways(known.rounding);
      again = replay(f64, input, dump, floors, {known.rounding, up, down});
      names = explained(replayed.introduced_by, again);
    }
    double largest = 0;
    for (TapResult& tap : replayed.taps) {
      if (names.contains(tap.tap)) {
        largest = std::max(largest, tap.rel_l2);
        add_note(tap, known.at_a_tap);
      }
    }
    if (again.verdict != Verdict::kHarnessError && !names.empty()) {
      found.note += (found.note.empty() ? "" : "; ") + line_of(known, names.size(), all, largest);
    }
  }
  return found;
}

}  // namespace assay::conformance
