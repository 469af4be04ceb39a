// SPDX-License-Identifier: Apache-2.0
// An implementation whose runs all follow one profile, whatever their options say.
#pragma once

#include <string>
#include <utility>

#include "conformance/interface/implementation.h"

namespace assay::conformance {

class Profiled : public Implementation {
 public:
  // `inner` must outlive this.
  Profiled(Implementation& inner, std::string profile)
      : inner_(&inner), profile_(std::move(profile)) {}

  Capabilities capabilities() const override { return inner_->capabilities(); }
  Status load(const std::string& checkpoint, const std::string& drafter) override {
    return inner_->load(checkpoint, drafter);
  }
  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override {
    RunOptions profiled = options;
    profiled.profile = profile_;
    return inner_->run(input, profiled, taps);
  }

 private:
  Implementation* inner_;
  std::string profile_;
};

}  // namespace assay::conformance
