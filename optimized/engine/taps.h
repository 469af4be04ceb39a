// SPDX-License-Identifier: Apache-2.0
// What an engine shows of a run: the values that its fusions leave, under the names of the
// catalogue, right after they are computed. Nobody listens: a test of a pointer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "reference/family/config/tap_axes.h"

namespace assay::cpu {

class Taps {
 public:
  virtual ~Taps() = default;
  virtual bool wants(const std::string& name) const = 0;
  virtual void real(const std::string& name, TapAxes axes, std::span<const std::size_t> keys,
                    std::span<const std::size_t> shape, const float* values) = 0;
  virtual void integers(const std::string& name, TapAxes axes, std::span<const std::size_t> keys,
                        std::span<const std::size_t> shape, const std::int32_t* values) = 0;
};

// Rows of floats, `stride` floats from one to the next; somebody else's memory.
struct Rows {
  float* data = nullptr;
  std::size_t stride = 0;
  std::size_t rows = 0;
  std::size_t columns = 0;

  float* row(std::size_t r) const { return data + r * stride; }
  Rows from(std::size_t first, std::size_t count) const {
    return {row(first), stride, count, columns};
  }
  // [rows * columns], without what lies between the rows.
  template <class Value>
  std::vector<Value> values() const {
    std::vector<Value> all;
    all.reserve(rows * columns);
    for (std::size_t r = 0; r < rows; ++r) {
      all.insert(all.end(), row(r), row(r) + columns);
    }
    return all;
  }
};

// The taps below one prefix.
class TapScope {
 public:
  TapScope(Taps* taps, std::string prefix) : taps_(taps), prefix_(std::move(prefix)) {}

  TapScope under(const std::string& name) const {
    return taps_ == nullptr ? *this : TapScope(taps_, prefix_ + name);
  }
  bool listening() const { return taps_ != nullptr; }
  bool wants(const char* name) const { return taps_ != nullptr && taps_->wants(prefix_ + name); }

  // [rows, columns], or the axes of `shape`, which has as many elements.
  void operator()(const char* name, const Rows& rows, std::vector<std::size_t> shape = {}) const;
  void integers(const char* name, std::span<const std::int32_t> values,
                std::vector<std::size_t> shape = {}, TapAxes axes = TapAxes::kRows) const;
  void by_keys(const char* name, std::span<const std::size_t> keys,
               const std::vector<std::size_t>& shape, const float* values, TapAxes axes) const;
  void integers_by_keys(const char* name, std::span<const std::size_t> keys,
                        const std::vector<std::size_t>& shape, const std::int32_t* values) const;

 private:
  Taps* taps_;
  std::string prefix_;
};

}  // namespace assay::cpu
