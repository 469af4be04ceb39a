// SPDX-License-Identifier: Apache-2.0
// Mistakes of norms and layer scalars: M-01 to M-17, and those of the norms before and after the
// experts. Each way of being wrong is tried at every place that has a norm.
#include <cmath>

#include "conformance/mutants/families.h"
#include "conformance/mutants/places.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kLayer = "text.layer.{i}.";

Formula norm_with(const Place& place, double eps, double offset, EpsPlace where) {
  return [=](Scene& s, Tap& tap) {
    const double usual = s.text().rms_norm_eps;
    tap.values =
        norm_at(s, place, norm_input(s, place), tap, {eps < 0 ? usual : eps, offset, where, false});
  };
}

// M-01 to M-03 at each place; LayerNorm for RMSNorm.
void add_forms(Mutants& all) {
  for (const Place& place : decoder_norms()) {
    const std::string tap = kLayer + place.tap;
    const auto add = [&](const std::string& label, Formula formula, const std::string& what) {
      all.push_back(mutant(label + ":" + place.tap, tap, std::move(formula), what + place.tap));
    };
    if (!place.weight.empty()) {
      add("M-01", norm_with(place, -1, 1, EpsPlace::kInside), "RMSNorm multiplies by 1 + w at ");
    }
    add("M-02", norm_with(place, -1, 0, EpsPlace::kOutside), "eps is added outside the root at ");
    add("M-03", norm_with(place, 1e-5, 0, EpsPlace::kInside), "eps is 1e-5 at ");
    all.push_back(mutant("M-03:eps=0," + place.tap, tap, norm_with(place, 0, 0, EpsPlace::kInside),
                         "eps is 0 at " + place.tap));
    all.push_back(mutant(
        "MECH-layer-norm:" + place.tap, tap,
        [place](Scene& s, Tap& t) {
          t.values = norm_at(s, place, norm_input(s, place), t,
                             {s.text().rms_norm_eps, 0, EpsPlace::kInside, true});
        },
        "LayerNorm stands in for RMSNorm at " + place.tap));
  }
}

// The norm is left out: what goes in comes out.
Formula left_out(const std::string& tap) {
  for (const Place& place : decoder_norms()) {
    if (place.tap == tap) {
      return [place](Scene& s, Tap& t) { t.values = norm_input(s, place).values; };
    }
  }
  return {};
}

Formula with_weight_of(const std::string& tap, const std::string& weight) {
  for (const Place& place : decoder_norms()) {
    if (place.tap == tap) {
      Place other = place;
      other.weight = weight;
      return norm_with(other, -1, 0, EpsPlace::kInside);
    }
  }
  return {};
}

// Queries or keys of a token normalised together: one mean square over all heads.
Formula over_all_heads(const std::string& input, const std::string& weight) {
  return [=](Scene& s, Tap& tap) {
    const std::size_t width = tap.shape.back();
    const std::size_t heads = tap.shape[tap.shape.size() - 2];
    if (heads < 2) {
      throw NotHere();
    }
    tap.values = rms_norm(s.tap(input).values, width * heads, {}, {s.text().rms_norm_eps});
    const Matrix& w = s.weight(weight);
    for (std::size_t i = 0; i < tap.values.size(); ++i) {
      tap.values[i] *= w.values[i % width];
    }
  };
}

bool sparse(const Scene& s) {
  return s.has("moe.combined");
}

void add_missing(Mutants& all) {
  all.push_back(mutant("M-04", kLayer + "attn.post_norm", left_out("attn.post_norm")));
  all.push_back(mutant("M-06", kLayer + "ffn.post_norm", [](Scene& s, Tap& tap) {
    tap.values = s.tap(sparse(s) ? "moe.combined" : "ffn.down").values;
  }));
  all.push_back(mutant("M-124", kLayer + "ffn.post_norm", [](Scene& s, Tap& tap) {
    only(sparse(s));
    tap.values = s.tap("moe.combined").values;
  }));
  all.push_back(mutant("M-12", kLayer + "attn.v_norm", left_out("attn.v_norm")));
  all.push_back(mutant("M-14", kLayer + "attn.q_norm", left_out("attn.q_norm")));
  all.push_back(mutant("M-14:keys", kLayer + "attn.k_norm", left_out("attn.k_norm"),
                       "keys are not normalised"));
  all.push_back(mutant("M-39", kLayer + "ple.norm", left_out("ple.norm")));
  for (const char* tap : {"attn.norm_in", "ffn.norm_in", "moe.dense_norm", "moe.norm_in",
                          "moe.norm_out", "moe.router_norm"}) {
    all.push_back(mutant(std::string("MECH-no-norm:") + tap, kLayer + tap, left_out(tap),
                         std::string("the norm is left out at ") + tap));
  }
  all.push_back(mutant("M-11", "text.final_norm", [](Scene& s, Tap& tap) {
    const std::size_t last = s.config().text.layers.size() - 1;
    tap.values = s.named("text.layer." + std::to_string(last) + ".out").values;
  }));
}

