// SPDX-License-Identifier: Apache-2.0
// From the engine's taps to a listener of the suite, call by call or joined (doors/joiner.h).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "conformance/doors/joiner.h"
#include "conformance/interface/implementation.h"
#include "optimized/engine/taps.h"

namespace assay::conformance {

// Attention of the text, the vision encoder and the drafter goes over the keys once and keeps no
// row of scores. The audio encoder's window is small enough for one.
inline bool stays_in_kernel(const std::string& tap) {
  return (tap.ends_with(".attn.scores") || tap.ends_with(".attn.probs")) &&
         tap.find("audio.") == std::string::npos;
}

class EngineTaps : public cpu::Taps {
 public:
  // `tokens`: of the whole prompt; joined where it takes several calls.
  EngineTaps(TapListener& listener, std::size_t tokens, bool joined) : listener_(listener) {
    if (joined) {
      joiner_.emplace(listener, tokens);
    }
  }

  bool wants(const std::string& name) const override { return listener_.wants(name); }
  void real(const std::string& name, TapAxes axes, std::span<const std::size_t> keys,
            std::span<const std::size_t> shape, const float* values) override {
    show({name, TensorDtype::kF32, shape, values}, axes, keys);
  }
  void integers(const std::string& name, TapAxes axes, std::span<const std::size_t> keys,
                std::span<const std::size_t> shape, const std::int32_t* values) override {
    show({name, TensorDtype::kI32, shape, values}, axes, keys);
  }

  void begin_call(std::size_t first_token) {
    if (joiner_) {
      joiner_->begin_call(first_token);
    }
  }
  void finish() {
    if (joiner_) {
      joiner_->finish();
    }
  }

 private:
  void show(const TensorView& tap, TapAxes axes, std::span<const std::size_t> keys) {
    if (joiner_) {
      joiner_->add(tap, axes, keys);
    } else {
      listener_.on_tap(tap);
    }
  }

  TapListener& listener_;
  std::optional<Joiner> joiner_;
};

}  // namespace assay::conformance
