// SPDX-License-Identifier: Apache-2.0
// What an implementation under test provides: it runs a case and shows its taps.
//
// Plain data, no library's types. Nothing throws across this boundary: statuses only. The same
// contract as a C ABI is assay_port.h.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "conformance/interface/case.h"
#include "conformance/interface/status.h"
#include "conformance/interface/tensor_view.h"
#include "reference/family/config/rounding.h"

namespace assay::conformance {

struct RunOptions {
  std::size_t prefill_chunk = 0;  // tokens per call; 0: all at once; 1: decode
  Rounding rounding;              // of other programs, for calibrating what is legitimate
  std::string profile = "REF";    // or switches that differ: "audio.window_keys=13,audio.hann=…"
};

// Listens to a run. A tap (a named tensor at an exact point of the computation; `assay taps` prints
// the catalogue) arrives right after its operation, in execution order, once per run. An
// implementation that runs in several calls joins them by position first (doors/joiner.h). Integer
// taps (ids, masks, expert choices) are i32, others f32 or f64, as they were computed.
class TapListener {
 public:
  virtual ~TapListener() = default;
  virtual bool wants(const std::string& name) const = 0;
  // May write other values to tap.forced, which is there with Capabilities::forced_taps and a
  // single call: the implementation goes on from them.
  virtual void on_tap(const TensorView& tap) = 0;
};

struct Capabilities {
  std::string name;       // "reference"
  std::string precision;  // "f32", "f64", "bf16", …
  bool forced_taps = false;
  bool chunked_prefill = false;
  bool drafting = false;
  std::string executed_on = {};  // what computes, where that is to be said in a report
  // False for a tap of which no run shows anything, whatever is asked, as a fused kernel keeps its
  // scores to itself. Empty: every tap of the model. Called while the implementation lives.
  std::function<bool(const std::string& tap)> shows = {};

  bool never_shows(const std::string& tap) const { return shows && !shows(tap); }
};

class Implementation {
 public:
  virtual ~Implementation() = default;
  virtual Capabilities capabilities() const = 0;
  virtual Status load(const std::string& checkpoint, const std::string& drafter) = 0;
  virtual Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) = 0;
};

}  // namespace assay::conformance
