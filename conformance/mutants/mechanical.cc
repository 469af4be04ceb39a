// SPDX-License-Identifier: Apache-2.0
// Slips that no catalogue foresees (mechanical operators): of a matrix product, one weight, one
// output, one row; of a block, its residual; of softmax, its exp.
#include <algorithm>
#include <cmath>

#include "conformance/catalogue/roles.h"
#include "conformance/mutants/families.h"
#include "conformance/mutants/places.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kLayer = "text.layer.{i}.";

using Slip = std::function<void(Matrix&)>;

void add_products(Mutants& all) {
  const std::vector<std::pair<std::string, Slip>> slips = {
      {"one-weight", [](Matrix& w) { w.values[w.values.size() / 2] *= 1 + 0x1p-7; }},
      {"last-k",
       [](Matrix& w) {
         for (std::size_t r = 0; r < w.rows(); ++r) {
           w.values[(r + 1) * w.cols() - 1] = 0;
         }
       }},
      {"two-rows",
       [](Matrix& w) {
         for (std::size_t i = 0; i < w.cols(); ++i) {
           std::swap(w.values[i], w.values[w.cols() + i]);
         }
       }},
      {"bf16-weights", [](Matrix& w) { w.values = map(w.values, to_bf16); }}};
  const std::vector<std::string> words = {
      "one weight is off by 2^-7", "the last term of each sum is dropped",
      "two adjacent rows are swapped", "weights are rounded to bf16"};
  for (const Place& product : decoder_products()) {
    for (std::size_t k = 0; k < slips.size(); ++k) {
      const auto& [name, slip] = slips[k];
      const Layers where = k == 0   ? Layers::kMiddle
                           : k == 1 ? Layers::kAll
                           : k == 2 ? Layers::kLast
                                    : Layers::kAll;
      all.push_back(mutant(
          "MECH-" + name + ":" + product.tap, kLayer + product.tap,
          [product, slip = slip](Scene& s, Tap& t) {
            Matrix w = s.weight(product.weight);
            slip(w);
            t.values = linear(s.tap(product.input).values, w);
          },
          words[k] + " at " + product.tap, where));
    }
  }
}

void add_elements(Mutants& all) {
  for (const char* tap : {"attn.q_proj", "attn.mix", "attn.o_proj", "ffn.mul", "ffn.down", "out"}) {
    const std::string at = kLayer + tap;
    all.push_back(mutant(
        std::string("MECH-one-element:") + tap, at,
        [](Scene&, Tap& t) { t.values[t.values.size() / 2] *= 1.01; },
        std::string("one element is off by 1 % at ") + tap, Layers::kMiddle));
    all.push_back(mutant(
        std::string("MECH-bf16-store:") + tap, at,
        [](Scene&, Tap& t) { t.values = map(t.values, to_bf16); },
        std::string("values are stored as bf16 at ") + tap));
    all.push_back(mutant(
        std::string("MECH-stale-row:") + tap, at,
        [](Scene&, Tap& t) {
          const std::size_t width = t.values.size() / t.shape[0];
          if (t.shape[0] < 2) {
            throw NotHere();
          }
          std::copy_n(t.values.end() - static_cast<std::ptrdiff_t>(2 * width), width,
                      t.values.end() - static_cast<std::ptrdiff_t>(width));
        },
        std::string("the last row is the one before it at ") + tap, Layers::kFirst));
    all.push_back(mutant(
        std::string("MECH-last-column:") + tap, at,
        [](Scene&, Tap& t) {
          const std::size_t width = t.shape.back();
          for (std::size_t i = width - 1; i < t.values.size(); i += width) {
            t.values[i] = 0;
          }
        },
        std::string("the last column is 0 at ") + tap, Layers::kLast));
  }
}

void add_residuals(Mutants& all) {
  const auto leave_out = [&](const std::string& tap, const std::string& keep,
                             const std::string& what) {
    all.push_back(mutant(
        "MECH-no-residual:" + tap, kLayer + tap,
        [keep](Scene& s, Tap& t) { t.values = s.tap(keep).values; }, what));
  };
  leave_out("attn.residual", "attn.post_norm", "the residual is not added after attention");
  leave_out("ffn.residual", "ffn.post_norm", "the residual is not added after the feed-forward");
  all.push_back(mutant(
      "MECH-no-residual:ffn.skips", kLayer + "ffn.residual",
      [](Scene& s, Tap& t) { t.values = added(s.tap("in").values, s.tap("ffn.post_norm").values); },
      "the feed-forward is added to the layer's input"));
  all.push_back(mutant(
      "MECH-twice:attn.residual", kLayer + "attn.residual",
      [](Scene& s, Tap& t) { t.values = added(t.values, s.tap("in").values); },
      "the residual is added twice"));
}

void add_softmax(Mutants& all) {
  const std::string probs = kLayer + "attn.probs";
  all.push_back(mutant(
      "MECH-exp-ripple", probs,
      [](Scene&, Tap& t) {
        const std::size_t width = t.shape.back();
        for (std::size_t start = 0; start + width <= t.values.size(); start += width) {
          double sum = 0;
          for (std::size_t j = 0; j < width; ++j) {
            double& p = t.values[start + j];
            p *= 1 + 1e-4 * std::sin(37 * std::log(std::max(p, 1e-300)));
            sum += p;
          }
          for (std::size_t j = 0; sum > 0 && j < width; ++j) {
            t.values[start + j] /= sum;
          }
        }
      },
      "exp has a relative ripple of 1e-4"));
  all.push_back(mutant(
      "MECH-sink", probs,
      [](Scene& s, Tap& t) {
        const Tap& scores = s.tap("attn.scores");
        const std::size_t width = t.shape.back();
        for (std::size_t start = 0; start + width <= t.values.size(); start += width) {
          double sum = 1;  // exp(0) of a sink
          for (std::size_t j = 0; j < width; ++j) {
            sum += t.values[start + j] > 0 ? std::exp(scores.values[start + j]) : 0;
          }
          for (std::size_t j = 0; j < width; ++j) {
            t.values[start + j] =
                t.values[start + j] > 0 ? std::exp(scores.values[start + j]) / sum : 0;
          }
        }
      },
      "softmax has a sink: 1 is added to its sum"));
  for (const auto& [name, narrow] : {std::pair{"bf16", &to_bf16}, {"f16", &to_f16}}) {
    for (const char* tap : {"attn.k_ctx", "attn.v_ctx"}) {
      all.push_back(mutant(
          "MECH-" + std::string(name) + "-cache:" + tap, kLayer + tap,
          [narrow = narrow](Scene&, Tap& t) { t.values = map(t.values, narrow); },
          std::string("the cache holds ") + name + " at " + tap));
    }
  }
}

}  // namespace

Mutants mechanical_mutants() {
  Mutants all;
  add_products(all);
  add_elements(all);
  add_residuals(all);
  add_softmax(all);
  return all;
}

}  // namespace assay::conformance
