// SPDX-License-Identifier: Apache-2.0
// What mistakes do to a few taps, and which two of them together come nearest to an error.
//
//   e = dump - replay      d_x = replay with x - replay      e ~ d_x + d_y
//
// The sum is exact as long as one mistake does not change what the other does. It only says which
// pairs are worth a run.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

// Evenly spaced values of some taps.
using Samples = std::map<std::string, std::vector<float>>;

// The same places of every tap: at most some thousand.
std::vector<float> sample(const std::vector<double>& values);

// An implementation whose runs are watched at some taps, before a listener changes them.
class Watched : public Implementation {
 public:
  Watched(Implementation& inner, const std::vector<std::string>& taps)
      : inner_(inner), taps_(taps) {}

  Capabilities capabilities() const override { return inner_.capabilities(); }
  Status load(const std::string& checkpoint, const std::string& drafter) override {
    return inner_.load(checkpoint, drafter);
  }
  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override;

  Samples samples;  // of the last run

 private:
  Implementation& inner_;
  const std::vector<std::string>& taps_;
};

class Effects {
 public:
  // `replayed`: the run without a mistake; `dump`: what it is compared with.
  Effects(Samples replayed, const TapSet& dump);

  // The next mistake, by what its run gave.
  void add(const Samples& with_mistake);

  struct Pair {
    std::size_t one = 0;
    std::size_t other = 0;
    double left = 0;  // of the error, 0 … 1, added up over taps
  };
  // The best pairs of mistakes for these taps, best first.
  std::vector<Pair> nearest_pairs(const std::vector<std::string>& taps, std::size_t count) const;

  // Mistakes that do the same there as this one.
  std::vector<std::size_t> like(std::size_t mistake, const std::vector<std::string>& taps) const;

 private:
  void add_left(const std::string& tap, std::vector<double>& alone,
                std::vector<double>& pairs) const;
  const std::vector<float>* effect(std::size_t mistake, const std::string& tap) const;

  Samples replayed_;
  Samples errors_;
  std::vector<Samples> effects_;
};

}  // namespace assay::conformance
