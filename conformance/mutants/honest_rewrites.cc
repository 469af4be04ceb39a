// SPDX-License-Identifier: Apache-2.0
// The text model once more, tap by tap, in whatever fp32 arithmetic it is given.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "conformance/mutants/innocent.h"
#include "conformance/mutants/places.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kLayer = "text.layer.{i}.";
const std::string kAttn = kLayer + "attn.";
const std::string kMoe = kLayer + "moe.";

void add_norms(const Arithmetic& a, Mutant& all) {
  const auto add = [&](const std::string& tap, const Formula& formula) {
    all.rewrites.push_back({tap, formula});
  };
  for (const Place& place : decoder_norms()) {
    add(kLayer + place.tap, [=](Scene& s, Tap& t) {
      static const Numbers kNone;
      t.values = a.rms_norm(norm_input(s, place).values, t.shape.back(),
                            place.weight.empty() ? kNone : s.weight(place.weight).values,
                            s.text().rms_norm_eps);
    });
  }
  add("text.ple.ctx", [=](Scene& s, Tap& t) {
    const auto by = 1 / std::sqrt(static_cast<float>(s.text().hidden_size));
    const Numbers x =
        map(s.named("text.ple.proj").values, [&](double v) { return static_cast<float>(v) * by; });
    t.values =
        a.rms_norm(x, t.shape.back(), s.model_weight("per_layer_projection_norm.weight").values,
                   s.text().rms_norm_eps);
  });
  add("text.final_norm", [=](Scene& s, Tap& t) {
    const std::string last = std::to_string(s.text().layers.size() - 1);
    t.values = a.rms_norm(s.named("text.layer." + last + ".out").values, t.shape.back(),
                          s.model_weight("norm.weight").values, s.text().rms_norm_eps);
  });
}

void add_products(const Arithmetic& a, Mutant& all) {
  for (const Place& place : decoder_products()) {
    all.rewrites.push_back({kLayer + place.tap, [=](Scene& s, Tap& t) {
                              t.values =
                                  a.product(s.tap(place.input).values, s.weight(place.weight));
                            }});
  }
  all.rewrites.push_back({kAttn + "v_proj", [=](Scene& s, Tap& t) {
                            const bool same = s.layer_config().k_eq_v;
                            t.values = same ? s.tap("attn.k_proj").values
                                            : a.product(s.tap("attn.norm_in").values,
                                                        s.weight("self_attn.v_proj.weight"));
                          }});
  all.rewrites.push_back({"text.ple.proj", [=](Scene& s, Tap& t) {
                            t.values =
                                a.product(s.named("text.embed").values,
                                          s.model_weight("per_layer_model_projection.weight"));
                          }});
  all.rewrites.push_back({"text.logits_raw", [=](Scene& s, Tap& t) {
                            t.values = a.product(s.named("text.final_norm").values,
                                                 s.model_weight("embed_tokens.weight"));
                          }});
}

// The tables of a program whose angles are fp32.
void add_narrow_tables(Mutant& all) {
  for (const bool local : {true, false}) {
    for (const bool cosine : {true, false}) {
      const std::string tap = std::string("text.rope.") + (local ? "local" : "global");
      all.rewrites.push_back(
          {tap + (cosine ? ".cos" : ".sin"), [=](Scene& s, Tap& t) {
             const RopeParameters& p = local ? s.text().rope_sliding : s.text().rope_full;
             const std::size_t half = t.shape.back();
             const auto pairs =
                 static_cast<std::size_t>(p.partial_rotary_factor * static_cast<double>(half));
             const Numbers at = s.positions();
             for (std::size_t i = 0; i < t.values.size(); ++i) {
               const std::size_t c = i % half;
               if (c < pairs) {
                 const auto frequency = static_cast<float>(
                     std::pow(p.rope_theta, -static_cast<double>(c) / static_cast<double>(half)));
                 const float angle = static_cast<float>(at[i / half]) * frequency;
                 t.values[i] = cosine ? std::cos(angle) : std::sin(angle);
               }
             }
           }});
    }
  }
}

// Turned by the tables that the dump shows: by others it would be no program's.
Formula honest_rope(const Arithmetic& a, const std::string& norm) {
  return [=](Scene& s, Tap& t) {
    only(a.narrow_angles);
    const std::string kind = s.sliding() ? "local" : "global";
    const Floats cosine = narrowed(s.named("text.rope." + kind + ".cos").values);
    const Floats sine = narrowed(s.named("text.rope." + kind + ".sin").values);
    const Tap& x = s.tap(norm);
    const std::size_t half = x.shape[2] / 2;
    for (std::size_t i = 0; i < x.shape[0] * x.shape[1]; ++i) {
      for (std::size_t c = 0; c < half; ++c) {
        const std::size_t at = i / x.shape[1] * half + c;
        const std::size_t pair = i * 2 * half + c;
        const auto first = static_cast<float>(x.values[pair]);
        const auto second = static_cast<float>(x.values[pair + half]);
        t.values[pair] = a.add_product(first, cosine[at], -second * sine[at]);
        t.values[pair + half] = a.add_product(second, cosine[at], first * sine[at]);
      }
    }
  };
}

