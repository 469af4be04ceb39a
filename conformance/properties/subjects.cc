// SPDX-License-Identifier: Apache-2.0
#include "conformance/properties/subjects.h"

#include <utility>

#include "conformance/compare/harness.h"
#include "conformance/doors/registry.h"
#include "reference/family/checkpoint/checkpoint.h"

namespace assay::conformance {
namespace {

class Recorder : public TapListener {
 public:
  bool wants(const std::string& /*name*/) const override { return true; }
  void on_tap(const TensorView& view) override { taps[std::string(view.name)] = to_tap(view); }

  TapMap taps;
};

Subject subject_of(std::unique_ptr<Implementation> implementation, const std::string& path) {
  Subject subject;
  const Capabilities can = implementation->capabilities();
  subject.name = can.name + " " + can.precision;
  subject.bound = can.precision == "f64" ? 1e-12 : 5e-5;
  subject.config = Checkpoint::open(path).config();
  subject.rows_apart = !subject.config.text.moe;
  require_ok(implementation->load(path, ""), path);
  subject.implementation = std::move(implementation);
  return subject;
}

}  // namespace

std::string golden_checkpoint(const std::string& name) {
  return ASSAY_SOURCE_DIR "/golden/checkpoints/" + name;
}

std::vector<Subject> subjects(const std::string& path) {
  std::vector<Subject> all;
  for (const auto& [name, entry] : registered_implementations()) {
    if (entry.use_threads) {
      entry.use_threads(1);
    }
    for (const std::string& precision : entry.precisions) {
      all.push_back(subject_of(entry.make(precision), path));
    }
  }
  return all;
}

TapMap run_taps(Subject& subject, const CaseInput& input, std::size_t prefill_chunk) {
  Recorder recorder;
  RunOptions options;
  options.prefill_chunk = prefill_chunk;
  require_ok(subject.implementation->run(input, options, recorder), subject.name);
  return std::move(recorder.taps);
}

}  // namespace assay::conformance
