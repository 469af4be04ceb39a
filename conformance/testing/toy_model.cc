// SPDX-License-Identifier: Apache-2.0
#include "conformance/testing/toy_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/listeners.h"
#include "conformance/compare/precision.h"

namespace assay::conformance::toy {
namespace {

constexpr std::size_t kWidth = 16;
constexpr std::size_t kHeads = 2;
constexpr std::size_t kHead = 8;
constexpr std::size_t kExperts = 6;
constexpr std::size_t kChosen = 2;
constexpr std::size_t kVocabulary = 24;

template <class S>
using Values = std::vector<S>;

// One run: the arithmetic, and what it shows of itself.
template <class S>
class Run {
 public:
  Run(const CaseInput& input, const RunOptions& options, const Behaviour& behaviour,
      TapListener& taps)
      : input_(input),
        options_(options),
        behaviour_(behaviour),
        taps_(taps),
        rows_(input.ids.size()) {}

  void all();

 private:
  void show(const std::string& name, std::vector<std::size_t> shape, Values<S>& values,
            bool integer = false);
  bool wrong(const char* what) const {
    return behaviour_.mistakes.contains(what) ||
           behaviour_.mistakes.contains(std::string(what) + "@" + std::to_string(layer_));
  }
  S sum(const Values<S>& terms) const;
  Values<S> weights(const std::string& name, std::size_t count, double size) const;
  Values<S> linear(const Values<S>& x, std::size_t in, std::size_t out,
                   const std::string& name) const;
  Values<S> norm(const Values<S>& x, S eps) const;
  void layer(Values<S>& h);
  Values<S> attention(const Values<S>& x);
  Values<S> probabilities(const Values<S>& scores) const;
  Values<S> mixture(const Values<S>& x);
  Values<S> choose(const Values<S>& scores) const;
  Values<S> mixing_weights(const Values<S>& scores, const Values<S>& chosen) const;
  std::string at(const std::string& leaf) const {
    return "text.layer." + std::to_string(layer_) + "." + leaf;
  }

  const CaseInput& input_;
  const RunOptions& options_;
  const Behaviour& behaviour_;
  TapListener& taps_;
  std::size_t rows_;
  std::size_t layer_ = kLayers;
  Values<S> mask_;
};

template <class S>
void Run<S>::show(const std::string& name, std::vector<std::size_t> shape, Values<S>& values,
                  bool integer) {
  if (!taps_.wants(name)) {
    return;
  }
  Tap tap{name, std::move(shape), std::vector<double>(values.begin(), values.end()), integer};
  hand_over(taps_, tap);
  std::ranges::transform(tap.values, values.begin(), [](double v) { return static_cast<S>(v); });
}

template <class S>
S Run<S>::sum(const Values<S>& terms) const {
  const bool reversed = behaviour_.order == Order::kReversed || options_.prefill_chunk > 0;
  if (reversed) {
    return std::accumulate(terms.rbegin(), terms.rend(), S(0));
  }
  if (behaviour_.order == Order::kForward) {
    return std::accumulate(terms.begin(), terms.end(), S(0));
  }
  S lanes[4] = {};
  for (std::size_t i = 0; i < terms.size(); ++i) {
    lanes[i % 4] += terms[i];
  }
  return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}

template <class S>
Values<S> Run<S>::weights(const std::string& name, std::size_t count, double size) const {
  Random random(std::accumulate(
      name.begin(), name.end(), std::uint64_t{layer_ * 1000},
      [](std::uint64_t h, char c) { return h * 31 + static_cast<unsigned char>(c); }));
  Values<S> w(count);
  const PrecisionClass& stored = *find_precision(options_.rounding.bf16_weights ? "bf16" : "f32");
  std::ranges::generate(
      w, [&] { return static_cast<S>(round_to_class(size * random.gaussian(), stored)); });
  return w;
}

template <class S>
Values<S> Run<S>::linear(const Values<S>& x, std::size_t in, std::size_t out,
                         const std::string& name) const {
  const Values<S> w = weights(name, in * out, 1 / std::sqrt(static_cast<double>(in)));
  const std::size_t rows = x.size() / in;
  Values<S> y(rows * out);
  Values<S> terms(in);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t i = 0; i < in; ++i) {
        terms[i] = w[o * in + i] * x[r * in + i];
      }
      y[r * out + o] = sum(terms);
    }
  }
  return y;
}

template <class S>
Values<S> Run<S>::norm(const Values<S>& x, S eps) const {
  Values<S> y(x.size());
  Values<S> squares(kWidth);
  for (std::size_t r = 0; r < x.size(); r += kWidth) {
    for (std::size_t i = 0; i < kWidth; ++i) {
      squares[i] = x[r + i] * x[r + i];
    }
    const S scale = 1 / std::sqrt(sum(squares) / S(kWidth) + eps);
    for (std::size_t i = 0; i < kWidth; ++i) {
      y[r + i] = x[r + i] * scale;
    }
  }
  return y;
}

