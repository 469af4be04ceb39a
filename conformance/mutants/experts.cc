// SPDX-License-Identifier: Apache-2.0
// Mistakes of the feed-forward, dense and sparse: M-100 to M-102, M-110 to M-128.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kLayer = "text.layer.{i}.";
const std::string kMoe = kLayer + "moe.";

double eps_of(const Scene& s) {
  return s.text().rms_norm_eps;
}

void add_dense(Mutants& all) {
  const auto act = [&](const std::string& label, const std::string& what, double (*f)(double)) {
    all.push_back(mutant(
        label, kLayer + "ffn.act",
        [f](Scene& s, Tap& t) { t.values = map(s.tap("ffn.gate").values, f); }, what));
  };
  act("M-101", "", gelu_erf);
  act("M-102", "", silu);
  act("M-102:quick", "quick GELU, x sigmoid(1.702 x), stands in for GELU", quick_gelu);
  act("M-102:relu", "ReLU stands in for GELU", [](double x) { return std::max(x, 0.0); });
  act("M-101:0.0447", "GELU's coefficient is 0.0447",
      [](double x) { return gelu_tanh(x, 0.0447); });
  act("MECH-no-act", "the gate has no activation", [](double x) { return x; });
  all.push_back(mutant("M-100", kLayer + "ffn.mul", [](Scene& s, Tap& t) {
    t.values = map2(s.tap("ffn.gate").values, s.tap("ffn.up").values,
                    [](double gate, double up) { return gelu_tanh(up) * gate; });
  }));
  all.push_back(mutant(
      "M-100:sum", kLayer + "ffn.mul",
      [](Scene& s, Tap& t) { t.values = added(s.tap("ffn.act").values, s.tap("ffn.up").values); },
      "the gate is added to up, not multiplied"));
  for (const auto& [tap, weight] :
       {std::pair{"ffn.gate", "mlp.up_proj.weight"}, {"ffn.up", "mlp.gate_proj.weight"}}) {
    all.push_back(mutant(
        std::string("MECH-swapped:") + tap, kLayer + tap,
        [weight = std::string(weight)](Scene& s, Tap& t) {
          t.values = linear(s.tap("ffn.norm_in").values, s.weight(weight));
        },
        std::string(tap) + " is made with the other one's weight"));
  }
}

// What the router reads: a normed vector, times router.scale, over sqrt(D).
Numbers router_input(const Scene& s, const Numbers& normed, bool scale, bool divide) {
  const Matrix& w = s.weight("router.scale");
  const double root = divide ? std::sqrt(static_cast<double>(w.values.size())) : 1;
  Numbers y = normed;
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] *= (scale ? w.values[i % w.values.size()] : 1) / root;
  }
  return y;
}

// The router normalises what another norm made. The catalogue names its input; the norm before that
// is often fused into it, so it is hidden.
Mutant router_reads(const std::string& label, const std::string& weight) {
  Mutant one{label, "", {}, kMoe + "router_in", {kMoe + "router_norm"}};
  one.rewrites.push_back({kMoe + "router_norm", [weight](Scene& s, Tap& t) {
                            const std::size_t width = t.shape.back();
                            const Numbers first = rms_norm(s.tap("attn.residual").values, width,
                                                           s.weight(weight).values, {eps_of(s)});
                            t.values = rms_norm(first, width, {}, {eps_of(s)});
                          }});
  return one;
}

void add_router(Mutants& all) {
  const std::string in = kMoe + "router_in";
  all.push_back(router_reads("M-110", "pre_feedforward_layernorm.weight"));
  all.push_back(router_reads("M-111", "pre_feedforward_layernorm_2.weight"));
  all.push_back(mutant(
      "M-111:no-norm", in,
      [](Scene& s, Tap& t) {
        const Numbers normed =
            rms_norm(s.tap("attn.residual").values, t.shape.back(),
                     s.weight("pre_feedforward_layernorm_2.weight").values, {eps_of(s)});
        t.values = router_input(s, normed, true, true);
      },
      "the router reads what the expert branch's norm made, and has no norm of its own"));
  all.push_back(mutant("M-112", in, [](Scene& s, Tap& t) {
    t.values = router_input(s, s.tap("moe.router_norm").values, true, false);
  }));
  all.push_back(mutant("M-113", in, [](Scene& s, Tap& t) {
    t.values = router_input(s, s.tap("moe.router_norm").values, false, true);
  }));
  all.push_back(mutant("M-126", kMoe + "router_probs", [](Scene& s, Tap& t) {
    t.values = map(s.tap("moe.router_logits").values, sigmoid);
  }));
  all.push_back(mutant(
      "M-126:temperature", kMoe + "router_probs",
      [](Scene& s, Tap& t) {
        const Numbers logits = scaled(s.tap("moe.router_logits").values, 0.5);
        t.values = softmax(logits, t.shape.back(), [](std::size_t, std::size_t) { return true; });
      },
      "the router's softmax has a temperature of 2"));
  all.push_back(mutant(
      "MECH-worst-experts", kMoe + "topk_index",
      [](Scene& s, Tap& t) {
        const Tap& probs = s.tap("moe.router_probs");
        const std::size_t experts = probs.shape.back();
        const std::size_t slots = t.shape.back();
        for (std::size_t r = 0; r < t.shape[0]; ++r) {
          std::vector<std::size_t> order(experts);
          std::iota(order.begin(), order.end(), std::size_t{0});
          const auto row = std::span(probs.values).subspan(r * experts, experts);
          std::ranges::stable_sort(order, [&](auto a, auto b) { return row[a] > row[b]; });
          for (std::size_t x = 0; x < slots; ++x) {  // the last slot takes the next best
            const std::size_t place = x + 1 == slots && slots < experts ? x + 1 : x;
            t.values[r * slots + x] = static_cast<double>(order[place]);
          }
        }
      },
      "the last of the chosen experts is the next best one"));
}

