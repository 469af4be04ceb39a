// SPDX-License-Identifier: Apache-2.0
// Mistakes of the vision encoder's layers: V7 to V42.
#include <algorithm>
#include <cmath>

#include "conformance/mutants/families.h"
#include "conformance/mutants/places.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kLayer = "vision.layer.{i}.";
constexpr double kEps = 1e-6;

const std::string kFirst = "vision.patch_embed";

// The norms of a layer; "": the layer's input.
const std::vector<Place>& places() {
  static const std::vector<Place> kPlaces = {
      {"attn_norm", "", "input_layernorm.weight"},
      {"attn.q_norm", "attn.q_proj", "self_attn.q_norm.weight"},
      {"attn.k_norm", "attn.k_proj", "self_attn.k_norm.weight"},
      {"attn.v_norm", "attn.v_proj", ""},
      {"attn_post_norm", "attn.o_proj", "post_attention_layernorm.weight"},
      {"ffn_norm", "attn_residual", "pre_feedforward_layernorm.weight"},
      {"ffn_post_norm", "mlp.down", "post_feedforward_layernorm.weight"}};
  return kPlaces;
}

const Place& place_of(const std::string& tap) {
  return *std::ranges::find(places(), tap, &Place::tap);
}

Formula normed(const Place& place, NormOptions options) {
  return [=](Scene& s, Tap& t) {
    t.values = norm_at(s, place, encoder_input(s, place.input, kFirst), t, options);
  };
}

Formula left_out(const std::string& tap) {
  const Place place = place_of(tap);
  return [place](Scene& s, Tap& t) { t.values = encoder_input(s, place.input, kFirst).values; };
}

void add_norms(Mutants& all) {
  for (const Place& place : places()) {
    const std::string tap = kLayer + place.tap;
    const std::string end = place.tap == "attn_norm" ? "" : ":" + place.tap;
    const std::string where = " at " + place.tap + " of the vision encoder";
    if (!place.weight.empty()) {
      all.push_back(
          mutant("V7" + end, tap, normed(place, {kEps, 1}), "RMSNorm multiplies by 1 + w" + where));
    }
    all.push_back(mutant("V8" + end, tap, normed(place, {kEps, 0, EpsPlace::kInside, true}),
                         "LayerNorm stands in for RMSNorm" + where));
    all.push_back(mutant("V9" + end, tap, normed(place, {1e-5}), "eps is 1e-5" + where));
    all.push_back(mutant("V9:outside" + end, tap, normed(place, {kEps, 0, EpsPlace::kOutside}),
                         "eps is added outside the root" + where));
  }
  Mutant none = mutant("V15", kLayer + "attn.q_norm", left_out("attn.q_norm"));
  none.rewrites.push_back({kLayer + "attn.k_norm", left_out("attn.k_norm")});
  all.push_back(std::move(none));
  all.push_back(mutant("V17", kLayer + "attn.v_norm", left_out("attn.v_norm")));
  all.push_back(mutant("V35", kLayer + "attn_post_norm", left_out("attn_post_norm")));
  all.push_back(mutant("V42", kLayer + "ffn_post_norm", left_out("ffn_post_norm")));
  all.push_back(mutant("MECH-no-norm:vision.attn_norm", kLayer + "attn_norm", left_out("attn_norm"),
                       "the norm before attention is left out"));
  all.push_back(mutant("MECH-no-norm:vision.ffn_norm", kLayer + "ffn_norm", left_out("ffn_norm"),
                       "the norm before the feed-forward is left out"));
  const auto with_weight = [](const std::string& tap, const std::string& weight) {
    Place place = place_of(tap);
    place.weight = weight;
    return normed(place, {kEps});
  };
  Mutant swapped =
      mutant("V16", kLayer + "attn.q_norm", with_weight("attn.q_norm", "self_attn.k_norm.weight"));
  swapped.rewrites.push_back(
      {kLayer + "attn.k_norm", with_weight("attn.k_norm", "self_attn.q_norm.weight")});
  all.push_back(std::move(swapped));
  all.push_back(
      mutant("V18", kLayer + "attn.v_norm", with_weight("attn.v_norm", "self_attn.k_norm.weight")));
  all.push_back(mutant("V37", kLayer + "ffn_norm",
                       with_weight("ffn_norm", "post_attention_layernorm.weight")));
  Mutant together{"V14", "", {}, kLayer + "attn.q_norm"};
  for (const char* x : {"q", "k"}) {
    const std::string at = std::string("attn.") + x;
    const std::string weight = std::string("self_attn.") + x + "_norm.weight";
    together.rewrites.push_back({kLayer + at + "_norm", [=](Scene& s, Tap& t) {
                                   t.values = rms_norm(s.tap(at + "_proj").values,
                                                       t.shape[1] * t.shape[2], {}, {kEps});
                                   const Matrix& w = s.weight(weight);
                                   for (std::size_t i = 0; i < t.values.size(); ++i) {
                                     t.values[i] *= w.values[i % w.values.size()];
                                   }
                                 }});
  }
  all.push_back(std::move(together));
}