// The final norm has a place of its own, below no layer.
void add_final(Mutants& all) {
  const auto final_norm = [](double eps, double offset, EpsPlace where) {
    return [=](Scene& s, Tap& tap) {
      const std::size_t last = s.config().text.layers.size() - 1;
      const Tap& x = s.named("text.layer." + std::to_string(last) + ".out");
      const double usual = s.text().rms_norm_eps;
      tap.values = rms_norm(x.values, tap.shape.back(), s.model_weight("norm.weight").values,
                            {eps < 0 ? usual : eps, offset, where});
    };
  };
  const std::string tap = "text.final_norm";
  all.push_back(mutant("M-01:final_norm", tap, final_norm(-1, 1, EpsPlace::kInside),
                       "the final RMSNorm multiplies by 1 + w"));
  all.push_back(mutant("M-02:final_norm", tap, final_norm(-1, 0, EpsPlace::kOutside),
                       "eps is added outside the root of the final norm"));
  all.push_back(mutant("M-03:final_norm", tap, final_norm(1e-5, 0, EpsPlace::kInside),
                       "eps is 1e-5 in the final norm"));
}

void add_wrong_weights(Mutants& all) {
  all.push_back(mutant("M-13", kLayer + "attn.v_norm",
                       with_weight_of("attn.v_norm", "self_attn.k_norm.weight")));
  all.push_back(mutant("M-15", kLayer + "attn.q_norm",
                       over_all_heads("attn.q_proj", "self_attn.q_norm.weight"),
                       "queries are normalised over all heads at once"));
  all.push_back(mutant("M-15:keys", kLayer + "attn.k_norm",
                       over_all_heads("attn.k_proj", "self_attn.k_norm.weight"),
                       "keys are normalised over all heads at once"));
  Mutant swapped = mutant("M-16", kLayer + "attn.q_norm",
                          with_weight_of("attn.q_norm", "self_attn.k_norm.weight"));
  swapped.rewrites.push_back(
      {kLayer + "attn.k_norm", with_weight_of("attn.k_norm", "self_attn.q_norm.weight")});
  all.push_back(std::move(swapped));
  Mutant llama = mutant("M-07", kLayer + "attn.post_norm", left_out("attn.post_norm"));
  llama.rewrites.push_back(
      {kLayer + "ffn.norm_in", with_weight_of("ffn.norm_in", "post_attention_layernorm.weight")});
  all.push_back(std::move(llama));
  all.push_back(mutant("M-07:weight", kLayer + "ffn.norm_in",
                       with_weight_of("ffn.norm_in", "post_attention_layernorm.weight"),
                       "the norm before the feed-forward has the weight of the one after "
                       "attention"));
  all.push_back(mutant("M-05", kLayer + "attn.residual", [](Scene& s, Tap& tap) {
    tap.values =
        rms_norm(added(s.tap("in").values, s.tap("attn.o_proj").values), tap.shape.back(),
                 s.weight("post_attention_layernorm.weight").values, {s.text().rms_norm_eps});
  }));
  all.push_back(mutant(
      "M-05:ffn", kLayer + "ffn.residual",
      [](Scene& s, Tap& tap) {
        const Tap& branch = s.has("moe.combined") ? s.tap("moe.combined") : s.tap("ffn.down");
        tap.values =
            rms_norm(added(s.tap("attn.residual").values, branch.values), tap.shape.back(),
                     s.weight("post_feedforward_layernorm.weight").values, {s.text().rms_norm_eps});
      },
      "the norm after the feed-forward comes after the addition"));
}

// What the layer scalar multiplies.
const Tap& before_scalar(const Scene& s) {
  return s.has("ple.residual") ? s.tap("ple.residual") : s.tap("ffn.residual");
}

double scalar(const Scene& s, std::size_t layer) {
  return s.layer_weight(layer, "layer_scalar").values.at(0);
}

void add_scalars(Mutants& all) {
  const std::string out = kLayer + "out";
  all.push_back(
      mutant("M-08", out, [](Scene& s, Tap& tap) { tap.values = before_scalar(s).values; }));
  all.push_back(mutant("M-09", out, [](Scene& s, Tap& tap) {
    const double by = scalar(s, s.layer());
    tap.values = map2(before_scalar(s).values, s.tap("in").values,
                      [by](double y, double x) { return x + by * (y - x); });
  }));
  all.push_back(mutant("M-10", out, [](Scene& s, Tap& tap) {
    tap.values =
        added(scaled(s.tap("ffn.residual").values, scalar(s, s.layer())), s.tap("ple.norm").values);
  }));
  all.push_back(mutant("M-17", out, [](Scene& s, Tap& tap) {
    only(s.layer() + 1 < s.text().layers.size());
    tap.values = scaled(before_scalar(s).values, scalar(s, s.layer() + 1));
  }));
  all.push_back(mutant(
      "M-08:twice", out,
      [](Scene& s, Tap& tap) { tap.values = scaled(tap.values, scalar(s, s.layer())); },
      "the layer scalar multiplies twice"));
  all.push_back(mutant(
      "M-08:inverse", out,
      [](Scene& s, Tap& tap) {
        tap.values = scaled(before_scalar(s).values, 1 / scalar(s, s.layer()));
      },
      "the layer scalar divides"));
}

}  // namespace

Mutants norm_mutants() {
  Mutants all;
  add_forms(all);
  add_final(all);
  add_missing(all);
  add_wrong_weights(all);
  add_scalars(all);
  return all;
}

}  // namespace assay::conformance
