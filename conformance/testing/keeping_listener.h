// SPDX-License-Identifier: Apache-2.0
// For tests: a listener that keeps every tap of a run, and may change values on which it goes on.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/records/tap.h"

namespace assay::conformance {

class KeepingListener : public TapListener {
 public:
  using Change = std::function<void(Tap&)>;

  explicit KeepingListener(Change change = [](Tap&) {}) : change_(std::move(change)) {}
  bool wants(const std::string& /*name*/) const override { return true; }
  void on_tap(const TensorView& view) override {
    Tap tap = to_tap(view);
    order.push_back(tap.name);
    change_(tap);
    write_forced(tap, view);
    taps[tap.name] = tap;
  }

  std::vector<std::string> order;
  std::map<std::string, Tap> taps;

 private:
  Change change_;
};

}  // namespace assay::conformance