// Weights of the chosen experts from the router's probabilities.
Numbers chosen_probs(const Scene& s) {
  const Tap& index = s.tap("moe.topk_index");
  const Tap& probs = s.tap("moe.router_probs");
  const std::size_t slots = index.shape.back();
  const std::size_t experts = probs.shape.back();
  Numbers chosen(index.values.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    chosen[i] = probs.values[i / slots * experts + static_cast<std::size_t>(index.values[i])];
  }
  return chosen;
}

Numbers by_expert_scale(const Scene& s, Numbers weights) {
  const Tap& index = s.tap("moe.topk_index");
  const Matrix& scale = s.weight("router.per_expert_scale");
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] *= scale.values.at(static_cast<std::size_t>(index.values[i]));
  }
  return weights;
}

Numbers divided_by_sum(Numbers weights, std::size_t slots) {
  for (std::size_t start = 0; start + slots <= weights.size(); start += slots) {
    const double sum =
        std::accumulate(weights.begin() + static_cast<std::ptrdiff_t>(start),
                        weights.begin() + static_cast<std::ptrdiff_t>(start + slots), 0.0);
    for (std::size_t x = 0; x < slots; ++x) {
      weights[start + x] /= sum;
    }
  }
  return weights;
}

void add_weights(Mutants& all) {
  const std::string weight = kMoe + "topk_weight";
  // The catalogue names the weight; topk_norm stands before it and is not of such a program.
  Mutant raw{"M-114", "", {}, weight, {kMoe + "topk_norm"}};
  raw.rewrites.push_back(
      {kMoe + "topk_norm", [](Scene& s, Tap& t) { t.values = chosen_probs(s); }});
  all.push_back(std::move(raw));
  all.push_back(mutant("M-115", weight, [](Scene& s, Tap& t) {
    t.values = divided_by_sum(by_expert_scale(s, chosen_probs(s)), t.shape.back());
  }));
  all.push_back(
      mutant("M-116", weight, [](Scene& s, Tap& t) { t.values = s.tap("moe.topk_norm").values; }));
  all.push_back(mutant("M-117", weight, [](Scene& s, Tap& t) {
    const Matrix& scale = s.weight("router.per_expert_scale");
    const std::size_t slots = t.shape.back();
    t.values = s.tap("moe.topk_norm").values;
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      t.values[i] *= scale.values.at(i % slots);
    }
  }));
  Mutant sorted = mutant("M-127", weight, [](Scene& s, Tap& t) {
    const Tap& index = s.tap("moe.topk_index");
    const std::size_t slots = t.shape.back();
    const Numbers old = s.tap("moe.topk_norm").values;
    const Matrix& scale = s.weight("router.per_expert_scale");
    for (std::size_t r = 0; r < t.shape[0]; ++r) {
      std::vector<std::size_t> order(slots);
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::ranges::sort(order, [&](auto a, auto b) {
        return index.values[r * slots + a] < index.values[r * slots + b];
      });
      for (std::size_t x = 0; x < slots; ++x) {  // expert of slot order[x] gets the weight of x
        const auto expert = static_cast<std::size_t>(index.values[r * slots + order[x]]);
        t.values[r * slots + order[x]] = old[r * slots + x] * scale.values.at(expert);
      }
    }
  });
  all.push_back(std::move(sorted));
}

// gate_up of a slot, as an expert that lays its rows differently splits it.
using Split = std::function<std::pair<std::size_t, std::size_t>(std::size_t f, std::size_t width)>;

