// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/other_gelu.h"

#include <cmath>
#include <numbers>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/inner_steps.h"

namespace assay::conformance {

double gelu_tanh(double x) {
  const double root = std::sqrt(2 * std::numbers::inv_pi);
  return 0.5 * x * (1 + std::tanh(root * (x + 0.044715 * x * x * x)));
}

float gelu_by_exp(float x) {
  constexpr float kRoot = 0.79788456080286535588F;
  const float z = kRoot * (x + 0.044715F * x * x * x);
  return 0.5F * x * (2.0F - 2.0F / (std::exp(2.0F * z) + 1.0F));
}

const Tap* OtherGelu::kept(const std::string& name) const {
  const auto found = kept_.find(name);
  return found == kept_.end() ? nullptr : &found->second;
}

void OtherGelu::change(Tap& tap) {
  if (is_per_layer_input(tap.name) || is_gate(tap.name)) {
    kept_.insert_or_assign(tap.name, tap);
    return;
  }
  if (const Tap* gate = kept(gate_of(tap.name))) {
    for (std::size_t i = 0; i < tap.values.size(); ++i) {
      tap.values[i] = gelu_by_exp(static_cast<float>(gate->values[i]));
    }
    return;
  }
  const bool gated = inner_step_of(tap.name) == InnerStep::kGatedInput;
  const Tap* gate = gated ? kept(input_of_step(tap.name)) : nullptr;
  const Tap* in = kept(per_layer_input());
  const auto match = find_tap(tap.name);
  if (gate == nullptr || in == nullptr || !match || !match->layer) {
    return;
  }
  const std::size_t width = in->shape.back();
  for (std::size_t i = 0; i < tap.values.size(); ++i) {
    const std::size_t at = (i / width * in->shape[1] + *match->layer) * width + i % width;
    tap.values[i] =
        gelu_by_exp(static_cast<float>(gate->values[i])) * static_cast<float>(in->values[at]);
  }
}

}  // namespace assay::conformance