void scores(const Arithmetic& a, Scene& s, Tap& t) {
  const Tap& q = s.tap("attn.q_rope");
  const Tap& k = s.tap("attn.k_ctx");
  const Floats queries = narrowed(q.values);
  const Floats keys = narrowed(k.values);
  const std::size_t heads = q.shape[1];
  const std::size_t width = q.shape[2];
  const std::size_t count = k.shape[0];
  const std::size_t group = heads / k.shape[1];
  for (std::size_t i = 0; i < t.values.size(); ++i) {
    const std::size_t row = i / count;
    const std::size_t head = row % heads / group;
    t.values[i] = a.dot(queries.data() + row * width,
                        keys.data() + (i % count * k.shape[1] + head) * width, width);
  }
}

// The rows of scores by the softmax of this arithmetic, over the keys whose probability is not 0.
Numbers soft_rows(const Arithmetic& a, const Tap& scores, std::span<const double> probs) {
  const Floats rows = narrowed(scores.values);
  const std::size_t count = scores.shape.back();
  Numbers y;
  y.reserve(rows.size());
  for (std::size_t start = 0; start < rows.size(); start += count) {
    std::vector<char> visible(count, 1);
    for (std::size_t j = 0; j < count && !probs.empty(); ++j) {
      visible[j] = probs[start + j] > 0 ? 1 : 0;
    }
    const Floats row = a.softmax_row(std::span(rows).subspan(start, count), visible);
    y.insert(y.end(), row.begin(), row.end());
  }
  return y;
}

// Values of one query's head, column by column; `weights` are its probabilities.
void mix_row(const Arithmetic& a, const Floats& weights, const Floats& values, std::size_t stride,
             std::size_t first, std::span<double> y) {
  Floats column(weights.size());
  for (std::size_t d = 0; d < y.size(); ++d) {
    for (std::size_t j = 0; j < weights.size(); ++j) {
      column[j] = values[j * stride + first + d];
    }
    y[d] = a.dot(weights.data(), column.data(), weights.size());
  }
}

// Without the probabilities: each key rescales what was summed before it, the sum divides at last.
void online_row(const Arithmetic& a, std::span<const double> scores, std::span<const double> probs,
                const Floats& values, std::size_t stride, std::size_t first, std::span<double> y) {
  Floats mixed(y.size(), 0);
  float sum = 0;
  float largest = 0;
  bool any = false;
  for (std::size_t j = 0; j < scores.size(); ++j) {
    if (probs[j] <= 0) {
      continue;
    }
    const auto score = static_cast<float>(scores[j]);
    const float now = any ? std::max(largest, score) : score;
    const float old = any ? a.exponential(largest - now) : 0;
    const float weight = a.shifted_exp(score, now);
    sum = sum * old + weight;
    for (std::size_t d = 0; d < y.size(); ++d) {
      mixed[d] = a.add_product(weight, values[j * stride + first + d], mixed[d] * old);
    }
    largest = now;
    any = true;
  }
  for (std::size_t d = 0; d < y.size(); ++d) {
    y[d] = sum > 0 ? mixed[d] / sum : 0;
  }
}

void mix(const Arithmetic& a, bool online, Scene& s, Tap& t) {
  const Tap& v = s.tap("attn.v_ctx");
  const Tap& probs = s.tap("attn.probs");
  const Tap& of_scores = s.tap("attn.scores");
  const Floats values = narrowed(v.values);
  const std::size_t heads = t.shape[1];
  const std::size_t width = v.shape[2];
  const std::size_t group = heads / v.shape[1];
  const std::size_t count = v.shape[0];
  for (std::size_t row = 0; row < t.shape[0] * heads; ++row) {
    const std::span<double> y = std::span(t.values).subspan(row * width, width);
    const std::size_t first = row % heads / group * width;
    const auto p = std::span(probs.values).subspan(row * count, count);
    if (online) {
      online_row(a, std::span(of_scores.values).subspan(row * count, count), p, values,
                 v.shape[1] * width, first, y);
    } else {
      mix_row(a, narrowed(p), values, v.shape[1] * width, first, y);
    }
  }
}

void add_attention(const Arithmetic& a, bool fused, Mutant& all) {
  const bool online =
      fused && (a.softmax == SoftmaxForm::kBlocks || a.softmax == SoftmaxForm::kByKey);
  all.rewrites.push_back({kAttn + "q_rope", honest_rope(a, "attn.q_norm")});
  all.rewrites.push_back({kAttn + "k_rope", honest_rope(a, "attn.k_norm")});
  all.rewrites.push_back({kAttn + "scores", [=](Scene& s, Tap& t) { scores(a, s, t); }});
  all.rewrites.push_back({kAttn + "probs", [=](Scene& s, Tap& t) {
                            t.values = soft_rows(a, s.tap("attn.scores"), t.values);
                          }});
  all.rewrites.push_back({kAttn + "mix", [=](Scene& s, Tap& t) { mix(a, online, s, t); }});
}

