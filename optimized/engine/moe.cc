// SPDX-License-Identifier: Apache-2.0
// Router and experts (26B-A4B); reference/blocks/moe.h has the formulas.
//
// Rows that an expert got are gathered, so that its weights are read once for all of them; all
// experts of a call are one list of products.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "optimized/engine/each_row.h"
#include "optimized/engine/engine.h"
#include "optimized/kernels/largest.h"
#include "optimized/kernels/row_ops.h"

namespace assay::cpu {

// Choices [tokens, slots], and the same in the order of experts.
struct Engine::Routing {
  std::size_t slots = 0;
  std::vector<std::int32_t> expert;
  std::vector<float> weight;
  std::vector<std::size_t> sorted;  // choices by expert, then by token
  std::vector<std::size_t> first;   // [experts + 1] of each expert in `sorted`

  void sort(std::size_t experts) {
    first.assign(experts + 1, 0);
    for (const std::int32_t e : expert) {
      ++first[static_cast<std::size_t>(e) + 1];
    }
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<std::size_t> next(first.begin(), first.end() - 1);
    sorted.resize(expert.size());
    for (std::size_t choice = 0; choice < expert.size(); ++choice) {
      sorted[next[static_cast<std::size_t>(expert[choice])]++] = choice;
    }
  }
  std::size_t rows(std::size_t e) const { return first[e + 1] - first[e]; }
};

namespace {

// The largest of a row, and their shares.
void choose(const float* probs, std::size_t experts, std::size_t slots, std::int32_t* expert,
            float* share) {
  const auto order = largest(probs, experts, slots);
  float sum = 0;
  for (std::size_t x = 0; x < slots; ++x) {
    expert[x] = order[x];
    share[x] = probs[order[x]];
    sum += share[x];
  }
  for (std::size_t x = 0; x < slots; ++x) {
    share[x] /= sum;
  }
}

// A row for each choice, in the order of the choices, as the catalogue has it.
void emit_choices(const TapScope& tap, const char* name, const Rows& sorted,
                  const std::vector<std::size_t>& order, std::size_t slots) {
  if (!tap.wants(name)) {
    return;
  }
  RowBuffer buffer;
  const Rows rows = buffer.shape(sorted.rows, sorted.columns);
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(sorted.row(i), sorted.columns, rows.row(order[i]));
  }
  tap(name, rows, {sorted.rows / slots, slots, sorted.columns});
}

}  // namespace

Engine::Routing Engine::route(const MoeWeights& w, const Rows& h, const TapScope& tap) {
  const MoeConfig& config = *model_.config().moe;
  const Rows in = moe_.shape(h.rows, h.columns);
  const float inverse = 1.0F / std::sqrt(static_cast<float>(h.columns));
  each_row(threads_, h.rows, [&](std::size_t t) {
    rms_norm(h.row(t), nullptr, model_.config().rms_norm_eps, h.columns, in.row(t));
  });
  tap("router_norm", in);
  each_row(threads_, h.rows, [&](std::size_t t) {
    multiply_by(in.row(t), w.router_scale.data(), h.columns);
    scale_by(in.row(t), inverse, h.columns);
  });
  tap("router_in", in);
  const Rows probs = router_.shape(h.rows, config.num_experts);
  products(in, {{&w.router_proj, probs}});
  tap("router_logits", probs);
  Routing routing;
  routing.slots = config.top_k_experts;
  routing.expert.resize(h.rows * routing.slots);
  routing.weight.resize(h.rows * routing.slots);
  each_row(threads_, h.rows, [&](std::size_t t) {
    softmax(probs.row(t), config.num_experts);
    choose(probs.row(t), config.num_experts, routing.slots,
           routing.expert.data() + t * routing.slots, routing.weight.data() + t * routing.slots);
  });
  const Rows weight{routing.weight.data(), routing.slots, h.rows, routing.slots};
  tap("router_probs", probs);
  tap.integers("topk_index", routing.expert, {h.rows, routing.slots});
  tap("topk_norm", weight);
  for (std::size_t i = 0; i < routing.weight.size(); ++i) {
    routing.weight[i] *= w.per_expert_scale[static_cast<std::size_t>(routing.expert[i])];
  }
  tap("topk_weight", weight);
  routing.sort(config.num_experts);
  return routing;
}

// One product for each expert that has rows: y rows are those of x.
void Engine::expert_products(const std::vector<WeightView>& weights, const Routing& routing,
                             const Rows& x, const Rows& y) {
  expert_panels_.resize(weights.size());
  std::vector<Product> list;
  for (std::size_t e = 0; e < weights.size(); ++e) {
    if (routing.rows(e) == 0) {
      continue;
    }
    const Rows mine = x.from(routing.first[e], routing.rows(e));
    pack(mine, weights[e], expert_panels_[e]);
    list.push_back({&weights[e], &expert_panels_[e], y.row(routing.first[e]), y.stride});
  }
  multiply_counted(list);
  for (std::size_t e = 0; e < weights.size(); ++e) {
    if (routing.rows(e) > 0) {
      add_rounded_sums(x.from(routing.first[e], routing.rows(e)), weights[e],
                       y.from(routing.first[e], routing.rows(e)));
    }
  }
}

Rows Engine::moe(const MoeWeights& w, const Rows& h, const TapScope& tap) {
  const std::size_t inner = model_.config().moe->moe_intermediate_size;
  const Routing routing = route(w, h, tap);
  const std::size_t choices = routing.expert.size();
  const Rows n = moe_.shape(h.rows, h.columns);
  norm(h, w.pre_feedforward_layernorm_2, n);
  tap("norm_in", n);
  const Rows in = expert_in_.shape(choices, h.columns);
  each_row(threads_, choices, [&](std::size_t i) {
    std::copy_n(n.row(routing.sorted[i] / routing.slots), h.columns, in.row(i));
  });
  const Rows gate_up = expert_gate_.shape(choices, 2 * inner);
  expert_products(w.gate_up_proj, routing, in, gate_up);
  emit_choices(tap, "gate_up", gate_up, routing.sorted, routing.slots);
  each_row(threads_, choices, [&](std::size_t i) {
    gelu(gate_up.row(i), inner, gate_up.row(i));
    multiply_by(gate_up.row(i), gate_up.row(i) + inner, inner);
  });
  const Rows out = expert_out_.shape(choices, h.columns);
  expert_products(w.down_proj, routing, {gate_up.data, gate_up.stride, choices, inner}, out);
  emit_choices(tap, "expert_out", out, routing.sorted, routing.slots);

  std::vector<std::size_t> row_of(choices);
  for (std::size_t i = 0; i < choices; ++i) {
    row_of[routing.sorted[i]] = i;
  }
  each_row(threads_, h.rows, [&](std::size_t t) {
    std::fill_n(n.row(t), h.columns, 0.0F);
    for (std::size_t x = t * routing.slots; x < (t + 1) * routing.slots; ++x) {
      add_scaled(n.row(t), out.row(row_of[x]), routing.weight[x], h.columns);
    }
  });
  tap("sum", n);
  norm(n, w.post_feedforward_layernorm_2, n);
  tap("norm_out", n);
  return n;
}

}  // namespace assay::cpu
