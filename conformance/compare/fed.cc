// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/fed.h"

#include <algorithm>
#include <chrono>

#include "conformance/catalogue/block_taps.h"
#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/roles.h"
#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/blame.h"
#include "conformance/compare/calibrate.h"
#include "conformance/compare/chained.h"
#include "conformance/compare/evidence.h"
#include "conformance/compare/harness.h"

namespace assay::conformance {
namespace {

class Feeder : public TapListener {
 public:
  Feeder(TapListener& next, const TapSet& truth, const std::set<std::string>& fed,
         const PrecisionClass& precision)
      : next_(next), truth_(truth), fed_(fed), precision_(precision) {}
  bool wants(const std::string& name) const override {
    return fed_.contains(name) || next_.wants(name);
  }
  void on_tap(const TensorView& view) override {
    const std::string name(view.name);
    if (next_.wants(name)) {
      next_.on_tap(view);
    }
    const Tap* truth = fed_.contains(name) ? truth_.find(name) : nullptr;
    if (truth == nullptr || view.forced == nullptr || truth->values.size() != view.elements()) {
      return;  // a wrong shape is told by the comparison
    }
    Tap tap = *truth;
    if (precision_.rounds_taps) {
      std::ranges::for_each(tap.values,
                            [this](double& value) { value = round_to_class(value, precision_); });
    }
    write_forced(tap, view);
  }

 private:
  TapListener& next_;
  const TapSet& truth_;
  const std::set<std::string>& fed_;
  const PrecisionClass& precision_;
};

// Keys and values of a layer that has none of its own.
bool is_borrowed(const std::string& tap, const TapSet& truth) {
  return is_seen_by_attention(tap) && !truth.has(own_keys_beside(tap));
}

std::size_t text_layers(const TapSet& truth) {
  std::size_t count = 0;
  while (truth.has(output_of_text_layer(count))) {
    ++count;
  }
  return count;
}

// What is fed, and which of it goes into a block and is not judged there.
struct Feeding {
  std::set<std::string> fed;
  std::set<std::string> inputs;
  std::string from;  // of forced: the tap after which the run is judged
};

Feeding feeding_of(const TapSet& truth, Mode mode, std::size_t depth) {
  Feeding feeding;
  if (mode == Mode::kForced) {
    const std::size_t layers = text_layers(truth);
    const std::size_t layer = depth > 0 ? depth : layers / 2;
    if (layer > 0 && layer <= layers) {
      feeding.from = output_of_text_layer(layer - 1);
      feeding.fed.insert(feeding.from);
    }
    return feeding;
  }
  for (const Tap& tap : truth) {
    if (ends_block(tap.name)) {
      feeding.fed.insert(tap.name);
    } else if (is_borrowed(tap.name, truth)) {
      feeding.fed.insert(tap.name);
      feeding.inputs.insert(tap.name);
    }
  }
  return feeding;
}

std::string why_nothing_is_fed(const TapSet& truth, Mode mode, std::size_t depth) {
  const std::size_t layers = text_layers(truth);
  if (mode == Mode::kIsolated || layers < 2) {
    return "the mode needs the outputs of blocks in the golden";
  }
  return "depth: got " + std::to_string(depth) + ", expected 1 to " + std::to_string(layers) +
         ", the layers whose outputs the golden has";
}

// Whatever fails first in a block entered there; what follows in the block may carry it on.
void blame_blocks(const std::set<std::string>& fed, CaseResult& result) {
  bool failed = false;
  for (const TapResult& tap : result.taps) {
    if (tap.verdict == Verdict::kFail) {
      (failed ? result.inherited : result.introduced_by).push_back(tap.tap);
      failed = true;
    }
    failed = failed && !fed.contains(tap.tap);
  }
}

CaseResult without_taps(const Golden& golden, const PrecisionClass& precision, Mode mode,
                        const std::string& why) {
  CaseResult result;
  result.mode = mode;
  result.case_name = golden.case_name;
  result.checkpoint = golden.checkpoint;
  result.precision = precision.name;
  result.verdict = Verdict::kNotSupported;
  result.message = why;
  return result;
}

// The candidate's taps that are judged. What it lacks or runs out of is for the caller to tell.
Status run_candidate(const Golden& golden, Implementation& candidate, const RunOptions& options,
                     const Feeding& feeding, TapSet& dump) {
  CollectingListener listener([&](const std::string& tap) {
    return golden.truth.has(tap) && !feeding.inputs.contains(tap) &&
           (feeding.from.empty() || execution_key(feeding.from) < execution_key(tap));
  });
  const Status status = candidate.run(golden.input, options, listener);
  if (status.code != StatusCode::kNotSupported && status.code != StatusCode::kResourceError) {
    require_ok(status, golden.path.string());
    listener.check();
    dump = std::move(listener.taps());
  }
  return status;
}

}  // namespace

Capabilities Fed::capabilities() const {
  Capabilities can = inner_.capabilities();
  can.chunked_prefill = false;
  return can;
}

Status Fed::run(const CaseInput& input, const RunOptions& options, TapListener& taps) {
  Feeder feeder(taps, truth_, fed_, precision_);
  return inner_.run(input, options, feeder);
}

CaseResult judge_fed(const Golden& golden, Implementation& candidate, const RunOptions& options,
                     Oracle& oracle, const PrecisionClass& precision, Mode mode, std::size_t depth,
                     const TapFilter& claimed) {
  const auto start = std::chrono::steady_clock::now();
  const Feeding feeding = feeding_of(golden.truth, mode, depth);
  if (!candidate.capabilities().forced_taps || options.prefill_chunk > 0) {
    return without_taps(golden, precision, mode,
                        "the mode needs runs in one call that go on from what a listener writes");
  }
  if (feeding.fed.empty()) {
    return without_taps(golden, precision, mode, why_nothing_is_fed(golden.truth, mode, depth));
  }
  Fed fed(candidate, golden.truth, feeding.fed, precision);
  TapSet dump;
  if (const Status status = run_candidate(golden, fed, options, feeding, dump); !status.ok()) {
    CaseResult result = without_taps(golden, precision, mode, status.message);
    if (status.code == StatusCode::kResourceError) {
      result.verdict = Verdict::kResourceError;
    }
    return result;
  }
  Fed f64(oracle.f64(), golden.truth, feeding.fed, precision);
  Fed f32(oracle.f32(), golden.truth, feeding.fed, precision);
  Golden truth = golden_from_run(f64, golden.input, with_consulted(dump.names()));
  truth.case_name = golden.case_name;
  truth.checkpoint = golden.checkpoint;
  truth.not_provided = golden.not_provided;
  CalibrationOptions calibration;
  calibration.replay = false;
  const Floors floors = calibrate(f64, f32, golden.input, dump.names(), precision, calibration);
  CaseResult result = compare_chained(truth, dump, floors, mode == Mode::kForced);
  result.mode = mode;
  if (claimed) {
    std::erase_if(result.taps, [&](const TapResult& tap) { return !claimed(tap.tap); });
    conclude(result);
  }
  blame_blocks(feeding.fed, result);
  std::vector<CaseResult> results = {std::move(result)};
  weigh_evidence(golden, static_cast<bool>(claimed), results);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  results.front().seconds = seconds.count();
  return std::move(results.front());
}

}  // namespace assay::conformance