Mutant clipped(const std::string& label, const Clip& change, const std::string& what = "") {
  static const std::vector<Place> kProducts = {{"attn.q_proj", "attn_norm", "self_attn.q_proj."},
                                               {"attn.k_proj", "attn_norm", "self_attn.k_proj."},
                                               {"attn.v_proj", "attn_norm", "self_attn.v_proj."},
                                               {"attn.o_proj", "attn.context", "self_attn.o_proj."},
                                               {"mlp.gate", "ffn_norm", "mlp.gate_proj."},
                                               {"mlp.up", "ffn_norm", "mlp.up_proj."},
                                               {"mlp.down", "mlp.act", "mlp.down_proj."}};
  return clip_mutant(label, kLayer, kProducts, change, what);
}

void add_clips(Mutants& all) {
  all.push_back(clipped("V10", [](Bounds& b) { b = {-kOpen, kOpen, -kOpen, kOpen}; }));
  all.push_back(clipped(
      "V11", [](Bounds& b) { b.out_min = -kOpen, b.out_max = kOpen; },
      "only the input is clamped"));
  all.push_back(clipped(
      "V11:output", [](Bounds& b) { b.in_min = -kOpen, b.in_max = kOpen; },
      "only the output is clamped"));
  all.push_back(clipped("V12", [](Bounds& b) { b.in_min = -b.in_max, b.out_min = -b.out_max; }));
  all.push_back(clipped("V13", [](Bounds& b) {
    std::swap(b.in_min, b.out_min);
    std::swap(b.in_max, b.out_max);
  }));
}

// The angle of pair c of an axis, or of the whole head.
struct Turn {
  double theta = 100;
  double divisor = 0;    // of -2j; 0: half of the head's width
  bool swapped = false;  // the first half is turned by y
  Pairs layout = Pairs::kHalves;
  bool across = false;  // pairs reach across the whole head
  bool shared = false;  // one list of frequencies is shared out between the axes
  double sign = 1;
  double start = 0;
};

// Each half of a head is turned by one coordinate.
Numbers turned(const Tap& x, const Numbers& at, const Turn& turn) {
  const std::size_t width = x.shape[2];
  const std::size_t half = width / 2;
  const std::size_t pairs = half / 2;
  const double divisor = turn.divisor == 0 ? static_cast<double>(half) : turn.divisor;
  const auto angle = [&](std::size_t t, std::size_t axis, std::size_t j) {
    const std::size_t of = turn.swapped ? 1 - axis : axis;
    const std::size_t k = turn.shared ? 2 * j + axis : j;
    const double list = turn.shared ? static_cast<double>(width) : divisor;
    return turn.sign * (at[2 * t + of] + turn.start) *
           std::pow(turn.theta, -2.0 * static_cast<double>(k) / list);
  };
  if (turn.across) {
    return rotated(x.values, x.shape[0], x.shape[1], width, Pairs::kHalves,
                   [&](std::size_t t, std::size_t c) { return angle(t, c / pairs, c % pairs); });
  }
  // halves one after another are heads of half the width
  return rotated(
      x.values, x.shape[0] * x.shape[1] * 2, 1, half, turn.layout,
      [&](std::size_t r, std::size_t c) { return angle(r / (2 * x.shape[1]), r % 2, c); });
}

Mutant rope_mutant(const std::string& label, const Turn& turn, const std::string& what = "") {
  Mutant all{label, what, {}, kLayer + "attn.q_rope", {"vision.rope.angles"}};
  for (const char* x : {"q", "k"}) {
    const std::string at = std::string("attn.") + x;
    all.rewrites.push_back({kLayer + at + "_rope", [=](Scene& s, Tap& t) {
                              const std::string media(media_prefix(s.prefix()));
                              t.values = turned(s.tap(at + "_norm"),
                                                s.named(media + "image.positions").values, turn);
                            }});
  }
  return all;
}

