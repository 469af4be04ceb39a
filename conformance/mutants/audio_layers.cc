// SPDX-License-Identifier: Apache-2.0
// Mistakes of the audio encoder's layers: C16 to C52.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "conformance/mutants/families.h"
#include "conformance/mutants/places.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kLayer = "audio.layer.{i}.";
constexpr double kEps = 1e-6;

const std::string kFirst = "audio.input_proj";

const Tap& input_named(const Scene& s, const std::string& name) {
  return encoder_input(s, name, kFirst);
}

// The norms of a layer; "": the layer's input.
const std::vector<Place>& places() {
  static const std::vector<Place> kPlaces = {
      {"ffn1.pre_norm", "", "feed_forward1.pre_layer_norm.weight"},
      {"ffn1.post_norm", "ffn1.down", "feed_forward1.post_layer_norm.weight"},
      {"attn.pre_norm", "ffn1.out", "norm_pre_attn.weight"},
      {"attn.post_norm", "attn.post", "norm_post_attn.weight"},
      {"lconv.pre_norm", "attn.residual", "lconv1d.pre_layer_norm.weight"},
      {"lconv.conv_norm", "lconv.depthwise", "lconv1d.conv_norm.weight"},
      {"ffn2.pre_norm", "lconv.out", "feed_forward2.pre_layer_norm.weight"},
      {"ffn2.post_norm", "ffn2.down", "feed_forward2.post_layer_norm.weight"},
      {"out", "ffn2.out", "norm_out.weight"}};
  return kPlaces;
}

Formula normed(const Place& place, NormOptions options) {
  return [=](Scene& s, Tap& t) {
    t.values = norm_at(s, place, input_named(s, place.input), t, options);
  };
}

// The label where the catalogue has one for leaving out the norm of this tap.
std::string missing_label(const std::string& tap) {
  if (tap == "ffn1.post_norm") {
    return "C24";
  }
  if (tap == "ffn2.post_norm") {
    return "C24:ffn2";
  }
  if (tap == "attn.post_norm") {
    return "C43";
  }
  if (tap == "lconv.conv_norm") {
    return "C49";
  }
  return tap == "out" ? "C51" : "MECH-no-norm:audio." + tap;
}

void add_norms(Mutants& all) {
  for (const Place& place : places()) {
    const std::string tap = kLayer + place.tap;
    const std::string end = place.tap == "ffn1.pre_norm" ? "" : ":" + place.tap;
    const std::string where = " at " + place.tap + " of the audio encoder";
    all.push_back(
        mutant("C26" + end, tap, normed(place, {kEps, 1}), "RMSNorm multiplies by 1 + w" + where));
    all.push_back(mutant("MECH-layer-norm:audio." + place.tap, tap,
                         normed(place, {kEps, 0, EpsPlace::kInside, true}),
                         "LayerNorm stands in for RMSNorm" + where));
    all.push_back(mutant("MECH-eps-1e-5:audio." + place.tap, tap, normed(place, {1e-5}),
                         "eps is 1e-5" + where));
    all.push_back(mutant(
        missing_label(place.tap), tap,
        [place](Scene& s, Tap& t) { t.values = input_named(s, place.input).values; },
        "the norm is left out" + where));
  }
  Mutant swapped{"C44", "", {}, kLayer + "lconv.pre_norm"};
  swapped.rewrites.push_back({kLayer + "lconv.pre_norm",
                              normed({"", "attn.residual", "lconv1d.conv_norm.weight"}, {kEps})});
  swapped.rewrites.push_back(
      {kLayer + "lconv.conv_norm",
       normed({"", "lconv.depthwise", "lconv1d.pre_layer_norm.weight"}, {kEps})});
  all.push_back(std::move(swapped));
  all.push_back(mutant(
      "C51:added", kLayer + "out",
      [](Scene& s, Tap& t) { t.values = added(t.values, s.tap("ffn2.out").values); },
      "the stream is added after the last norm"));
}

Formula residual(const std::string& from, const std::string& branch, double weight) {
  return [=](Scene& s, Tap& t) {
    t.values = map2(input_named(s, from).values, s.tap(branch).values,
                    [weight](double x, double y) { return x + weight * y; });
  };
}

