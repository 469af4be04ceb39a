// SPDX-License-Identifier: Apache-2.0
// Mistakes of the drafters: M-140 to M-156, and those of any decoder layer put into a drafter's.
#include <algorithm>
#include <cmath>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kStep = "mtp.step.{s}.";
const std::string kLayer = kStep + "layer.{j}.";

double root_of(const Scene& s) {
  return std::sqrt(static_cast<double>(s.config().text.hidden_size));
}

void add_input(Mutants& all) {
  all.push_back(mutant("M-140", kStep + "pre_proj", [](Scene& s, Tap& t) {
    Numbers both = s.tap("hidden_in").values;
    const Numbers& embed = s.tap("token_embed").values;
    both.insert(both.end(), embed.begin(), embed.end());
    t.values = linear(both, s.model_weight("pre_projection.weight"));
  }));
  all.push_back(mutant("M-142", kStep + "concat", [](Scene& s, Tap& t) {
    const std::size_t half = t.values.size() / 2;
    for (std::size_t d = 0; d < half; ++d) {
      t.values[d] /= root_of(s);
    }
  }));
  all.push_back(mutant("M-143", kStep + "hidden_in", [](Scene& s, Tap& t) {
    only(s.step() == 0);
    const std::size_t last = s.config().text.layers.size() - 1;
    const Tap& x = s.named("text.layer." + std::to_string(last) + ".out");
    t.values.assign(x.values.end() - static_cast<std::ptrdiff_t>(t.values.size()), x.values.end());
  }));
  all.push_back(mutant(
      "M-144", kStep + "hidden_in",
      [](Scene& s, Tap& t) {
        const Tap& x = s.named("text.final_norm");
        only(s.step() == 0 && x.shape[0] > 1);
        const auto width = static_cast<std::ptrdiff_t>(t.values.size());
        t.values.assign(x.values.end() - 2 * width, x.values.end() - width);
      },
      "the drafter gets the hidden state of the token before"));
  all.push_back(mutant(
      "M-142:hidden", kStep + "concat",
      [](Scene& s, Tap& t) {
        for (std::size_t d = t.values.size() / 2; d < t.values.size(); ++d) {
          t.values[d] *= root_of(s);
        }
      },
      "the hidden state is multiplied by sqrt(B), too"));
}

// Queries at another position: a drafter's tap names its step, and its target the prompt's length.
Formula query_at(const std::function<double(double position, double step)>& moved) {
  return [moved](Scene& s, Tap& t) {
    const Tap& q = s.tap("attn.q_norm");
    const RopeParameters& p = s.sliding() ? s.text().rope_sliding : s.text().rope_full;
    const std::size_t width = q.shape.back();
    const auto pairs =
        static_cast<std::size_t>(p.partial_rotary_factor * static_cast<double>(width / 2));
    const double at = moved(s.positions().back() + 1, static_cast<double>(s.step()));
    t.values = rotated(
        q.values, q.shape[0], q.shape[1], width, Pairs::kHalves, [&](std::size_t, std::size_t c) {
          return c < pairs ? at * std::pow(p.rope_theta, -2.0 * static_cast<double>(c) /
                                                             static_cast<double>(width))
                           : 0;
        });
  };
}

void add_layers(Mutants& all) {
  all.push_back(mutant("M-145", kLayer + "attn.q_rope",
                       query_at([](double position, double step) { return position + step; })));
  all.push_back(mutant("M-146", kLayer + "attn.q_rope",
                       query_at([](double position, double) { return position - 1; })));
  all.push_back(mutant("M-156", kLayer + "attn.probs", [](Scene& s, Tap& t) {
    only(s.sliding());
    t.values = softmax(s.tap("attn.scores").values, t.shape.back(),
                       [](std::size_t, std::size_t) { return true; });
  }));
}

std::vector<std::int64_t> ordering_of(const Scene& s) {
  return s.model().drafter_integers("masked_embedding.token_ordering");
}

using Place = std::function<std::size_t(std::size_t centroid, std::size_t i, std::size_t centroids,
                                        std::size_t cluster)>;

Formula candidates(const Place& place, bool inverse) {
  return [=](Scene& s, Tap& t) {
    auto order = ordering_of(s);
    if (inverse) {
      std::vector<std::int64_t> other(order.size());
      for (std::size_t i = 0; i < order.size(); ++i) {
        other.at(static_cast<std::size_t>(order[i])) = static_cast<std::int64_t>(i);
      }
      order = std::move(other);
    }
    const std::size_t centroids = s.model().drafter_config()->drafter->num_centroids;
    const std::size_t cluster = order.size() / centroids;
    const Tap& best = s.tap("centroid_index");
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      const auto centroid = static_cast<std::size_t>(best.values[i / cluster]);
      t.values[i] = static_cast<double>(order.at(place(centroid, i % cluster, centroids, cluster)));
    }
  };
}

void add_output(Mutants& all) {
  all.push_back(mutant("M-150", kStep + "candidate_ids",
                       candidates([](auto c, auto i, auto n, auto) { return i * n + c; }, false)));
  all.push_back(mutant("M-151", kStep + "candidate_ids",
                       candidates([](auto c, auto i, auto, auto w) { return c * w + i; }, true)));
  all.push_back(mutant("M-153", kStep + "logits", [](Scene& s, Tap& t) {
    only(s.config().text.final_logit_softcapping.has_value());
    const double cap = *s.config().text.final_logit_softcapping;
    t.values = map(t.values, [cap](double x) { return capped(x, cap); });
  }));
  all.push_back(mutant(
      "MECH-no-norm:mtp.norm", kStep + "norm",
      [](Scene& s, Tap& t) {
        const std::size_t last = s.model().drafter_config()->text.layers.size() - 1;
        t.values = s.tap("layer." + std::to_string(last) + ".out").values;
      },
      "the drafter's final norm is left out"));
}

}  // namespace

Mutants drafter_mutants() {
  Mutants all;
  add_input(all);
  add_layers(all);
  add_output(all);
  return all;
}

Mutants in_drafter(const Mutants& of_layers) {
  static const std::vector<std::string> kTaps = {
      "attn.norm_in",   "attn.q_norm",   "attn.scores",  "attn.o_proj",
      "attn.post_norm", "attn.residual", "ffn.norm_in",  "ffn.act",
      "ffn.mul",        "ffn.post_norm", "ffn.residual", "attn.q_proj",
      "ffn.gate",       "ffn.up",        "ffn.down",     "out"};
  const std::string text = "text.layer.{i}.";
  Mutants all;
  for (const Mutant& base : of_layers) {
    const auto in_both = [&](const Rewrite& rewrite) {
      return rewrite.tap.starts_with(text) &&
             std::ranges::find(kTaps, rewrite.tap.substr(text.size())) != kTaps.end();
    };
    // A drafter has one row, no experts and no per-layer inputs; and its rows are too large on the
    // committed cases for an eps outside the root, or none, to show.
    const bool nothing_there = base.label.starts_with("MECH-stale-row") || base.label == "M-124" ||
                               base.label == "M-10" || base.label.starts_with("M-02") ||
                               base.label.starts_with("M-03:eps=0");
    if (!std::ranges::all_of(base.rewrites, in_both) || !base.hidden.empty() || nothing_there) {
      continue;
    }
    Mutant one = base;
    one.label += one.label.find(':') == std::string::npos ? ":drafter" : ",drafter";
    one.what = describe(base) + ", in the drafter";
    one.expected = kLayer + base.expected.substr(text.size());
    for (Rewrite& rewrite : one.rewrites) {
      rewrite.tap = kLayer + rewrite.tap.substr(text.size());
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace assay::conformance
