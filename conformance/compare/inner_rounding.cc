// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/inner_rounding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/inner_steps.h"
#include "conformance/catalogue/roles.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/measure.h"
#include "conformance/compare/other_gelu.h"
#include "conformance/compare/shapes.h"

namespace assay::conformance {
namespace {

// x cos - x' sin and x' cos + x sin of the pairs (j, j + H/2), with `round` after each operation.
template <typename Round>
std::vector<double> rotated(const Tap& x, const Tap& cos, const Tap& sin, Round round) {
  const std::size_t width = x.shape.back();
  const std::size_t half = width / 2;
  const std::size_t heads = x.values.size() / x.shape[0] / width;
  std::vector<double> out(x.values.size());
  for (std::size_t row = 0; row < x.shape[0] * heads; ++row) {
    const double* const in = x.values.data() + row * width;
    const std::size_t angles = row / heads * half;
    for (std::size_t j = 0; j < half; ++j) {
      const double c = cos.values[angles + j];
      const double s = sin.values[angles + j];
      out[row * width + j] = round(in[j] * c) - round(in[j + half] * s);
      out[row * width + j + half] = round(in[j + half] * c) + round(in[j] * s);
    }
  }
  return out;
}

// Which of two tables a layer uses is seen from what it makes of them.
bool are_near(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(a, b, [](double x, double y) { return std::abs(x - y) <= kSameStep; });
}

bool fits(const Tap& x, const Tap& table) {
  return x.shape.size() == 3 && table.shape.size() == 2 && table.shape[0] == x.shape[0] &&
         2 * table.shape[1] == x.shape[2];
}

// cap with cap tanh(raw / cap) = capped, from the largest pair; 0: there is none to be seen. A cap
// is a float, so the nearest one is it.
double cap_of(const Tap& raw, const Tap& capped) {
  const auto larger = [](double a, double b) { return std::abs(a) < std::abs(b); };
  const auto at = std::ranges::max_element(raw.values, larger) - raw.values.begin();
  const double x = std::abs(raw.values[static_cast<std::size_t>(at)]);
  const double y = std::abs(capped.values[static_cast<std::size_t>(at)]);
  if (!(y < x) || !std::isfinite(x)) {
    return 0;
  }
  double low = y;
  double high = kLargestCap;
  for (int step = 0; step < 200 && low < high; ++step) {
    const double middle = (low + high) / 2;
    (middle * std::tanh(x / middle) < y ? low : high) = middle;
  }
  return static_cast<double>(static_cast<float>((low + high) / 2));
}

}  // namespace

const std::vector<RoundingPoints>& known_rounding_points() {
  static const std::vector<RoundingPoints> kPoints = {
      {},
      {.at_taps = true},
      {.at_taps = true, .in_steps = true},
      {.at_taps = true, .in_steps = true, .fused_attention = true}};
  return kPoints;
}

const Tap* InnerRounding::remembered(const std::string& name) const {
  const auto found = memory_.find(name);
  return found == memory_.end() ? nullptr : &found->second;
}

void InnerRounding::rope(Tap& tap) const {
  const Tap* x = remembered(input_of_step(tap.name));
  for (const AngleTable& table : angle_tables()) {
    const Tap* cos = remembered(table.cos);
    const Tap* sin = remembered(table.sin);
    if (x == nullptr || cos == nullptr || sin == nullptr || x->values.size() != tap.values.size() ||
        !fits(*x, *cos)) {
      continue;
    }
    if (are_near(rotated(*x, *cos, *sin, [](double v) { return v; }), tap.values)) {
      tap.values = rotated(*x, *cos, *sin, [&](double v) { return round(v); });
      return;
    }
  }
}

void InnerRounding::softcap(Tap& tap) const {
  const Tap* raw = remembered(input_of_step(tap.name));
  if (raw == nullptr || raw->values.size() != tap.values.size() || raw->values.empty()) {
    return;
  }
  const double cap = cap_of(*raw, tap);
  for (std::size_t i = 0; cap > 0 && i < tap.values.size(); ++i) {
    tap.values[i] = cap * round(std::tanh(round(raw->values[i] / cap)));
  }
}

void InnerRounding::gated_input(Tap& tap) const {
  const Tap* gate = remembered(input_of_step(tap.name));
  for (std::size_t i = 0;
       gate != nullptr && gate->values.size() == tap.values.size() && i < tap.values.size(); ++i) {
    const double exact = gelu_tanh(gate->values[i]);
    tap.values[i] = exact == 0 ? tap.values[i] : tap.values[i] / exact * round(exact);
  }
}

void InnerRounding::scaled_rows(Tap& tap) const {
  const double root = std::sqrt(static_cast<double>(tap.shape.empty() ? 1 : tap.shape.back()));
  const Tap* rows = remembered(input_of_step(tap.name));
  if (rows != nullptr && rows->values.size() == tap.values.size()) {
    std::ranges::transform(rows->values, tap.values.begin(),
                           [&](double value) { return value * round(root); });
  }
}

void InnerRounding::fused_probabilities(Tap& tap) {
  const std::size_t width = tap.shape.empty() ? 1 : std::max<std::size_t>(tap.shape.back(), 1);
  for (std::size_t start = 0; start + width <= tap.values.size(); start += width) {
    const auto row = std::span(tap.values).subspan(start, width);
    const double most = std::ranges::max(row);  // exp(0) / sum
    if (!(most > 0)) {
      continue;
    }
    double sum = 0;
    for (double& value : row) {
      value = value / most * (1 + points_.exp_spread * (2 * random_.uniform() - 1));
      sum += value;
    }
    for (double& value : row) {
      value = round(value) / sum;
    }
  }
}

void InnerRounding::within(Tap& tap) {
  if (!points_.in_steps) {
    return;
  }
  switch (inner_step_of(tap.name)) {
    case InnerStep::kRope:
      return rope(tap);
    case InnerStep::kSoftcap:
      return softcap(tap);
    case InnerStep::kScaledRows:
      return scaled_rows(tap);
    case InnerStep::kGatedInput:
      return gated_input(tap);
    case InnerStep::kNone:
      return;
  }
}

void InnerRounding::after(Tap& tap, bool dumped) {
  if (dumped) {
    lost_ = lost_ && !shows_stream(tap.name);
    hidden_ = 0;
  } else {
    ple_lost_ = ple_lost_ || is_per_layer_input(tap.name);
    lost_ = lost_ || hides_stream(tap.name) ||
            (ple_lost_ && inner_step_of(tap.name) == InnerStep::kGatedInput);
    const bool beside = is_discrete(tap) || is_cache(tap.name);
    hidden_ += beside ? 0 : 1;
    if (points_.fused_attention && is_probabilities(tap.name)) {
      fused_probabilities(tap);
    } else if (points_.at_taps && !is_discrete(tap) && !stays_in_float(tap.name) &&
               !(points_.fused_attention && is_scores(tap.name))) {
      std::ranges::transform(tap.values, tap.values.begin(), [&](double v) { return round(v); });
    }
  }
  if (points_.in_steps && is_read_by_a_step(tap.name)) {
    memory_[tap.name] = tap;
  }
}

bool InnerRounding::is_lost(const std::string& tap) const {
  return lost_ || hidden_ > kLongestStep ||
         (ple_lost_ && inner_step_of(tap) == InnerStep::kGatedInput);
}

void InnerRoundingListener::receive(Tap& tap) {
  inner_.within(tap);
  inner_.after(tap, false);
  if (next_.wants(tap.name)) {
    next_.take(tap);
  }
}

}  // namespace assay::conformance
