// SPDX-License-Identifier: Apache-2.0
// For tests: taps that are kept, and taps that are overwritten.
#pragma once

#include <map>

#include "reference/core/taps.h"

namespace assay::ASSAY_REFERENCE {

struct KeptTap {
  std::vector<std::size_t> shape;
  std::vector<double> values;

  // Row r of the first axis.
  std::vector<double> row(std::size_t r) const {
    const auto width = static_cast<std::ptrdiff_t>(values.size() / shape.at(0));
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(r) * width;
    return {first, first + width};
  }
};

// Keeps the last value of every tap.
class TapRecorder : public Taps {
 public:
  bool listening() const override { return true; }
  bool wants(const std::string& /*name*/) const override { return true; }
  void real(const std::string& name, const TapPlace& /*place*/, std::span<const std::size_t> shape,
            std::span<Real> values) override {
    kept_[name] = {{shape.begin(), shape.end()}, {values.begin(), values.end()}};
  }
  void integers(const std::string& name, const TapPlace& /*place*/,
                std::span<const std::size_t> shape, std::span<std::int32_t> values) override {
    kept_[name] = {{shape.begin(), shape.end()}, {values.begin(), values.end()}};
  }

  const KeptTap& at(const std::string& name) const { return kept_.at(name); }

 private:
  std::map<std::string, KeptTap> kept_;
};

// Overwrites the first integer of one tap.
class ForcedInteger : public Taps {
 public:
  ForcedInteger(std::string name, std::int32_t value) : name_(std::move(name)), value_(value) {}
  bool listening() const override { return true; }
  bool wants(const std::string& name) const override { return name == name_; }
  void integers(const std::string& /*name*/, const TapPlace& /*place*/,
                std::span<const std::size_t> /*shape*/, std::span<std::int32_t> values) override {
    values[0] = value_;
  }

 private:
  std::string name_;
  std::int32_t value_;
};

}  // namespace assay::ASSAY_REFERENCE
