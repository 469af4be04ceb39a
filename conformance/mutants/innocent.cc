// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/innocent.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "conformance/compare/precision.h"
#include "conformance/mutants/places.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

using Floats = std::vector<float>;

enum class Order { kAscending, kDescending, kPairwise, kBlocked, kShuffled, kWide };
constexpr std::size_t kOrders = 6;
constexpr std::size_t kLanes = 8;

// How an honest fp32 program computes.
struct Arithmetic {
  Order order = Order::kAscending;
  bool fused = false;       // multiply-adds
  bool reciprocal = false;  // norms multiply by 1 / root
  bool powers_of_two = false;
  bool online = false;  // softmax in blocks of keys
  bool sigmoid_gelu = false;
  bool narrow_angles = false;  // fp32
};

Floats narrowed(std::span<const double> x) {
  return {x.begin(), x.end()};
}

float multiply_add(const Arithmetic& a, float x, float y, float sum) {
  return a.fused ? std::fma(x, y, sum) : x * y + sum;
}

float pairwise(const Arithmetic& a, const float* x, const float* y, std::size_t n) {
  if (n <= 4) {
    float sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      sum = multiply_add(a, x[i], y[i], sum);
    }
    return sum;
  }
  return pairwise(a, x, y, n / 2) + pairwise(a, x + n / 2, y + n / 2, n - n / 2);
}

float blocked(const Arithmetic& a, const float* x, const float* y, std::size_t n) {
  std::array<float, kLanes> lanes{};
  for (std::size_t i = 0; i < n; ++i) {
    lanes[i % kLanes] = multiply_add(a, x[i], y[i], lanes[i % kLanes]);
  }
  return std::accumulate(lanes.begin(), lanes.end(), 0.0F);
}

float dot(const Arithmetic& a, const float* x, const float* y, std::size_t n) {
  switch (a.order) {
    case Order::kPairwise:
      return pairwise(a, x, y, n);
    case Order::kBlocked:
      return blocked(a, x, y, n);
    case Order::kWide: {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) {
        sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
      }
      return static_cast<float>(sum);
    }
    default:
      break;
  }
  float sum = 0;
  const std::size_t step = a.order == Order::kShuffled ? 7 : 1;  // n is no multiple of it: below
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t at = a.order == Order::kDescending                  ? n - 1 - i
                           : a.order == Order::kShuffled && n % step != 0 ? i * step % n
                                                                          : i;
    sum = multiply_add(a, x[at], y[at], sum);
  }
  return sum;
}

float exponential(const Arithmetic& a, float x) {
  constexpr float kLog2E = 1.44269504F;
  return a.powers_of_two ? std::exp2(x * kLog2E) : std::exp(x);
}

Numbers norm(const Arithmetic& a, std::span<const double> input, std::size_t width,
             std::span<const double> weight, double eps) {
  Numbers y(input.size());
  const Floats x = narrowed(input);
  for (std::size_t start = 0; start + width <= x.size(); start += width) {
    const float* row = x.data() + start;
    const float square = dot(a, row, row, width) / static_cast<float>(width);
    const float root = std::sqrt(square + static_cast<float>(eps));
    const float inverse = 1 / root;
    for (std::size_t d = 0; d < width; ++d) {
      const float unit = a.reciprocal ? row[d] * inverse : row[d] / root;
      y[start + d] = weight.empty() ? unit : unit * static_cast<float>(weight[d]);
    }
  }
  return y;
}

Numbers product(const Arithmetic& a, std::span<const double> input, const Matrix& w) {
  const Floats x = narrowed(input);
  const Floats weights = narrowed(w.values);
  const std::size_t in = w.cols();
  Numbers y;
  for (std::size_t start = 0; start + in <= x.size(); start += in) {
    for (std::size_t o = 0; o < w.rows(); ++o) {
      y.push_back(dot(a, x.data() + start, weights.data() + o * in, in));
    }
  }
  return y;
}

float gelu_form(const Arithmetic& a, float x) {
  const float z = 0.79788456F * (x + 0.044715F * x * x * x);
  return a.sigmoid_gelu ? x / (1 + exponential(a, -2 * z)) : 0.5F * x * (1 + std::tanh(z));
}

Numbers soft_row(const Arithmetic& a, const Floats& scores, const std::vector<char>& visible) {
  const std::size_t block = a.online ? 3 : scores.size();
  float largest = -std::numeric_limits<float>::infinity();
  float sum = 0;
  for (std::size_t start = 0; start < scores.size(); start += block) {
    const std::size_t end = std::min(start + block, scores.size());
    float now = largest;
    for (std::size_t s = start; s < end; ++s) {
      now = visible[s] != 0 ? std::max(now, scores[s]) : now;
    }
    sum = std::isinf(largest) ? 0 : sum * exponential(a, largest - now);
    largest = now;
    for (std::size_t s = start; s < end; ++s) {
      sum += visible[s] != 0 ? exponential(a, scores[s] - largest) : 0;
    }
  }
  Numbers y(scores.size(), 0);
  for (std::size_t s = 0; s < scores.size(); ++s) {
    y[s] = visible[s] != 0 && sum > 0 ? exponential(a, scores[s] - largest) / sum : 0;
  }
  return y;
}

void add_norms(const Arithmetic& a, Mutant& all) {
  for (const Place& place : decoder_norms()) {
    if (place.input.empty()) {
      continue;
    }
    all.rewrites.push_back({"text.layer.{i}." + place.tap, [=](Scene& s, Tap& t) {
                              static const Numbers kNone;
                              t.values =
                                  norm(a, s.tap(place.input).values, t.shape.back(),
                                       place.weight.empty() ? kNone : s.weight(place.weight).values,
                                       s.text().rms_norm_eps);
                            }});
  }
}

