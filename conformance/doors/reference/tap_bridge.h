// SPDX-License-Identifier: Apache-2.0
// From the reference's taps to a listener of the suite.
//
// A run in one call shows each tap where it lies, and goes on from what the listener made of it. A
// run in several calls is joined first (doors/joiner.h).
#pragma once

#include <cstddef>
#include <string>

#include "conformance/doors/joiner.h"
#include "conformance/interface/implementation.h"
#include "reference/core/taps.h"

namespace assay::ASSAY_REFERENCE {

class DirectBridge : public Taps {
 public:
  explicit DirectBridge(conformance::TapListener& listener) : listener_(&listener) {}
  bool listening() const override { return true; }
  bool wants(const std::string& name) const override { return listener_->wants(name); }
  void real(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
            std::span<Real> values) override;
  void integers(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
                std::span<std::int32_t> values) override;

 private:
  conformance::TapListener* listener_;
};

class JoiningBridge : public Taps {
 public:
  JoiningBridge(conformance::TapListener& listener, std::size_t tokens)
      : joiner_(listener, tokens) {}
  bool listening() const override { return true; }
  bool wants(const std::string& name) const override { return joiner_.wants(name); }
  void begin_call(std::size_t first_token) { joiner_.begin_call(first_token); }
  void real(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
            std::span<Real> values) override;
  void integers(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
                std::span<std::int32_t> values) override;
  void finish() { joiner_.finish(); }

 private:
  conformance::Joiner joiner_;
};

}  // namespace assay::ASSAY_REFERENCE
