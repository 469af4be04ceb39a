// SPDX-License-Identifier: Apache-2.0
// From the reference's taps to a listener of the suite.
//
// A run in one call hands each tap over at once and writes back what the listener made of it. A
// run in several calls is joined first: rows by the token's index, keys by theirs; entries that no
// call computed stay 0 (they are hidden from every query). The joined taps follow at the end.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

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
      : listener_(&listener), tokens_(tokens) {}
  bool listening() const override { return true; }
  bool wants(const std::string& name) const override { return listener_->wants(name); }
  void begin_call(std::size_t first_token) { first_token_ = first_token; }
  void real(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
            std::span<Real> values) override;
  void integers(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
                std::span<std::int32_t> values) override;
  void finish();  // hands all joined taps to the listener, in the order in which they first came

 private:
  template <class Value>
  void join(const std::string& name, const TapPlace& place, std::span<const std::size_t> shape,
            std::span<const Value> values, bool integer);
  conformance::Tap& joined(const std::string& name, const TapPlace& place,
                           std::span<const std::size_t> shape, bool integer);

  conformance::TapListener* listener_;
  std::size_t tokens_;
  std::size_t first_token_ = 0;
  std::vector<conformance::Tap> taps_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace assay::ASSAY_REFERENCE