void add_rope(Mutants& all) {
  all.push_back(rope_mutant("V20", {.swapped = true}));
  all.push_back(rope_mutant("V21", {.layout = Pairs::kNeighbours}));
  all.push_back(rope_mutant("V22", {.across = true}));
  all.push_back(rope_mutant("V24", {.shared = true}));
  all.push_back(rope_mutant("V25", {.theta = 10000}));
  all.push_back(rope_mutant("V26", {.sign = -1}));
  all.push_back(rope_mutant("V27", {.start = 1}));
  Mutant wide{"V23", "", {}, kLayer + "attn.q_rope", {"vision.rope.angles"}};
  Mutant early{"V19", "", {}, kLayer + "attn.q_rope", {"vision.rope.angles"}};
  for (const char* x : {"q", "k"}) {
    const std::string at = std::string("attn.") + x;
    const std::string weight = std::string("self_attn.") + x + "_norm.weight";
    const auto positions = [](const Scene& s) -> const Numbers& {
      return s.named(std::string(media_prefix(s.prefix())) + "image.positions").values;
    };
    wide.rewrites.push_back({kLayer + at + "_rope", [=](Scene& s, Tap& t) {
                               t.values = turned(s.tap(at + "_norm"), positions(s),
                                                 {.divisor = static_cast<double>(t.shape[2])});
                             }});
    early.rewrites.push_back({kLayer + at + "_rope", [=](Scene& s, Tap& t) {
                                Tap raw = t;
                                raw.values = s.tap(at + "_proj").values;
                                t.values = rms_norm(turned(raw, positions(s), {}), t.shape[2],
                                                    s.weight(weight).values, {kEps});
                              }});
  }
  early.reason =
      "the norm that such a program shows is the rotated one's: what both have in "
      "common is the rotated query";
  all.push_back(std::move(wide));
  all.push_back(std::move(early));
  all.push_back(mutant("V28", kLayer + "attn.context", [](Scene& s, Tap& t) {
    const std::string media(media_prefix(s.prefix()));
    const Tap& v = s.tap("attn.v_norm");
    const Numbers values = turned(v, s.named(media + "image.positions").values, {});
    const Tap& probs = s.tap("attn.probs");  // [H, N, N]
    const std::size_t heads = v.shape[1];
    const std::size_t width = v.shape[2];
    const std::size_t count = v.shape[0];
    std::ranges::fill(t.values, 0.0);
    for (std::size_t n = 0; n < heads; ++n) {
      for (std::size_t q = 0; q < count; ++q) {
        for (std::size_t k = 0; k < count; ++k) {
          const double p = probs.values[(n * count + q) * count + k];
          for (std::size_t d = 0; d < width; ++d) {
            t.values[(q * heads + n) * width + d] += p * values[(k * heads + n) * width + d];
          }
        }
      }
    }
  }));
}

void add_attention(Mutants& all) {
  all.push_back(mutant("V29", kLayer + "attn.logits", [](Scene& s, Tap& t) {
    const auto width = static_cast<double>(s.tap("attn.q_rope").shape.back());
    t.values = scaled(t.values, 1 / std::sqrt(width));
  }));
  all.push_back(mutant("V30", kLayer + "attn.logits", [](Scene&, Tap& t) {
    t.values = map(t.values, [](double x) { return capped(x, 50); });
  }));
  all.push_back(mutant("V31", kLayer + "attn.probs", [](Scene& s, Tap& t) {
    const std::size_t count = t.shape.back();
    t.values = softmax(s.tap("attn.logits").values, count,
                       [count](auto row, auto k) { return k <= row % count; });
  }));
  all.push_back(mutant("V34", kLayer + "attn.context", [](Scene& s, Tap& t) {
    const std::size_t heads = s.tap("attn.q_rope").shape[1];
    const std::size_t width = s.tap("attn.q_rope").shape[2];
    const Numbers from = t.values;
    for (std::size_t r = 0; r < t.shape[0]; ++r) {
      for (std::size_t n = 0; n < heads; ++n) {
        for (std::size_t d = 0; d < width; ++d) {
          t.values[r * heads * width + d * heads + n] = from[(r * heads + n) * width + d];
        }
      }
    }
  }));
  all.push_back(mutant("V36", kLayer + "attn_residual", [](Scene& s, Tap& t) {
    t.values = rms_norm(added(encoder_layer_in(s, kFirst).values, s.tap("attn.o_proj").values),
                        t.shape.back(), s.weight("post_attention_layernorm.weight").values, {kEps});
  }));
  all.push_back(mutant(
      "MECH-no-residual:vision.attn_residual", kLayer + "attn_residual",
      [](Scene& s, Tap& t) { t.values = s.tap("attn_post_norm").values; },
      "the residual is not added after attention"));
  all.push_back(mutant(
      "MECH-no-residual:vision.out", kLayer + "out",
      [](Scene& s, Tap& t) { t.values = s.tap("ffn_post_norm").values; },
      "the residual is not added after the feed-forward"));
}

void add_feed_forward(Mutants& all) {
  const auto act = [&](const std::string& label, double (*f)(double),
                       const std::string& what = "") {
    all.push_back(mutant(
        label, kLayer + "mlp.act",
        [f](Scene& s, Tap& t) {
          t.values = map2(s.tap("mlp.gate").values, s.tap("mlp.up").values,
                          [f](double gate, double up) { return f(gate) * up; });
        },
        what));
  };
  act("V39", gelu_erf);
  act("V40", silu);
  act("V41", quick_gelu);
  act(
      "V40:none", [](double x) { return x; }, "the gate has no activation");
  all.push_back(mutant("V38", kLayer + "mlp.act", [](Scene& s, Tap& t) {
    t.values = map2(s.tap("mlp.gate").values, s.tap("mlp.up").values,
                    [](double gate, double up) { return gelu_tanh(up) * gate; });
  }));
}

}  // namespace

Mutants vision_layer_mutants() {
  Mutants all;
  add_norms(all);
  add_clips(all);
  add_rope(all);
  add_attention(all);
  add_feed_forward(all);
  return all;
}

}  // namespace assay::conformance