void add_feed_forward(Mutants& all) {
  for (const std::string at : {"ffn1.", "ffn2."}) {
    const std::string end = at == "ffn1." ? "" : ":ffn2";
    const std::string from = at == "ffn1." ? "" : "lconv.out";
    all.push_back(mutant("C22" + end, kLayer + at + "out", residual(from, at + "post_norm", 1),
                         "the feed-forward is added at full weight"));
    all.push_back(mutant(
        "MECH-no-residual:audio." + at + "out", kLayer + at + "out",
        [at](Scene& s, Tap& t) { t.values = scaled(s.tap(at + "post_norm").values, 0.5); },
        "the stream is not added after " + at.substr(0, 4)));
    for (const auto& [label, f] : {std::pair<std::string, double (*)(double)>{"C23", gelu_tanh},
                                   {"C23:relu", [](double x) { return std::max(x, 0.0); }}}) {
      all.push_back(mutant(
          label + (label == "C23" ? end
                   : end.empty()  ? ""
                                  : ",ffn2"),
          kLayer + at + "act",
          [at, f = f](Scene& s, Tap& t) { t.values = map(s.tap(at + "up").values, f); },
          label == "C23" ? "the feed-forward has GELU" : "the feed-forward has ReLU"));
    }
  }
}

Mutant clipped(const std::string& label, const Clip& change, const std::string& what) {
  static const std::vector<Place> kProducts = {
      {"ffn1.up", "ffn1.pre_norm", "feed_forward1.ffw_layer_1."},
      {"ffn1.down", "ffn1.act", "feed_forward1.ffw_layer_2."},
      {"attn.q_proj", "attn.pre_norm", "self_attn.q_proj."},
      {"attn.k_proj", "attn.pre_norm", "self_attn.k_proj."},
      {"attn.v_proj", "attn.pre_norm", "self_attn.v_proj."},
      {"attn.post", "attn.context", "self_attn.post."},
      {"lconv.linear_start", "lconv.pre_norm", "lconv1d.linear_start."},
      {"lconv.linear_end", "lconv.act", "lconv1d.linear_end."},
      {"ffn2.up", "ffn2.pre_norm", "feed_forward2.ffw_layer_1."},
      {"ffn2.down", "ffn2.act", "feed_forward2.ffw_layer_2."}};
  return clip_mutant(label, kLayer, kProducts, change, what);
}

void add_clips(Mutants& all) {
  all.push_back(clipped(
      "C25",
      [](Bounds& b) {
        b = {-kOpen, kOpen, -kOpen, kOpen};
      },
      "clipping is dropped"));
  all.push_back(clipped(
      "C25:input", [](Bounds& b) { b.out_min = -kOpen, b.out_max = kOpen; },
      "only the input is clipped"));
  all.push_back(clipped(
      "C25:symmetric", [](Bounds& b) { b.in_min = -b.in_max, b.out_min = -b.out_max; },
      "bounds are made symmetric"));
}

// d^(-1/2) / ln 2, times what is learned.
Formula scaled_queries(const std::function<double(double raw, double width)>& factor) {
  return [factor](Scene& s, Tap& t) {
    const Matrix& raw = s.weight("self_attn.per_dim_scale");
    const auto width = static_cast<double>(raw.values.size());
    t.values = s.tap("attn.q_proj").values;
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      t.values[i] *= factor(raw.values[i % raw.values.size()], width);
    }
  };
}

const double kKeyScale = std::log1p(std::numbers::e) / std::numbers::ln2;

void add_scales(Mutants& all) {
  const std::string q = kLayer + "attn.q_scaled";
  const auto fixed = [](double width) { return 1 / (std::sqrt(width) * std::numbers::ln2); };
  all.push_back(mutant("C27", q,
                       scaled_queries([=](double raw, double w) { return fixed(w) * raw; }),
                       "softplus is left out"));
  all.push_back(mutant("C27:twice", q, scaled_queries([=](double raw, double w) {
                         return fixed(w) * softplus(softplus(raw));
                       }),
                       "softplus is applied twice"));
  all.push_back(mutant(
      "C27:exp", q, scaled_queries([=](double raw, double w) { return fixed(w) * std::exp(raw); }),
      "exp stands in for softplus"));
  all.push_back(mutant(
      "C28", q, scaled_queries([](double raw, double w) { return softplus(raw) / std::sqrt(w); })));
  all.push_back(mutant("C29", q, scaled_queries([](double raw, double) {
                         return softplus(raw) / std::numbers::ln2;
                       })));
  const std::string k = kLayer + "attn.k_scaled";
  const auto keys = [](double factor) {
    return [factor](Scene& s, Tap& t) { t.values = scaled(s.tap("attn.k_proj").values, factor); };
  };
  all.push_back(mutant("C30", k, keys(1), "the key scale is left out"));
  all.push_back(mutant("C30:1/ln2", k, keys(1 / std::numbers::ln2), "the key scale is 1 / ln 2"));
  all.push_back(mutant("C31", kLayer + "attn.context",
                       [](Scene&, Tap& t) { t.values = scaled(t.values, kKeyScale); }));
  all.push_back(mutant("C20", kLayer + "attn.rel_k",
                       [](Scene&, Tap& t) { t.values = scaled(t.values, kKeyScale); }));
  all.push_back(mutant("C21", kLayer + "attn.rel_k", [](Scene& s, Tap& t) {
    const double least = s.weight("self_attn.k_proj.output_min").values.at(0);
    const double most = s.weight("self_attn.k_proj.output_max").values.at(0);
    t.values = map(t.values, [=](double x) { return std::clamp(x, least, most); });
  }));
}

