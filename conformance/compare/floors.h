// SPDX-License-Identifier: Apache-2.0
// Floors: the error that honest programs of a class make on this tap of this case.
//
//   chained   per tap: nothing transfers from prompt to prompt
//   replay    per kind of tap, the largest over layers and steps: one step does not know its depth;
//             but no more than a few times the layer's own, so that one ill-conditioned layer does
//             not blunt the others
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "conformance/compare/measure.h"
#include "conformance/compare/precision.h"
#include "conformance/compare/roundings.h"
#include "conformance/records/golden.h"

namespace assay::conformance {

struct TapFloor {
  double rel_l2 = std::numeric_limits<double>::quiet_NaN();
  double row = std::numeric_limits<double>::quiet_NaN();  // NaN: rows are not judged
  std::string source;                                     // golden, measured, predicted; "": none

  bool known() const { return !source.empty(); }
  // Of a tensor that is some of the rows: no better than the worst of them.
  TapFloor of_some_rows(bool some) const;
};

class Floors {
 public:
  explicit Floors(const PrecisionClass& precision) : precision_(&precision) {}
  const PrecisionClass& precision() const { return *precision_; }

  // What a member of the calibration set was off.
  void raise_chained(const std::string& tap, const Errors& errors);
  void raise_replay(const std::string& tap, const Errors& errors);
  // Of programs with fused attention, or of others.
  void raise_roundings(const std::string& tap, const Roundings& roundings, bool fused = false);
  void raise_spread(const std::string& tap, const FloatSpread& unrounded);

  // Stored floors win over measured ones. A truth without its low part is itself off by a
  // rounding to fp32, which no candidate can be blamed for.
  void use_stored(const Golden& golden);
  // Whether a golden has floors of this class for all of these taps' chained comparison.
  static bool stored_for_all(const Golden& golden, const PrecisionClass& precision);

  // What two runs may be apart, each of which is off by its floors: of taps that both have.
  Floors plus(const Floors& other) const;

  TapFloor chained(const std::string& tap) const;  // not known when nothing was measured
  TapFloor replay(const std::string& tap) const;   // predicted when nothing was measured
  // None: roundings are not compared, in this class or of this dump.
  bool has_roundings() const { return !roundings_.empty(); }
  std::optional<RoundingFloor> roundings(const std::string& tap, bool fused = false) const;

 private:
  struct Pair {
    double rel_l2 = 0;
    double row = 0;
  };
  static void raise(Pair& pair, const Errors& errors);
  TapFloor finish(double rel_l2, double row, const char* source) const;
  TapFloor widened(TapFloor floor, const std::string& tap) const;

  const PrecisionClass* precision_;
  std::map<std::string, Pair> chained_;             // by tap
  std::map<std::string, Pair> replay_;              // by kind
  std::map<std::string, Pair> own_;                 // replay, by tap
  std::map<std::string, Pair> stored_;              // by tap
  std::map<std::string, RoundingFloor> roundings_;  // by kind
  std::map<std::string, RoundingFloor> fused_;      // the same where attention is fused
  std::set<std::string> narrowed_;                  // taps whose truth is rounded to fp32
};

}  // namespace assay::conformance
