// SPDX-License-Identifier: Apache-2.0
#include "conformance/properties/subject.h"

#include "conformance/properties/findings.h"
#include "conformance/properties/prompts.h"
#include "reference/family/base/error.h"
#include "reference/family/checkpoint/checkpoint.h"

namespace assay::conformance {
namespace {

class Recorder : public TapListener {
 public:
  bool wants(const std::string& /*name*/) const override { return true; }
  void on_tap(const TensorView& view) override { taps[std::string(view.name)] = to_tap(view); }

  TapMap taps;
};

class Silent : public TapListener {
 public:
  bool wants(const std::string& /*name*/) const override { return false; }
  void on_tap(const TensorView& /*view*/) override {}
};

// The prompts of properties are right, so an implementation that refuses one fails.
void stop_unless_ok(const Status& status) {
  switch (status.code) {
    case StatusCode::kOk:
      return;
    case StatusCode::kNotSupported:
      throw Stopped(Verdict::kNotSupported, status.message);
    case StatusCode::kBadInput:
      throw Stopped(Verdict::kFail, "refused: " + status.message);
    case StatusCode::kResourceError:
      throw Stopped(Verdict::kResourceError, status.message);
    case StatusCode::kHarnessError:
      break;
  }
  throw Stopped(Verdict::kHarnessError, status.message);
}

}  // namespace

const PrecisionClass& class_of(const Implementation& implementation) {
  const std::string name = implementation.capabilities().precision;
  if (const PrecisionClass* precision = find_precision(name)) {
    return *precision;
  }
  throw Error("precision: got '" + name + "', expected a class that is known");
}

Subject make_subject(Implementation& implementation, const std::string& checkpoint,
                     std::shared_ptr<Yardstick> yardstick, const std::string& profile) {
  const Capabilities can = implementation.capabilities();
  Subject subject{implementation, checkpoint, Checkpoint::open(checkpoint).config(), can};
  subject.yardstick = std::move(yardstick);
  subject.rows_apart = !subject.config.text.moe;
  subject.profile = profile;
  load(subject, checkpoint);
  Silent silent;
  const auto status =
      implementation.run(media_prompt(subject.config.text.hidden_size), RunOptions{}, silent);
  subject.takes_media = status.code != StatusCode::kNotSupported;
  return subject;
}

void load(Subject& subject, const std::string& checkpoint) {
  stop_unless_ok(subject.implementation.load(checkpoint, ""));
  subject.loaded = checkpoint;
}

CaseInput usual_prompt(const Subject& subject) {
  return subject.takes_media ? media_prompt(subject.config.text.hidden_size) : text_prompt(26);
}

TapMap run_taps(Subject& subject, const CaseInput& input, std::size_t prefill_chunk) {
  Recorder recorder;
  RunOptions options;
  options.prefill_chunk = prefill_chunk;
  options.profile = subject.profile;
  stop_unless_ok(subject.implementation.run(input, options, recorder));
  if (recorder.taps.empty()) {
    throw Stopped(Verdict::kNotSupported, "needs taps, and none was given");
  }
  return std::move(recorder.taps);
}

const Tap& tap_of(const TapMap& taps, const std::string& name) {
  const auto found = taps.find(name);
  if (found == taps.end()) {
    throw Stopped(Verdict::kNotSupported, "needs the tap " + name + ", which was not given");
  }
  return found->second;
}

}  // namespace assay::conformance
