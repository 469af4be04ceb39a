// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/identity.h"

#include <algorithm>
#include <sstream>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/comparison.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/listeners.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

// What is no matter of the checkpoint, and what a near-tie may turn, is not asked.
bool tells(const Tap& tap) {
  return stage_of(tap.name) == Stage::kRequests || (!is_discrete(tap) && !is_scores(tap.name));
}

std::string difference(const Comparison& step, double limit) {
  std::ostringstream text;
  text.precision(2);
  if (step.kind == Comparison::Kind::kShape) {
    text << "shape " << shape_string(step.got_shape) << " for " << shape_string(step.wanted_shape)
         << " at ";
  } else if (step.kind == Comparison::Kind::kExact && step.exact.different > 0) {
    text << "other numbers at ";
  } else if (step.kind == Comparison::Kind::kReal && !(step.errors.rel_l2() <= limit)) {
    text << step.errors.rel_l2() << " of its size off at ";
  } else {
    return "";
  }
  return text.str() + step.tap;
}

}  // namespace

std::string other_checkpoint(Implementation& f64, const Golden& golden) {
  const bool media = !golden.input.media.empty();
  const double limit = media ? kOtherTruthOfMedia : kOtherTruth;
  TruthComparer comparer(golden.truth, golden.input, std::numeric_limits<double>::infinity());
  std::string found;
  bool flipped = false;  // from there on a near-tie may be what differs
  CallingListener listener([&](const std::string& name) { return golden.truth.has(name); },
                           [&](Tap& tap) {
                             if (!found.empty() || flipped) {
                               return;
                             }
                             const Comparison step = comparer.compare(tap);
                             flipped = step.kind == Comparison::Kind::kChoice &&
                                       step.choice.sets.different > 0;
                             if (tells(tap)) {
                               found = difference(step, limit);
                             }
                           });
  require_ok(f64.run(golden.input, {}, listener), golden.path.filename().string(),
             "the run for the truth");
  listener.check();
  return found;
}

}  // namespace assay::conformance