// Scores [H, T, T] of a query for the keys that a rule lets it see, with the position of each.
struct Reading {
  std::function<bool(std::size_t q, std::size_t k)> sees;
  std::function<std::ptrdiff_t(std::ptrdiff_t distance, std::ptrdiff_t rows)> row;
  bool relative = true;
  bool raw_query = false;  // the relative term has the unscaled query
};

std::ptrdiff_t usual_row(std::ptrdiff_t distance, std::ptrdiff_t rows) {
  return rows - 1 - distance;
}

double dot(const Tap& a, std::size_t row, const Tap& b, std::size_t other, std::size_t width) {
  double sum = 0;
  for (std::size_t d = 0; d < width; ++d) {
    sum += a.values[row * width + d] * b.values[other * width + d];
  }
  return sum;
}

Formula scores_by(const Reading& reading) {
  return [reading](Scene& s, Tap& t) {
    const Tap& q = s.tap("attn.q_scaled");
    const Tap& k = s.tap("attn.k_scaled");
    const Tap& rel = s.tap("attn.rel_k");
    const Tap& raw = s.tap("attn.q_proj");
    const std::size_t heads = q.shape[1];
    const std::size_t width = q.shape[2];
    const std::size_t count = q.shape[0];
    const auto rows = static_cast<std::ptrdiff_t>(rel.shape[0]);
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      const std::size_t n = i / (count * count);
      const std::size_t row = i / count % count;
      const std::size_t key = i % count;
      t.values[i] = 0;
      if (key > row || !reading.sees(row, key)) {
        continue;
      }
      const std::size_t query = row * heads + n;
      t.values[i] = dot(q, query, k, key * heads + n, width);
      const std::ptrdiff_t place = reading.row(static_cast<std::ptrdiff_t>(row - key), rows);
      if (reading.relative && place >= 0 && place < rows) {
        t.values[i] += dot(reading.raw_query ? raw : q, query, rel,
                           static_cast<std::size_t>(place) * heads + n, width);
      }
    }
  };
}

std::function<bool(std::size_t, std::size_t)> last_keys(std::size_t count) {
  return [count](std::size_t q, std::size_t k) { return q - k < count; };
}

void add_scores(Mutants& all) {
  const std::string logits = kLayer + "attn.logits";
  const auto twelve = last_keys(12);
  all.push_back(mutant("C17", logits, scores_by({twelve, [](auto distance, auto rows) {
                                                   return rows - 2 - distance;
                                                 }})));
  all.push_back(mutant("C18", logits, scores_by({twelve, usual_row, false})));
  all.push_back(mutant("C19", logits, scores_by({twelve, usual_row, true, true})));
  all.push_back(mutant("C16:logits", logits,
                       scores_by({twelve, [](auto distance, auto) { return distance; }}),
                       "rows of the relative keys go up from distance 0"));
  all.push_back(mutant("C33", logits, scores_by({last_keys(11), usual_row})));
  all.push_back(mutant("C35", logits,
                       scores_by({[](auto q, auto k) { return q / 12 == k / 12; }, usual_row})));
  const std::string cap = kLayer + "attn.logits_capped";
  all.push_back(mutant(
      "C37", cap, [](Scene& s, Tap& t) { t.values = s.tap("attn.logits").values; },
      "the cap is left out"));
  all.push_back(mutant(
      "C37:30", cap,
      [](Scene& s, Tap& t) {
        t.values = map(s.tap("attn.logits").values, [](double x) { return capped(x, 30); });
      },
      "the cap is 30"));
  all.push_back(mutant("C38", cap, [](Scene& s, Tap& t) {
    t.values = map(s.tap("attn.logits").values, [](double x) { return std::tanh(x / 50); });
  }));
}

// Softmax over what a rule shows of each row; hidden scores count as `hidden` instead of -1e9.
Formula probs_by(const std::function<bool(std::size_t q, std::size_t k)>& sees,
                 const std::function<double(double)>& hidden = {}) {
  return [=](Scene& s, Tap& t) {
    Numbers scores = s.tap("attn.logits_capped").values;
    const std::size_t count = t.shape.back();
    for (std::size_t i = 0; hidden && i < scores.size(); ++i) {
      const std::size_t q = i / count % count;
      const std::size_t k = i % count;
      scores[i] = k <= q && q - k < 12 ? scores[i] : hidden(scores[i]);
    }
    t.values = softmax(scores, count, [&](std::size_t row, std::size_t k) {
      return k <= row % count && sees(row % count, k);
    });
  };
}