Formula experts_with(const Split& split, double (*act)(double)) {
  return [=](Scene& s, Tap& t) {
    const Tap& gate_up = s.tap("moe.gate_up");
    const Tap& index = s.tap("moe.topk_index");
    const Matrix& down = s.weight("experts.down_proj");  // [E, D, f]
    const std::size_t both = gate_up.shape.back();
    const std::size_t inner = both / 2;
    const std::size_t width = t.shape.back();
    for (std::size_t i = 0; i < index.values.size(); ++i) {
      const auto expert = static_cast<std::size_t>(index.values[i]);
      Numbers hidden(inner);
      for (std::size_t f = 0; f < inner; ++f) {
        const auto [gate, up] = split(f, inner);
        hidden[f] = act(gate_up.values[i * both + gate]) * gate_up.values[i * both + up];
      }
      for (std::size_t d = 0; d < width; ++d) {
        const double* row = down.values.data() + (expert * width + d) * inner;
        t.values[i * width + d] = std::inner_product(hidden.begin(), hidden.end(), row, 0.0);
      }
    }
  };
}

std::pair<std::size_t, std::size_t> halves(std::size_t f, std::size_t width) {
  return {f, width + f};
}

void add_experts(Mutants& all) {
  // The catalogue names the sum, which fused kernels give alone; what lies before it is hidden.
  const auto add = [&](const std::string& label, const Split& split, double (*act)(double),
                       const std::string& what = "") {
    Mutant one{label, what, {}, kMoe + "sum", {kMoe + "expert_out"}};
    one.rewrites.push_back({kMoe + "expert_out", experts_with(split, act)});
    all.push_back(std::move(one));
  };
  add(
      "M-119", [](std::size_t f, std::size_t) { return std::pair(2 * f, 2 * f + 1); }, gelu_tanh);
  add(
      "M-120", [](std::size_t f, std::size_t width) { return std::pair(width + f, f); }, gelu_tanh);
  add("M-125", halves, gelu_erf);
  add("M-125:silu", halves, silu, "SiLU stands in for the experts' GELU");
  add("M-125:quick", halves, quick_gelu, "quick GELU stands in for the experts' GELU");
  Mutant unweighted = mutant(
      "MECH-unweighted", kMoe + "sum",
      [](Scene& s, Tap& t) {
        const Tap& out = s.tap("moe.expert_out");
        const std::size_t slots = out.shape[1];
        const std::size_t width = out.shape[2];
        std::ranges::fill(t.values, 0.0);
        for (std::size_t i = 0; i < out.values.size(); ++i) {
          t.values[i / (slots * width) * width + i % width] +=
              out.values[i] / static_cast<double>(slots);
        }
      },
      "the chosen experts are averaged without their weights");
  all.push_back(std::move(unweighted));
  all.push_back(mutant("M-118", kMoe + "norm_in",
                       [](Scene& s, Tap& t) { t.values = s.tap("ffn.norm_in").values; }));
  all.push_back(mutant("M-123", kMoe + "norm_in", [](Scene& s, Tap& t) {
    t.values = rms_norm(s.tap("moe.dense_norm").values, t.shape.back(),
                        s.weight("pre_feedforward_layernorm_2.weight").values, {eps_of(s)});
  }));
}

void add_branches(Mutants& all) {
  const std::string combined = kMoe + "combined";
  Mutant swapped = mutant("M-121", combined, [](Scene& s, Tap& t) {
    const std::size_t width = t.shape.back();
    t.values = added(rms_norm(s.tap("ffn.down").values, width,
                              s.weight("post_feedforward_layernorm_2.weight").values, {eps_of(s)}),
                     rms_norm(s.tap("moe.sum").values, width,
                              s.weight("post_feedforward_layernorm_1.weight").values, {eps_of(s)}));
  });
  swapped.hidden = {kMoe + "dense_norm", kMoe + "norm_out"};
  all.push_back(std::move(swapped));
  all.push_back(
      mutant("M-122", combined, [](Scene& s, Tap& t) { t.values = s.tap("moe.norm_out").values; }));
  all.push_back(mutant(
      "M-122:experts", combined,
      [](Scene& s, Tap& t) { t.values = s.tap("moe.dense_norm").values; },
      "the expert branch is dropped"));
  all.push_back(mutant(
      "M-122:mean", combined, [](Scene&, Tap& t) { t.values = scaled(t.values, 0.5); },
      "the branches are averaged, not summed"));
  // Names that end in 1 for the dense branch, in 2 for the experts, and in none for both.
  Mutant digits{"M-128", "", {}, kMoe + "dense_norm"};
  digits.rewrites.push_back(
      {kMoe + "dense_norm", [](Scene& s, Tap& t) {
         t.values = rms_norm(s.tap("ffn.down").values, t.shape.back(),
                             s.weight("post_feedforward_layernorm_2.weight").values, {eps_of(s)});
       }});
  digits.rewrites.push_back(
      {kMoe + "norm_out", [](Scene& s, Tap& t) {
         t.values = rms_norm(s.tap("moe.sum").values, t.shape.back(),
                             s.weight("post_feedforward_layernorm_1.weight").values, {eps_of(s)});
       }});
  all.push_back(std::move(digits));
}

}  // namespace

Mutants expert_mutants() {
  Mutants all;
  add_dense(all);
  add_router(all);
  add_weights(all);
  add_experts(all);
  add_branches(all);
  return all;
}

}  // namespace assay::conformance
