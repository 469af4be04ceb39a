// SPDX-License-Identifier: Apache-2.0
#include "conformance/properties/agreement.h"

#include <algorithm>
#include <cmath>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/chained.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/judge.h"
#include "conformance/compare/replay.h"
#include "conformance/properties/prompts.h"

namespace assay::conformance {
namespace {

std::set<std::string> names_of(const TapMap& taps) {
  std::set<std::string> names;
  for (const auto& [name, tap] : taps) {
    names.insert(name);
  }
  return names;
}

TapSet set_of(const TapMap& taps) {
  TapSet set;
  for (const auto& [name, tap] : taps) {
    set.add(tap);
  }
  return set;
}

// In 16 bits an error of size is softened to a warning, for it may be inherited from rounding; here
// the floors are those of this very prompt.
bool differs(const TapResult& result) {
  return result.verdict == Verdict::kFail ||
         (result.verdict == Verdict::kWarning && !result.code.empty());
}

std::string said(const TapResult& result) {
  const bool by_size = result.code == "TOL" && result.rel_l2 > result.budget;
  return by_size ? at_most(result.rel_l2, result.budget) : "got another: " + result.note;
}

}  // namespace

bool tells_nothing(double bound) {
  return !(bound < kBlindBudget);
}

Shown show(Subject& subject, CaseInput input, std::size_t prefill_chunk) {
  TapMap taps = run_taps(subject, input, prefill_chunk);
  return {std::move(input), std::move(taps)};
}

Agreement::Agreement(Subject& subject, const Shown& theirs, const CaseInput& other,
                     OtherFloors of_other)
    : subject_(subject),
      theirs_(theirs),
      other_(other),
      names_(names_of(theirs.taps)),
      floors_of_theirs_(subject.yardstick->floors(subject.loaded, theirs.input, names_)),
      floors_of_other_(of_other == OtherFloors::kOwn
                           ? subject.yardstick->floors(subject.loaded, other, names_)
                           : floors_of_theirs_),
      both_(floors_of_theirs_.plus(floors_of_other_)) {}

void Agreement::expect_same(const TapMap& ours, const TapMap& wanted, const std::string& where,
                            Findings& findings) {
  Golden golden;
  golden.input = theirs_.input;
  TapSet dump;
  for (const auto& [name, tap] : wanted) {
    const auto found = ours.find(name);
    findings.expect(found != ours.end(), [&, &tap_name = name] {
      return where + tap_name + ": got no such tap, expected it";
    });
    golden.truth.add(tap);
    if (found != ours.end()) {
      dump.add(found->second);
    }
  }
  for (const TapResult& result : compare_chained(golden, dump, both_).taps) {
    if (result.verdict == Verdict::kNotTested) {
      findings.leave(where + result.tap);
    } else {
      findings.expect(!differs(result), [&] { return where + result.tap + ": " + said(result); });
    }
  }
}

std::set<std::string> Agreement::wrong_steps(const Shown& shown, const Floors& floors) {
  const CaseResult result =
      replay(subject_.yardstick->judge(subject_.loaded), shown.input, set_of(shown.taps), floors);
  if (result.verdict == Verdict::kHarnessError) {
    throw Stopped(Verdict::kHarnessError, result.message);
  }
  return {result.introduced_by.begin(), result.introduced_by.end()};
}

void Agreement::expect_right_steps(const Shown& ours, const std::string& where,
                                   Findings& findings) {
  if (!subject_.yardstick->precision().sixteen_bit) {
    return;  // agreement end to end is sharp
  }
  if (!has_steps_) {
    wrong_in_theirs_ = wrong_steps(theirs_, floors_of_theirs_);
    has_steps_ = true;
  }
  const auto wrong = wrong_steps(ours, floors_of_other_);
  for (const auto& [name, tap] : ours.taps) {
    findings.expect(!wrong.contains(name) || wrong_in_theirs_.contains(name), [&, &at = name] {
      return where + at +
             ": got what does not follow from the taps before it, as it does otherwise";
    });
  }
}

void Agreement::expect_other_row(const TapMap& ours, const std::string& tap, std::size_t row,
                                 const std::string& where, Findings& findings) {
  const double limit = kChainedRowLimit * both_.chained(tap).row;
  const auto distance = [&](const Tap& one, const Tap& other) {
    return relative_distance(row_of(one, row), row_of(other, row));
  };
  Yardstick& yardstick = *subject_.yardstick;
  const double least = distance(yardstick.truth(subject_.loaded, other_, names_).at(tap),
                                yardstick.truth(subject_.loaded, theirs_.input, names_).at(tap));
  const double got = distance(tap_of(ours, tap), tap_of(theirs_.taps, tap));
  const std::string place = where + tap + ", row " + std::to_string(row);
  if (!(least > 2 * limit)) {
    findings.leave(place);
    return;
  }
  findings.expect(got > limit, [&] { return place + ": " + more_than(got, limit); });
}

double step_bound(Subject& subject, const Shown& shown, const std::string& tap) {
  const TapFloor floor =
      subject.yardstick->floors(subject.loaded, shown.input, names_of(shown.taps)).replay(tap);
  return kReplayLimit * std::max(floor.rel_l2, std::isnan(floor.row) ? 0 : floor.row);
}

}  // namespace assay::conformance