template <class S>
void Run<S>::all() {
  Values<S> ids(input_.ids.begin(), input_.ids.end());
  show("text.ids", {rows_}, ids, true);
  layer_ = kLayers;
  const Values<S> table = weights("embed", kVocabulary * kWidth, 1);
  Values<S> h(rows_ * kWidth);
  for (std::size_t i = 0; i < h.size(); ++i) {
    h[i] = 4 * table[static_cast<std::size_t>(ids[i / kWidth]) * kWidth + i % kWidth];
  }
  show("text.embed_scaled", {rows_, kWidth}, h);
  mask_.assign(rows_ * rows_, 0);
  for (std::size_t i = 0; i < mask_.size(); ++i) {
    mask_[i] = i % rows_ <= i / rows_ ? S(1) : S(0);
  }
  show("text.mask.global", {rows_, rows_}, mask_, true);
  for (layer_ = 0; layer_ < kLayers; ++layer_) {
    layer(h);
  }
  Values<S> n = norm(h, S(1e-6));
  show("text.final_norm", {rows_, kWidth}, n);
  Values<S> logits = linear(n, kWidth, kVocabulary, "unembed");
  for (S& value : logits) {
    value = wrong("softcap") ? value : 3 * std::tanh(value / 3);
  }
  show("text.logits", {rows_, kVocabulary}, logits);
}

template <class S>
void Run<S>::layer(Values<S>& h) {
  show(at("in"), {rows_, kWidth}, h);
  Values<S> x = norm(h, wrong("norm_eps") ? S(1e-3) : S(1e-6));
  show(at("attn.norm_in"), {rows_, kWidth}, x);
  const Values<S> a = attention(x);
  for (std::size_t i = 0; i < h.size(); ++i) {
    h[i] = wrong("no_residual") ? a[i] : h[i] + a[i];
  }
  show(at("attn.residual"), {rows_, kWidth}, h);
  const Values<S> m = mixture(norm(h, S(1e-6)));
  for (std::size_t i = 0; i < h.size(); ++i) {
    h[i] = h[i] + m[i];
  }
  show(at("ffn.residual"), {rows_, kWidth}, h);
  for (S& value : h) {
    value *= S(0.75);
  }
  if (wrong("nan")) {
    h[3 * kWidth + 2] = std::numeric_limits<S>::quiet_NaN();
  }
  show(at("out"), {rows_, kWidth}, h);
}

template <class S>
Values<S> Run<S>::attention(const Values<S>& x) {
  Values<S> q = linear(x, kWidth, kHeads * kHead, "q");
  for (S& value : q) {
    value *= wrong("q_scale") ? S(1.001) : S(1);
  }
  show(at("attn.q_proj"), {rows_, kHeads, kHead}, q);
  Values<S> k = linear(x, kWidth, kHead, "k");
  show(at("attn.k_ctx"), {rows_, 1, kHead}, k);
  Values<S> v = linear(x, kWidth, kHead, "v");
  show(at("attn.v_ctx"), {rows_, 1, kHead}, v);
  Values<S> scores(rows_ * kHeads * rows_);
  Values<S> terms(kHead);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t d = 0; d < kHead; ++d) {
      terms[d] = q[i / rows_ * kHead + d] * k[i % rows_ * kHead + d];
    }
    scores[i] = sum(terms);
  }
  show(at("attn.scores"), {rows_, kHeads, rows_}, scores);
  Values<S> p = probabilities(scores);
  show(at("attn.probs"), {rows_, kHeads, rows_}, p);
  Values<S> mix(rows_ * kHeads * kHead);
  Values<S> products(rows_);
  for (std::size_t i = 0; i < mix.size(); ++i) {
    const std::size_t row = i / kHead;  // query and head
    for (std::size_t s = 0; s < rows_; ++s) {
      products[s] = p[row * rows_ + s] * v[s * kHead + i % kHead];
    }
    mix[wrong("heads_swapped") ? i ^ kHead : i] = sum(products);
  }
  show(at("attn.mix"), {rows_, kHeads, kHead}, mix);
  Values<S> o = linear(mix, kHeads * kHead, kWidth, "o");
  show(at("attn.o_proj"), {rows_, kWidth}, o);
  return o;
}

template <class S>
Values<S> Run<S>::probabilities(const Values<S>& scores) const {
  Values<S> p(scores.size(), S(0));
  for (std::size_t row = 0; row < rows_ * kHeads; ++row) {
    const std::size_t query = row / kHeads;
    const auto seen = [&](std::size_t s) {
      return mask_[query * rows_ + s] != 0 || (wrong("mask_leak") && s == query + 1);
    };
    S most = -std::numeric_limits<S>::infinity();
    for (std::size_t s = 0; s < rows_; ++s) {
      most = seen(s) ? std::max(most, scores[row * rows_ + s]) : most;
    }
    Values<S> terms;
    for (std::size_t s = 0; s < rows_; ++s) {
      p[row * rows_ + s] = seen(s) ? std::exp(scores[row * rows_ + s] - most) : S(0);
      terms.push_back(p[row * rows_ + s]);
    }
    const S total = sum(terms);
    for (std::size_t s = 0; s < rows_; ++s) {
      p[row * rows_ + s] /= total;
    }
  }
  return p;
}