void add_probs(Mutants& all) {
  const std::string probs = kLayer + "attn.probs";
  all.push_back(
      mutant("C40", probs,
             probs_by([](auto q, auto k) { return q - k < 24; }, [](double) { return 1e-9; })));
  all.push_back(mutant("C33:probs", probs, probs_by(last_keys(11)), "11 keys are seen"));
  all.push_back(mutant("C36:past", probs,
                       probs_by([](auto q, auto k) { return q - k < 12 && (q == 0 || q != k); }),
                       "a query cannot see itself"));
  all.push_back(
      mutant("C42", kLayer + "attn.residual", residual("ffn1.out", "attn.post_norm", 0.5)));
  all.push_back(mutant(
      "MECH-no-residual:audio.attn.residual", kLayer + "attn.residual",
      [](Scene& s, Tap& t) { t.values = s.tap("attn.post_norm").values; },
      "the stream is not added after attention"));
}

// The gate of the light convolution from its product [T, 2D].
using Gate = std::function<double(const double* row, std::size_t d, std::size_t width)>;

Formula gated(const Gate& gate) {
  return [gate](Scene& s, Tap& t) {
    const Tap& x = s.tap("lconv.linear_start");
    const std::size_t width = t.shape.back();
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      t.values[i] = gate(x.values.data() + i / width * 2 * width, i % width, width);
    }
  };
}

// The kernel in time: which of its points meets the row `back` rows before.
Formula depthwise(std::ptrdiff_t ahead, bool reversed) {
  return [=](Scene& s, Tap& t) {
    const Tap& x = s.tap("lconv.glu");
    const Matrix& w = s.weight("lconv1d.depthwise_conv1d.weight");
    const std::size_t width = t.shape.back();
    const std::size_t kernel = w.values.size() / width;
    const auto count = static_cast<std::ptrdiff_t>(t.shape[0]);
    for (std::ptrdiff_t row = 0; row < count; ++row) {
      for (std::size_t d = 0; d < width; ++d) {
        double sum = 0;
        for (std::size_t j = 0; j < kernel; ++j) {
          const std::ptrdiff_t from = row + static_cast<std::ptrdiff_t>(j) -
                                      static_cast<std::ptrdiff_t>(kernel - 1) + ahead;
          if (from >= 0 && from < count) {
            sum += w.values[d * kernel + (reversed ? kernel - 1 - j : j)] *
                   x.values[static_cast<std::size_t>(from) * width + d];
          }
        }
        t.values[static_cast<std::size_t>(row) * width + d] = sum;
      }
    }
  };
}

void add_convolution(Mutants& all) {
  const std::string glu = kLayer + "lconv.glu";
  all.push_back(mutant("C45", glu,
                       gated([](auto* x, auto d, auto w) { return x[w + d] * sigmoid(x[d]); }),
                       "the halves of the gate are exchanged"));
  all.push_back(mutant("C45:interleaved", glu, gated([](auto* x, auto d, auto) {
                         return x[2 * d] * sigmoid(x[2 * d + 1]);
                       }),
                       "the halves of the gate are interleaved"));
  all.push_back(mutant("C45:silu", glu,
                       gated([](auto* x, auto d, auto w) { return x[d] * silu(x[w + d]); }),
                       "the gate is SiLU"));
  const std::string conv = kLayer + "lconv.depthwise";
  all.push_back(mutant("C46", conv, depthwise(0, true)));
  all.push_back(mutant("C47", conv, depthwise(2, false), "the kernel in time is centred"));
  all.push_back(mutant("C47:ahead", conv, depthwise(4, false), "the kernel in time looks ahead"));
  all.push_back(mutant("C48", kLayer + "lconv.conv_norm", [](Scene& s, Tap& t) {
    t.values = rms_norm(map(s.tap("lconv.depthwise").values, silu), t.shape.back(),
                        s.weight("lconv1d.conv_norm.weight").values, {kEps});
  }));
  all.push_back(mutant(
      "C50", kLayer + "lconv.act",
      [](Scene& s, Tap& t) { t.values = s.tap("lconv.conv_norm").values; },
      "the light convolution has no SiLU"));
  all.push_back(mutant(
      "C50:not-added", kLayer + "lconv.out",
      [](Scene& s, Tap& t) { t.values = s.tap("lconv.linear_end").values; },
      "the light convolution is not added to the stream"));
  all.push_back(mutant(
      "C50:left-out", kLayer + "lconv.out",
      [](Scene& s, Tap& t) { t.values = s.tap("attn.residual").values; },
      "the light convolution is left out"));
}

}  // namespace

Mutants audio_layer_mutants() {
  Mutants all;
  add_norms(all);
  add_feed_forward(all);
  add_clips(all);
  add_scales(all);
  add_scores(all);
  add_probs(all);
  add_convolution(all);
  return all;
}

}  // namespace assay::conformance
