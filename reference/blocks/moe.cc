// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/moe.h"

#include <algorithm>
#include <cmath>

#include "reference/ops/gelu.h"
#include "reference/ops/linear.h"
#include "reference/ops/rms_norm.h"
#include "reference/ops/softmax.h"
#include "reference/ops/top_k.h"

namespace assay::ASSAY_REFERENCE {
namespace {

std::size_t checked_expert(std::int32_t e, std::size_t experts) {
  if (e < 0 || static_cast<std::size_t>(e) >= experts) {
    throw Error("moe: got expert " + std::to_string(e) + ", expected 0 to " +
                std::to_string(experts - 1));
  }
  return static_cast<std::size_t>(e);
}

// pi of the chosen experts, divided by their sum.
Tensor<T, X> renormalised(const Tensor<T, E>& probs, const IntTensor<T, X>& chosen) {
  auto omega = make_tensor<T, X>({chosen.shape()[0], chosen.shape()[1]});
  for (std::size_t t = 0; t < chosen.shape()[0]; ++t) {
    Real sum = 0;
    for (std::size_t x = 0; x < chosen.shape()[1]; ++x) {
      omega(t, x) = probs(t, checked_expert(chosen(t, x), probs.shape()[1]));
      sum += omega(t, x);
    }
    for (std::size_t x = 0; x < chosen.shape()[1]; ++x) {
      omega(t, x) /= sum;
    }
  }
  return omega;
}

// Where one token's row of one chosen expert stands.
struct Assignment {
  std::size_t token;
  std::size_t slot;
};

std::vector<std::vector<Assignment>> by_expert(const IntTensor<T, X>& chosen, std::size_t experts) {
  std::vector<std::vector<Assignment>> assigned(experts);
  for (std::size_t t = 0; t < chosen.shape()[0]; ++t) {
    for (std::size_t x = 0; x < chosen.shape()[1]; ++x) {
      assigned[checked_expert(chosen(t, x), experts)].push_back({t, x});
    }
  }
  return assigned;
}

// Applies `map` to the rows of each expert's tokens: from [T or T*X, in] to [T*X, out].
template <class RowOf, class Map>
Tensor<T, X, F> for_each_expert(const IntTensor<T, X>& chosen, std::size_t experts,
                                std::size_t inputs, std::size_t outputs, const RowOf& row_of,
                                const Map& map) {
  const std::size_t slots = chosen.shape()[1];
  auto result = make_tensor<T, X, F>({chosen.shape()[0], slots, outputs});
  const auto assigned = by_expert(chosen, experts);
  for (std::size_t e = 0; e < experts; ++e) {
    if (assigned[e].empty()) {
      continue;
    }
    auto rows = make_tensor<R, I>({assigned[e].size(), inputs});
    for (std::size_t i = 0; i < assigned[e].size(); ++i) {
      const auto from = row_of(assigned[e][i]);
      std::copy(from.begin(), from.end(), row(rows, i, inputs).begin());
    }
    const auto mapped = map(e, rows);
    for (std::size_t i = 0; i < assigned[e].size(); ++i) {
      const auto from = row(mapped, i, outputs);
      const std::size_t to = assigned[e][i].token * slots + assigned[e][i].slot;
      std::copy(from.begin(), from.end(), row(result, to, outputs).begin());
    }
  }
  return result;
}

// gelu(first half) .* second half of each row of 2f.
Tensor<R, F> gated_halves(const Tensor<R, F>& gate_up, GeluForm form) {
  const std::size_t width = gate_up.shape()[1] / 2;
  auto gate = make_tensor<R, F>({gate_up.shape()[0], width});
  auto up = gate;
  for (std::size_t r = 0; r < gate_up.shape()[0]; ++r) {
    for (std::size_t f = 0; f < width; ++f) {
      gate(r, f) = gate_up(r, f);
      up(r, f) = gate_up(r, width + f);
    }
  }
  return gelu(gate, form) * up;
}

Tensor<T, D> weighted_sum(const Tensor<T, X, F>& outputs, const Tensor<T, X>& weight) {
  auto sum = make_tensor<T, D>({outputs.shape()[0], outputs.shape()[2]});
  for (std::size_t t = 0; t < outputs.shape()[0]; ++t) {
    for (std::size_t x = 0; x < outputs.shape()[1]; ++x) {
      for (std::size_t d = 0; d < outputs.shape()[2]; ++d) {
        sum(t, d) += weight(t, x) * outputs(t, x, d);
      }
    }
  }
  return sum;
}

}  // namespace

Routing route(const MoeWeights& w, const MoeConfig& config, const Tensor<T, D>& residual,
              double eps, const TapScope& tap) {
  auto norm = rms_norm_unscaled(residual, eps);  // [T, D]
  tap("router_norm", norm);
  const Real root_width = std::sqrt(static_cast<Real>(residual.shape()[1]));
  Tensor<T, D> input = norm * w.router_scale / root_width;  // [T, D]
  tap("router_in", input);
  auto logits = linear(input, w.router_proj);  // [T, E]
  tap("router_logits", logits);
  auto probs = softmax(logits);  // [T, E]
  tap("router_probs", probs);
  Routing routing;
  routing.expert = top_k(probs, config.top_k_experts);  // [T, X]
  tap("topk_index", routing.expert);
  auto omega = renormalised(probs, routing.expert);  // [T, X]
  tap("topk_norm", omega);
  routing.weight = omega;
  for (std::size_t i = 0; i < omega.size(); ++i) {
    const std::size_t e = checked_expert(routing.expert.data()[i], config.num_experts);
    routing.weight.data()[i] *= w.per_expert_scale(e);
  }
  tap("topk_weight", routing.weight);
  return routing;
}

Tensor<T, D> moe(const MoeWeights& w, const MoeConfig& config, const Tensor<T, D>& residual,
                 double eps, const TapScope& tap) {
  const Routing routing = route(w, config, residual, eps, tap);
  auto x2 = rms_norm(residual, w.pre_feedforward_layernorm_2, eps);  // [T, D]
  tap("norm_in", x2);

  const std::size_t width = residual.shape()[1];
  const std::size_t inner = config.moe_intermediate_size;
  const std::size_t slots = config.top_k_experts;
  auto gate_up = for_each_expert(
      routing.expert, config.num_experts, width, 2 * inner,
      [&](Assignment a) { return row(x2, a.token, width); },
      [&](std::size_t e, const Tensor<R, I>& x) { return linear(x, w.gate_up_proj(e)); });
  tap("gate_up", gate_up);  // [T, X, 2f]

  auto outputs = for_each_expert(
      routing.expert, config.num_experts, 2 * inner, width,
      [&](Assignment a) { return row(gate_up, a.token * slots + a.slot, 2 * inner); },
      [&](std::size_t e, const Tensor<R, I>& x) {
        return linear(gated_halves(x, w.gelu), w.down_proj(e));
      });
  tap("expert_out", outputs);  // [T, X, D]

  auto sum = weighted_sum(outputs, routing.weight);  // [T, D]
  tap("sum", sum);
  auto y2 = rms_norm(sum, w.post_feedforward_layernorm_2, eps);  // [T, D]
  tap("norm_out", y2);
  return y2;
}

}  // namespace assay::ASSAY_REFERENCE
