// SPDX-License-Identifier: Apache-2.0
// Taps: named tensors at exact points of the computation (spec text 4; `assay taps` lists them).
//
// A block hands each value to its TapScope right after the named operation and before any later
// change. Whoever listens may also overwrite the value; the computation goes on from what it finds.
// That one freedom is what replay, forced runs and noise studies are made of. A tap costs one
// comparison of a flag when nobody listens.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/tensor.h"
#include "reference/family/config/tap_axes.h"

namespace assay::ASSAY_REFERENCE {

struct TapPlace {
  TapAxes axes = TapAxes::kRows;
  std::vector<std::size_t> keys;  // index in the sequence of each key, for kKeys and kRowsByKeys
};

class Taps {
 public:
  virtual ~Taps() = default;
  virtual bool listening() const { return false; }
  virtual bool wants(const std::string& /*name*/) const { return false; }
  virtual void real(const std::string& /*name*/, const TapPlace& /*place*/,
                    std::span<const std::size_t> /*shape*/, std::span<Real> /*values*/) {}
  virtual void integers(const std::string& /*name*/, const TapPlace& /*place*/,
                        std::span<const std::size_t> /*shape*/,
                        std::span<std::int32_t> /*values*/) {}
};

// The taps below one prefix, "text.layer.3." for instance.
class TapScope {
 public:
  TapScope(Taps& taps, std::string prefix) : taps_(&taps), prefix_(std::move(prefix)) {}

  bool wants(const char* name) const { return taps_->listening() && taps_->wants(prefix_ + name); }
  TapScope under(const std::string& name) const { return {*taps_, prefix_ + name}; }

  template <class AnyTensor>
  void operator()(const char* name, AnyTensor& value) const {
    emit(name, TapPlace{}, value);
  }
  template <class AnyTensor>
  void whole(const char* name, AnyTensor& value) const {
    emit(name, TapPlace{TapAxes::kWhole, {}}, value);
  }
  template <class AnyTensor>
  void at(const char* name, TapAxes axes, const std::vector<std::size_t>& keys,
          AnyTensor& value) const {
    if (taps_->listening()) {
      emit(name, TapPlace{axes, keys}, value);
    }
  }

 private:
  template <class AnyTensor>
  void emit(const char* name, const TapPlace& place, AnyTensor& value) const {
    if (!taps_->listening()) {
      return;
    }
    const std::string full = prefix_ + name;
    if (!taps_->wants(full)) {
      return;
    }
    const std::vector<std::size_t> shape(value.shape().begin(), value.shape().end());
    const auto values = std::span(value.data(), value.size());
    if constexpr (std::is_same_v<typename AnyTensor::value_type, Real>) {
      taps_->real(full, place, shape, values);
    } else {
      taps_->integers(full, place, shape, values);
    }
  }

  Taps* taps_;
  std::string prefix_;
};

}  // namespace assay::ASSAY_REFERENCE