template <class S>
Values<S> Run<S>::mixture(const Values<S>& x) {
  Values<S> scores = linear(x, kWidth, kExperts, "router");
  for (std::size_t r = 0; layer_ == 1 && behaviour_.near_tie != 0 && r < rows_; ++r) {
    scores[r * kExperts] += static_cast<S>(behaviour_.near_tie);
  }
  show(at("moe.router_logits"), {rows_, kExperts}, scores);
  Values<S> chosen = choose(scores);
  show(at("moe.topk_index"), {rows_, kChosen}, chosen, true);
  Values<S> mixing = mixing_weights(scores, chosen);
  show(at("moe.topk_weight"), {rows_, kChosen}, mixing);
  std::vector<Values<S>> of_expert;
  for (std::size_t e = 0; e < kExperts; ++e) {
    of_expert.push_back(linear(x, kWidth, kWidth, "expert" + std::to_string(e)));
  }
  Values<S> out(rows_ * kChosen * kWidth);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t slot = i / kWidth;
    const auto expert = static_cast<std::size_t>(chosen[slot]);
    out[i] = of_expert[expert][slot / kChosen * kWidth + i % kWidth];
  }
  show(at("moe.expert_out"), {rows_, kChosen, kWidth}, out);
  Values<S> total(rows_ * kWidth);
  for (std::size_t i = 0; i < total.size(); ++i) {
    const std::size_t slot = i / kWidth * kChosen;
    total[i] = mixing[slot] * out[slot * kWidth + i % kWidth] +
               mixing[slot + 1] * out[(slot + 1) * kWidth + i % kWidth];
  }
  show(at("moe.sum"), {rows_, kWidth}, total);
  return total;
}

template <class S>
Values<S> Run<S>::choose(const Values<S>& scores) const {
  Values<S> chosen;
  for (std::size_t r = 0; r < rows_; ++r) {
    std::vector<std::size_t> order(kExperts);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>(),
                             [&](std::size_t e) { return scores[r * kExperts + e]; });
    chosen.push_back(S(order[0]));
    chosen.push_back(S(order[wrong("wrong_expert") ? 2 : 1]));
  }
  return chosen;
}

template <class S>
Values<S> Run<S>::mixing_weights(const Values<S>& scores, const Values<S>& chosen) const {
  Values<S> mixing;
  for (std::size_t r = 0; r < rows_; ++r) {
    const auto score = [&](std::size_t slot) {
      return scores[r * kExperts + static_cast<std::size_t>(chosen[r * kChosen + slot])];
    };
    const S a = std::exp(score(0));
    const S b = std::exp(score(1));
    S total = a + b;
    for (std::size_t e = 0; wrong("no_renormalise") && e < kExperts; ++e) {
      total += std::exp(scores[r * kExperts + e]);
    }
    mixing.push_back(a / total);
    mixing.push_back(b / total);
  }
  return mixing;
}

}  // namespace

template <class Scalar>
Capabilities Model<Scalar>::capabilities() const {
  const bool narrow = sizeof(Scalar) == sizeof(float);
  return {"toy", narrow ? "f32" : "f64", true, true, false};
}

template <class Scalar>
Status Model<Scalar>::run(const CaseInput& input, const RunOptions& options, TapListener& taps) {
  Run<Scalar>(input, options, behaviour_, taps).all();
  return {};
}

template class Model<float>;
template class Model<double>;

CaseInput prompt() {
  CaseInput input;
  for (std::size_t t = 0; t < kTokens; ++t) {
    input.ids.push_back(static_cast<std::int32_t>((7 * t + 3) % kVocabulary));
  }
  return input;
}

TapSet dump(Implementation& model, const Part& part, const RunOptions& options) {
  CollectingListener listener([&](const std::string& name) {
    const std::string leaf = tap_leaf(name);
    return (part.leaves.empty() || part.leaves.contains(leaf)) && !part.without.contains(leaf);
  });
  require_ok(model.run(prompt(), options, listener), "", "the toy");
  listener.check();
  return std::move(listener.taps());
}

std::set<std::string> names(const TapSet& taps) {
  std::set<std::string> result;
  for (const Tap& tap : taps) {
    result.insert(tap.name);
  }
  return result;
}

Part port_taps() {
  return {{"text.embed_scaled", "in", "attn.norm_in", "attn.q_proj", "attn.k_ctx", "attn.mix",
           "attn.residual", "moe.router_logits", "moe.topk_index", "moe.topk_weight", "moe.sum",
           "ffn.residual", "out", "text.final_norm", "text.logits"},
          {}};
}

}  // namespace assay::conformance::toy
