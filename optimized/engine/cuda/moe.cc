// SPDX-License-Identifier: Apache-2.0
// Router and experts (26B-A4B); reference/blocks/moe.h has the formulas.
//
// What a token chose stays on the device: all experts of a call are one launch for each of their
// two products, whose blocks look up which rows are theirs.
#include <algorithm>
#include <cmath>

#include "optimized/engine/cuda/engine.h"
#include "optimized/kernels/router_cuda.h"

namespace assay::cuda {
namespace {

// A row for each choice, in the order of the choices, as the catalogue has it.
void emit_choices(const cpu::TapScope& tap, const char* name, const DeviceRows& sorted,
                  const int* row_of, std::size_t slots, Shown& shown) {
  if (!tap.wants(name)) {
    return;
  }
  const auto rows = static_cast<std::size_t>(sorted.rows);
  const auto columns = static_cast<std::size_t>(sorted.columns);
  const std::vector<float> values = shown.values(sorted);
  std::vector<float> ordered;
  for (const int row : shown.values(row_of, rows)) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(row) * sorted.columns;
    ordered.insert(ordered.end(), from, from + sorted.columns);
  }
  tap(name, {ordered.data(), columns, rows, columns}, {rows / slots, slots, columns});
}

}  // namespace

Engine::Routing Engine::route(const MoeWeights& w, const DeviceRows& h, const cpu::TapScope& tap) {
  const MoeConfig& config = *model_.config().moe;
  const auto tokens = static_cast<std::size_t>(h.rows);
  const auto width = static_cast<std::size_t>(h.columns);
  const std::size_t slots = config.top_k_experts;
  RouterNorms norms;
  norms.h = h;
  norms.router_scale = w.router_scale;
  norms.inverse = 1.0F / std::sqrt(static_cast<float>(h.columns));
  norms.router_in = scratch_.rows(scratch_.router_in, tokens, width);
  norms.norm = w.pre_feedforward_layernorm_2;
  norms.expert_in = scratch_.rows(scratch_.expert_in, tokens, width);
  norms.normed_out = shown_.room(tap, "router_norm", 0, h);
  router_norms(stream_, norms, model_.eps());
  shown_(tap, "router_norm", device_rows(norms.normed_out, tokens, width));
  shown_(tap, "router_in", norms.router_in);
  const DeviceRows probs = scratch_.rows(scratch_.probs, tokens, config.num_experts);
  product(w.router_proj, norms.router_in, probs);
  shown_(tap, "router_logits", probs);
  const DeviceRows weight = scratch_.rows(scratch_.weight, tokens, slots);
  float* const share = shown_.room(tap, "topk_norm", 0, weight);
  choose_experts(stream_, {probs, static_cast<int>(slots), w.per_expert_scale, scratch_.expert,
                           scratch_.weight, share});
  shown_(tap, "router_probs", probs);
  shown_.integers(tap, "topk_index", scratch_.expert, tokens * slots, {tokens, slots});
  shown_(tap, "topk_norm", device_rows(share, tokens, slots));
  shown_(tap, "topk_weight", weight);
  Routing routing;
  routing.weight = scratch_.weight;
  routing.row_of = scratch_.row_of;
  routing.rows = {static_cast<int>(config.num_experts),
                  static_cast<int>(slots),
                  static_cast<int>(tokens * slots),
                  h.rows,
                  scratch_.first,
                  scratch_.sorted,
                  scratch_.expert,
                  tokens == 1};
  group_experts(stream_, routing.rows, scratch_.first, scratch_.sorted, scratch_.row_of);
  return routing;
}

// dense += rms_norm(the experts' sum)
void Engine::moe(const MoeWeights& w, const DeviceRows& h, const DeviceRows& dense,
                 const cpu::TapScope& tap) {
  const MoeConfig& config = *model_.config().moe;
  const Routing routing = route(w, h, tap);
  const auto tokens = static_cast<std::size_t>(h.rows);
  const auto width = static_cast<std::size_t>(h.columns);
  const std::size_t choices = tokens * config.top_k_experts;
  const int inner = static_cast<int>(config.moe_intermediate_size);
  const DeviceRows in = scratch_.rows(scratch_.expert_in, tokens, width);
  shown_(tap, "norm_in", in);
  const DeviceRows gate_up =
      scratch_.rows(scratch_.expert_gate, choices, 2 * config.moe_intermediate_size);
  expert_product(w.gate_up_proj, routing.rows, true, in, gate_up);
  emit_choices(tap, "gate_up", gate_up, routing.row_of, config.top_k_experts, shown_);
  const DeviceRows gate = gate_up.part(0, inner);
  geglu(stream_, gate, gate_up.part(inner, inner), nullptr);
  const DeviceRows out = scratch_.rows(scratch_.expert_out, choices, width);
  expert_product(w.down_proj, routing.rows, false, gate, out);
  emit_choices(tap, "expert_out", out, routing.row_of, config.top_k_experts, shown_);
  const DeviceRows sum = scratch_.rows(scratch_.router_in, tokens, width);
  combine_experts(stream_, routing.rows, routing.row_of, routing.weight, out, sum);
  shown_(tap, "sum", sum);
  float* const normed = shown_.room(tap, "norm_out", 0, sum);
  add_normed(stream_,
             {sum, w.post_feedforward_layernorm_2, dense, 1, nullptr, nullptr, normed, nullptr},
             model_.eps());
  shown_(tap, "norm_out", device_rows(normed, tokens, width));
  shown_(tap, "combined", dense);
}

}  // namespace assay::cuda