void add_activations(const Arithmetic& a, Mutant& all) {
  all.rewrites.push_back({kLayer + "ffn.act", [=](Scene& s, Tap& t) {
                            t.values = map(s.tap("ffn.gate").values, [&](double x) {
                              return a.activated(static_cast<float>(x));
                            });
                          }});
  all.rewrites.push_back({kLayer + "ple.mul", [=](Scene& s, Tap& t) {
                            const Tap& in = s.named("text.ple.in");
                            const std::size_t width = in.shape[2];
                            const Tap& gate = s.tap("ple.gate");
                            for (std::size_t i = 0; i < t.values.size(); ++i) {
                              const std::size_t at =
                                  (i / width * in.shape[1] + s.layer()) * width + i % width;
                              t.values[i] = a.activated(static_cast<float>(gate.values[i])) *
                                            static_cast<float>(in.values[at]);
                            }
                          }});
}

void experts_in(const Arithmetic& a, Scene& s, Tap& t) {
  const Tap& index = s.tap("moe.topk_index");
  const Floats x = narrowed(s.tap("moe.norm_in").values);
  const Floats w = narrowed(s.weight("experts.gate_up_proj").values);  // [E, 2f, D]
  const std::size_t out = t.shape.back();
  const std::size_t slots = t.shape[1];
  const std::size_t in = x.size() / t.shape[0];
  for (std::size_t i = 0; i < index.values.size(); ++i) {
    const auto expert = static_cast<std::size_t>(index.values[i]);
    for (std::size_t o = 0; o < out; ++o) {
      t.values[i * out + o] =
          a.dot(x.data() + i / slots * in, w.data() + (expert * out + o) * in, in);
    }
  }
}

void experts_out(const Arithmetic& a, Scene& s, Tap& t) {
  const Tap& gate_up = s.tap("moe.gate_up");
  const Tap& index = s.tap("moe.topk_index");
  const Floats w = narrowed(s.weight("experts.down_proj").values);  // [E, D, f]
  const std::size_t inner = gate_up.shape.back() / 2;
  const std::size_t width = t.shape.back();
  for (std::size_t i = 0; i < index.values.size(); ++i) {
    const auto expert = static_cast<std::size_t>(index.values[i]);
    Floats hidden(inner);
    for (std::size_t f = 0; f < inner; ++f) {
      const double* row = gate_up.values.data() + i * 2 * inner;
      hidden[f] = a.activated(static_cast<float>(row[f])) * static_cast<float>(row[inner + f]);
    }
    for (std::size_t d = 0; d < width; ++d) {
      t.values[i * width + d] =
          a.dot(hidden.data(), w.data() + (expert * width + d) * inner, inner);
    }
  }
}

// The chosen experts of a row, as the program adds them up.
std::vector<std::size_t> order_of_slots(const Arithmetic& a, std::span<const double> experts) {
  std::vector<std::size_t> order(experts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (a.experts_by_index) {
    std::ranges::sort(order, {}, [&](std::size_t slot) { return experts[slot]; });
  }
  return order;
}

void expert_sum(const Arithmetic& a, Scene& s, Tap& t) {
  const Tap& out = s.tap("moe.expert_out");
  const Tap& weight = s.tap("moe.topk_weight");
  const Tap& index = s.tap("moe.topk_index");
  const std::size_t slots = out.shape[1];
  const std::size_t width = out.shape[2];
  for (std::size_t r = 0; r < t.shape[0]; ++r) {
    const auto order = order_of_slots(a, std::span(index.values).subspan(r * slots, slots));
    for (std::size_t d = 0; d < width; ++d) {
      float sum = 0;
      for (const std::size_t slot : order) {
        const std::size_t at = r * slots + slot;
        sum = a.add_product(static_cast<float>(weight.values[at]),
                            static_cast<float>(out.values[at * width + d]), sum);
      }
      t.values[r * width + d] = sum;
    }
  }
}

void add_experts(const Arithmetic& a, Mutant& all) {
  all.rewrites.push_back({kMoe + "router_probs", [=](Scene& s, Tap& t) {
                            t.values = soft_rows(a, s.tap("moe.router_logits"), {});
                          }});
  all.rewrites.push_back({kMoe + "gate_up", [=](Scene& s, Tap& t) { experts_in(a, s, t); }});
  all.rewrites.push_back({kMoe + "expert_out", [=](Scene& s, Tap& t) { experts_out(a, s, t); }});
  all.rewrites.push_back({kMoe + "sum", [=](Scene& s, Tap& t) { expert_sum(a, s, t); }});
}

}  // namespace

Mutant honest_rewrites(const Arithmetic& arithmetic, bool fused) {
  Mutant all;
  if (arithmetic.narrow_angles) {
    add_narrow_tables(all);
  }
  add_norms(arithmetic, all);
  add_products(arithmetic, all);
  add_attention(arithmetic, fused, all);
  add_activations(arithmetic, all);
  add_experts(arithmetic, all);
  if (fused) {
    for (const char* tap : {"attn.q_norm", "attn.k_norm", "attn.scores", "attn.probs", "ffn.act",
                            "moe.router_norm", "moe.router_probs", "moe.gate_up"}) {
      all.hidden.push_back(kLayer + tap);
    }
  }
  return all;
}

}  // namespace assay::conformance
