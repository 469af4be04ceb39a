// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/inner_rounding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
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
  if (x != nullptr && stage_of(tap.name) == Stage::kDraft) {
    derived_rope(*x, tap);
    return;
  }
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

// A drafter shows no angles. They are seen from a pair and what became of it:
//   c = (x y + x' y') / (x^2 + x'^2)     s = (x y' - x' y) / (x^2 + x'^2)
void InnerRounding::derived_rope(const Tap& x, Tap& tap) const {
  const std::size_t width = tap.shape.empty() ? 0 : tap.shape.back();
  const std::size_t half = width / 2;
  if (half == 0 || x.values.size() != tap.values.size()) {
    return;
  }
  for (std::size_t start = 0; start + width <= tap.values.size(); start += width) {
    for (std::size_t j = start; j < start + half; ++j) {
      const double a = x.values[j];
      const double b = x.values[j + half];
      double& one = tap.values[j];
      double& other = tap.values[j + half];
      const double size = a * a + b * b;
      if (size > 0) {
        const double c = round((a * one + b * other) / size);
        const double s = round((a * other - b * one) / size);
        one = round(a * c) - round(b * s);
        other = round(b * c) + round(a * s);
      }
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

// Where the gate is negative GELU cancels, and fp32 programs differ by kGeluSpread u |gate|: of
// what lies within, as the dump has it.
void InnerRounding::gelu(Tap& tap, const Tap* dumped) const {
  const Tap* gate = remembered(gate_of(tap.name));
  if (gate == nullptr || gate->values.size() != tap.values.size() || dumped == nullptr ||
      dumped->values.size() != tap.values.size()) {
    return;
  }
  for (std::size_t i = 0; i < tap.values.size(); ++i) {
    double& value = tap.values[i];
    const double spread = kGeluSpread * kFloatRoundoff * std::abs(gate->values[i]);
    if (std::isfinite(dumped->values[i]) && round(value) != dumped->values[i]) {
      value = std::clamp(dumped->values[i], value - spread, value + spread);
    }
  }
}

// The same within a step.
void InnerRounding::gated_input(Tap& tap, const Tap* dumped) const {
  const Tap* gate = remembered(input_of_step(tap.name));
  if (gate == nullptr || gate->values.size() != tap.values.size()) {
    return;
  }
  const bool seen = dumped != nullptr && dumped->values.size() == tap.values.size();
  for (std::size_t i = 0; i < tap.values.size(); ++i) {
    const double gelu = gelu_tanh(gate->values[i]);
    const double other = gelu == 0 ? 0 : tap.values[i] / gelu;
    if (other != 0) {
      const double spread = kGeluSpread * kFloatRoundoff * std::abs(gate->values[i]);
      const double got = seen ? dumped->values[i] : round(gated(gelu, other));
      tap.values[i] = gated(nearest_gelu(gelu, spread, other, got), other);
    }
  }
}

double InnerRounding::gated(double gelu, double other) const {
  return other * (points_.in_steps ? round(gelu) : gelu);
}

// Of the GELUs that are `spread` off at most, one whose product is rounded to `got`; else as it is.
double InnerRounding::nearest_gelu(double gelu, double spread, double other, double got) const {
  if (round(gated(gelu, other)) == got) {
    return gelu;
  }
  const double wanted = std::clamp(got / other, gelu - spread, gelu + spread);
  for (const double step : {0.0, -1.0, 1.0}) {
    const double near = std::clamp(wanted + step * spacing_of_class(wanted, precision_),
                                   gelu - spread, gelu + spread);
    if (round(gated(near, other)) == got) {
      return near;
    }
  }
  return gelu;
}

void InnerRounding::scaled_rows(Tap& tap) const {
  const double root = std::sqrt(static_cast<double>(tap.shape.empty() ? 1 : tap.shape.back()));
  const Tap* rows = remembered(input_of_step(tap.name));
  if (input_of_step(tap.name).empty()) {  // rows of a table are numbers of the class
    std::ranges::transform(tap.values, tap.values.begin(),
                           [&](double value) { return round(value / root) * round(root); });
  } else if (rows != nullptr && rows->values.size() == tap.values.size()) {
    std::ranges::transform(rows->values, tap.values.begin(),
                           [&](double value) { return value * round(root); });
  }
}

// The norm of x' = R(x), x = proj / sqrt(D), from that of x: y x'/x rms(x)/rms(x').
void InnerRounding::per_layer_context(Tap& tap) const {
  const Tap* proj = remembered(input_of_step(tap.name));
  const std::size_t width = tap.shape.empty() ? 0 : tap.shape.back();
  if (proj == nullptr || proj->values.size() != tap.values.size() || width == 0 || width_ == 0) {
    return;
  }
  const double root = std::sqrt(static_cast<double>(width_));
  for (std::size_t start = 0; start + width <= tap.values.size(); start += width) {
    double exact = kUsualEps * static_cast<double>(width);
    double rounded = exact;
    for (std::size_t i = start; i < start + width; ++i) {
      const double x = proj->values[i] / root;
      exact += x * x;
      rounded += round(x) * round(x);
    }
    for (std::size_t i = start; i < start + width; ++i) {
      const double x = proj->values[i] / root;
      tap.values[i] *= x == 0 ? 1 : round(x) / x * std::sqrt(exact / rounded);
    }
  }
}

void InnerRounding::per_layer_sum(Tap& tap) const {
  const Tap* ctx = remembered(input_of_step(tap.name));
  const Tap* token = remembered(per_layer_token());
  if (ctx == nullptr || token == nullptr || ctx->values.size() != tap.values.size() ||
      token->values.size() != tap.values.size()) {
    return;
  }
  for (std::size_t i = 0; i < tap.values.size(); ++i) {
    const double sum = ctx->values[i] + token->values[i];
    tap.values[i] *= sum == 0 ? 1 : round(sum) / sum;
  }
}

void InnerRounding::router_input(Tap& tap) const {
  const double root = std::sqrt(static_cast<double>(tap.shape.empty() ? 1 : tap.shape.back()));
  std::ranges::transform(tap.values, tap.values.begin(),
                         [&](double value) { return round(value * root) / root; });
}

// R(omega z) of one expert after another, in their order, with R after each addition.
std::vector<double> InnerRounding::summed_in_turn(const Tap& outputs, const Tap& weights,
                                                  const Tap& experts) const {
  const std::size_t slots = experts.shape.back();
  const std::size_t width = outputs.shape.back();
  const std::size_t rows = experts.values.size() / slots;
  std::vector<double> sum(rows * width, 0);
  std::vector<std::size_t> order(slots);
  for (std::size_t row = 0; row < rows; ++row) {
    std::iota(order.begin(), order.end(), row * slots);
    std::ranges::sort(order, {}, [&](std::size_t slot) { return experts.values[slot]; });
    for (const std::size_t slot : order) {
      for (std::size_t d = 0; d < width; ++d) {
        double& total = sum[row * width + d];
        total = round(total + round(weights.values[slot] * outputs.values[slot * width + d]));
      }
    }
  }
  return sum;
}

void InnerRounding::expert_sum(Tap& tap, const Tap* dumped) const {
  const Tap* outputs = remembered(input_of_step(tap.name));
  const Tap* weights = remembered(expert_weights_of(tap.name));
  const Tap* experts = remembered(expert_choice_of(tap.name));
  if (dumped == nullptr || outputs == nullptr || weights == nullptr || experts == nullptr ||
      experts->shape.empty() || outputs->shape.empty() ||
      weights->values.size() != experts->values.size() ||
      outputs->values.size() != weights->values.size() * outputs->shape.back()) {
    return;
  }
  auto in_turn = summed_in_turn(*outputs, *weights, *experts);
  if (in_turn.size() != tap.values.size() || dumped->values.size() != tap.values.size()) {
    return;
  }
  const auto differing = [&](const std::vector<double>& values) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      count += dumped->values[i] != round(values[i]) ? 1 : 0;
    }
    return count;
  };
  if (differing(in_turn) < differing(tap.values)) {
    tap.values = std::move(in_turn);
  }
}

// No tap stands between the two products of an expert: up is changed so that gelu(gate) up is
// R( R(gelu(gate)) up ).
void InnerRounding::expert_gate(Tap& tap) const {
  const std::size_t width = tap.shape.empty() ? 0 : tap.shape.back();
  for (std::size_t start = 0; width > 0 && start + width <= tap.values.size(); start += width) {
    for (std::size_t j = start; j < start + width / 2; ++j) {
      const double exact = gelu_tanh(tap.values[j]);
      double& up = tap.values[j + width / 2];
      up = exact == 0 ? up : round(round(exact) * up) / exact;
    }
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

void InnerRounding::within(Tap& tap, const Tap* dumped) {
  if (is_model_wide(tap.name) && !tap.shape.empty()) {
    width_ = tap.shape.back();
  }
  if (!gate_of(tap.name).empty()) {
    return gelu(tap, dumped);
  }
  const InnerStep step = inner_step_of(tap.name);
  if (!points_.in_steps && step != InnerStep::kGatedInput) {
    return;
  }
  switch (step) {
    case InnerStep::kRope:
      return rope(tap);
    case InnerStep::kSoftcap:
      return softcap(tap);
    case InnerStep::kScaledRows:
      return scaled_rows(tap);
    case InnerStep::kPerLayerContext:
      return per_layer_context(tap);
    case InnerStep::kPerLayerSum:
      return per_layer_sum(tap);
    case InnerStep::kGatedInput:
      return gated_input(tap, dumped);
    case InnerStep::kRouterInput:
      return router_input(tap);
    case InnerStep::kExpertSum:
      return expert_sum(tap, dumped);
    case InnerStep::kNone:
      return;
  }
}

void InnerRounding::after(Tap& tap, bool dumped) {
  if (dumped) {
    lost_ = lost_ && !shows_stream(tap.name);
    hidden_ = 0;
  } else {
    ple_parts_hidden_ = ple_parts_hidden_ || is_part_of_per_layer_input(tap.name);
    ple_lost_ = ple_lost_ || (is_per_layer_input(tap.name) && ple_parts_hidden_);
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
  if ((points_.in_steps || is_gate(tap.name)) && is_read_by_a_step(tap.name)) {
    memory_[tap.name] = tap;
  }
  if (points_.in_steps && is_expert_gate(tap.name)) {
    expert_gate(tap);
  }
}

bool InnerRounding::is_lost(const std::string& tap) const {
  return lost_ || hidden_ > (is_of_encoder(tap) ? 0 : kLongestStep) ||
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