void add_products(const Arithmetic& a, Mutant& all) {
  for (const Place& place : decoder_products()) {
    all.rewrites.push_back({"text.layer.{i}." + place.tap, [=](Scene& s, Tap& t) {
                              t.values =
                                  product(a, s.tap(place.input).values, s.weight(place.weight));
                            }});
  }
  all.rewrites.push_back({"text.logits_raw", [=](Scene& s, Tap& t) {
                            t.values = product(a, s.named("text.final_norm").values,
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
        t.values[pair] = multiply_add(a, first, cosine[at], -second * sine[at]);
        t.values[pair + half] = multiply_add(a, second, cosine[at], first * sine[at]);
      }
    }
  };
}

void add_attention(const Arithmetic& a, Mutant& all) {
  const std::string at = "text.layer.{i}.attn.";
  all.rewrites.push_back({at + "q_rope", honest_rope(a, "attn.q_norm")});
  all.rewrites.push_back({at + "k_rope", honest_rope(a, "attn.k_norm")});
  all.rewrites.push_back({at + "scores", [=](Scene& s, Tap& t) {
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
                              t.values[i] =
                                  dot(a, queries.data() + row * width,
                                      keys.data() + (i % count * k.shape[1] + head) * width, width);
                            }
                          }});
  all.rewrites.push_back(
      {at + "probs", [=](Scene& s, Tap& t) {
         const Floats scores = narrowed(s.tap("attn.scores").values);
         const std::size_t count = t.shape.back();
         for (std::size_t start = 0; start < scores.size(); start += count) {
           const auto first = scores.begin() + static_cast<std::ptrdiff_t>(start);
           std::vector<char> visible(count);
           for (std::size_t j = 0; j < count; ++j) {
             visible[j] = t.values[start + j] > 0 ? 1 : 0;
           }
           const Numbers row =
               soft_row(a, {first, first + static_cast<std::ptrdiff_t>(count)}, visible);
           std::ranges::copy(row, t.values.begin() + static_cast<std::ptrdiff_t>(start));
         }
       }});
}

void add_activations(const Arithmetic& a, Mutant& all) {
  all.rewrites.push_back({"text.layer.{i}.ffn.act", [=](Scene& s, Tap& t) {
                            t.values = map(s.tap("ffn.gate").values, [&](double x) {
                              return gelu_form(a, static_cast<float>(x));
                            });
                          }});
  all.rewrites.push_back({"text.layer.{i}.ple.mul", [=](Scene& s, Tap& t) {
                            const Tap& in = s.named("text.ple.in");
                            const std::size_t width = in.shape[2];
                            const Tap& gate = s.tap("ple.gate");
                            for (std::size_t i = 0; i < t.values.size(); ++i) {
                              const std::size_t at =
                                  (i / width * in.shape[1] + s.layer()) * width + i % width;
                              t.values[i] = gelu_form(a, static_cast<float>(gate.values[i])) *
                                            static_cast<float>(in.values[at]);
                            }
                          }});
  all.rewrites.push_back(
      {"text.layer.{i}.moe.router_probs", [=](Scene& s, Tap& t) {
         const Floats logits = narrowed(s.tap("moe.router_logits").values);
         const std::size_t count = t.shape.back();
         const std::vector<char> visible(count, 1);
         for (std::size_t start = 0; start < logits.size(); start += count) {
           const auto first = logits.begin() + static_cast<std::ptrdiff_t>(start);
           const Numbers row =
               soft_row(a, {first, first + static_cast<std::ptrdiff_t>(count)}, visible);
           std::ranges::copy(row, t.values.begin() + static_cast<std::ptrdiff_t>(start));
         }
       }});
}

std::string words(const Arithmetic& a) {
  static const std::array<const char*, kOrders> kNames = {"ascending", "descending", "pairwise",
                                                          "blocked",   "shuffled",   "wide"};
  std::string text = std::string(kNames.at(static_cast<std::size_t>(a.order))) + " sums";
  const auto add = [&](bool there, const std::string& what) { text += there ? ", " + what : ""; };
  add(a.fused, "fused multiply-adds");
  add(a.reciprocal, "norms by a reciprocal");
  add(a.powers_of_two, "exp by powers of two");
  add(a.online, "online softmax");
  add(a.sigmoid_gelu, "GELU by a sigmoid");
  add(a.narrow_angles, "angles in fp32");
  return text;
}

}  // namespace

Innocent innocent_variant(std::uint64_t seed) {
  Random random(seed * 0x9E3779B97F4A7C15u + 1);
  Arithmetic a;
  a.order = static_cast<Order>(random.next() % kOrders);
  a.fused = random.next() % 2 != 0;
  a.reciprocal = random.next() % 2 != 0;
  a.powers_of_two = random.next() % 2 != 0;
  a.online = random.next() % 2 != 0;
  a.sigmoid_gelu = random.next() % 2 != 0;
  a.narrow_angles = random.next() % 2 != 0;
  Innocent one;
  one.variant.label = "innocent " + std::to_string(seed);
  if (random.next() % 8 == 0) {  // a run in chunks takes nothing from a listener
    one.run.prefill_chunk = 1 + random.next() % 7;
    one.what = "chunks of " + std::to_string(one.run.prefill_chunk);
    return one;
  }
  if (a.narrow_angles) {
    add_narrow_tables(one.variant);
  }
  add_norms(a, one.variant);
  add_products(a, one.variant);
  add_attention(a, one.variant);
  add_activations(a, one.variant);
  one.what = words(a);
  return one;
}

}  // namespace assay::conformance
