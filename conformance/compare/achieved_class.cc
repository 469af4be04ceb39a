// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/achieved_class.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/shapes.h"

namespace assay::conformance {
namespace {

constexpr std::array kNarrowFirst = {"bf16", "f16", "f32", "f64"};
constexpr std::size_t kFewValues = 16;

// A cast tells as much as the rounding of any class, and faster, for the two that C++ has.
bool holds(const PrecisionClass& precision, double value) {
  if (precision.name == "f64") {
    return true;
  }
  if (precision.name == "f32") {
    return !std::isfinite(value) || static_cast<double>(static_cast<float>(value)) == value;
  }
  return !std::isfinite(value) ||
         (std::abs(value) <= precision.largest && round_to_class(value, precision) == value);
}

bool tells(const Tap& tap) {
  if (!find_tap(tap.name) || is_discrete(tap) || is_probabilities(tap.name) || is_angle(tap.name)) {
    return false;
  }
  std::set<double> different;
  for (const double value : tap.values) {
    if (std::isfinite(value) && different.insert(value).second && different.size() >= kFewValues) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string AchievedClass::name() const {
  return precision == nullptr ? "" : std::string(precision->name);
}

std::string AchievedClass::describe() const {
  const std::string article = name().starts_with("f") ? "an " : "a ";
  if (taps == of) {
    return "every value is " + article + name() + " number";
  }
  return std::to_string(taps) + " of " + std::to_string(of) + " taps hold " + name() +
         " numbers alone";
}

AchievedClass achieved_class(const TapSet& dump) {
  std::array<std::size_t, kNarrowFirst.size()> of_class{};
  AchievedClass achieved;
  for (const Tap& tap : dump) {
    if (!tells(tap)) {
      continue;
    }
    ++achieved.of;
    for (std::size_t i = 0; i < kNarrowFirst.size(); ++i) {
      const PrecisionClass& precision = *find_precision(kNarrowFirst[i]);
      of_class[i] +=
          std::ranges::all_of(tap.values, [&](double value) { return holds(precision, value); });
    }
  }
  for (std::size_t i = 0; i < kNarrowFirst.size() && achieved.of > 0; ++i) {
    const double share = static_cast<double>(of_class[i]) / static_cast<double>(achieved.of);
    if (achieved.precision == nullptr && share >= kMostTaps) {
      achieved.precision = find_precision(kNarrowFirst[i]);
      achieved.taps = of_class[i];
    }
  }
  return achieved;
}

}  // namespace assay::conformance
