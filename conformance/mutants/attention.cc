// SPDX-License-Identifier: Apache-2.0
// Mistakes of attention but for its masks: M-60 to M-64, M-79 to M-90, M-134.
#include <cmath>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"
#include "reference/family/checkpoint/container.h"

namespace assay::conformance {
namespace {

const std::string kLayer = "text.layer.{i}.";
const std::string kAttn = kLayer + "attn.";

Formula scores_by(const std::function<double(const Scene&)>& factor) {
  return [=](Scene& s, Tap& tap) { tap.values = scaled(tap.values, factor(s)); };
}

// q . k with another key head for each query head.
Formula scores_with_heads(
    const std::function<std::size_t(std::size_t head, std::size_t heads, std::size_t keys)>& key) {
  return [=](Scene& s, Tap& tap) {
    const Tap& q = s.tap("attn.q_rope");
    const Tap& k = s.tap("attn.k_ctx");
    const std::size_t heads = q.shape[1];
    const std::size_t key_heads = k.shape[1];
    const std::size_t width = q.shape[2];
    only(key_heads > 1);
    const std::size_t keys = k.shape[0];
    for (std::size_t row = 0; row < q.shape[0] * heads; ++row) {
      const std::size_t of = key(row % heads, heads, key_heads);
      for (std::size_t j = 0; j < keys; ++j) {
        double sum = 0;
        for (std::size_t d = 0; d < width; ++d) {
          sum += q.values[row * width + d] * k.values[(j * key_heads + of) * width + d];
        }
        tap.values[row * keys + j] = sum;
      }
    }
  };
}

void add_scores(Mutants& all) {
  const std::string tap = kAttn + "scores";
  all.push_back(mutant("M-60", tap, scores_by([](const Scene& s) {
                         return 1 / std::sqrt(static_cast<double>(s.layer_config().head_dim));
                       })));
  all.push_back(mutant("M-61", tap, scores_by([](const Scene&) { return 1.0 / 16; }),
                       "scores are scaled by 256^(-1/2), the query_pre_attn_scalar of Gemma 3"));
  all.push_back(
      mutant("M-61:width/heads", tap, scores_by([](const Scene& s) {
               return 1 / std::sqrt(static_cast<double>(s.text().hidden_size) /
                                    static_cast<double>(s.text().num_attention_heads));
             }),
             "scores are scaled by (D / Hq)^(-1/2), the query_pre_attn_scalar of Gemma 3 27B"));
  all.push_back(mutant("M-60:twice", tap, scores_by([](const Scene& s) {
                         return std::sqrt(static_cast<double>(s.layer_config().head_dim));
                       }),
                       "scores are multiplied by sqrt(hd)"));
  for (const Layers kind : {Layers::kSliding, Layers::kFull}) {
    const std::string name = kind == Layers::kSliding ? "sliding" : "full";
    all.push_back(mutant("M-60:" + name, tap, scores_by([](const Scene& s) {
                           return 1 / std::sqrt(static_cast<double>(s.layer_config().head_dim));
                         }),
                         "scores of " + name + " layers are multiplied by 1/sqrt(hd)", kind));
  }
  for (const double cap : {50.0, 30.0}) {
    const bool usual = cap == 50;
    all.push_back(mutant(
        usual ? "M-62" : "M-62:cap=30", tap,
        [cap](Scene&, Tap& t) {
          t.values = map(t.values, [cap](double x) { return capped(x, cap); });
        },
        usual ? "" : "scores are capped at 30"));
  }
  all.push_back(
      mutant("M-63", tap, scores_with_heads([](auto h, auto, auto keys) { return h % keys; })));
  all.push_back(mutant("M-63:first", tap,
                       scores_with_heads([](auto, auto, auto) { return std::size_t{0}; }),
                       "every query head reads the first key head"));
  all.push_back(mutant("M-63:reversed", tap, scores_with_heads([](auto h, auto n, auto keys) {
                         return keys - 1 - h / (n / keys);
                       }),
                       "query heads read the key heads in reversed order"));
}

// sum of probs v, query head h with the values of head h mod Hkv.
void mix_of_other_heads(Scene& s, Tap& tap) {
  const Tap& probs = s.tap("attn.probs");
  const Tap& v = s.tap("attn.v_ctx");
  const std::size_t heads = tap.shape[1];
  const std::size_t width = tap.shape[2];
  const std::size_t keys = v.shape[0];
  const std::size_t value_heads = v.shape[1];
  only(value_heads > 1);
  for (std::size_t row = 0; row < tap.shape[0] * heads; ++row) {
    const std::size_t of = row % heads % value_heads;
    for (std::size_t d = 0; d < width; ++d) {
      double sum = 0;
      for (std::size_t j = 0; j < keys; ++j) {
        sum += probs.values[row * keys + j] * v.values[(j * value_heads + of) * width + d];
      }
      tap.values[row * width + d] = sum;
    }
  }
}

void add_mix(Mutants& all) {
  all.push_back(mutant("M-63:values", kAttn + "mix", mix_of_other_heads,
                       "query head h reads value head h mod Hkv"));
  Mutant both = mutant("M-63:both", kAttn + "scores",
                       scores_with_heads([](auto h, auto, auto keys) { return h % keys; }),
                       "query head h reads key and value head h mod Hkv");
  both.rewrites.push_back({kAttn + "mix", mix_of_other_heads});
  all.push_back(std::move(both));
  all.push_back(mutant("M-64", kAttn + "o_proj", [](Scene& s, Tap& tap) {
    const Tap& mix = s.tap("attn.mix");
    Numbers laid(mix.values.size());
    const std::size_t heads = mix.shape[1];
    const std::size_t width = mix.shape[2];
    for (std::size_t t = 0; t < mix.shape[0]; ++t) {
      for (std::size_t n = 0; n < heads; ++n) {
        for (std::size_t d = 0; d < width; ++d) {
          laid[(t * width + d) * heads + n] = mix.values[(t * heads + n) * width + d];
        }
      }
    }
    tap.values = linear(laid, s.weight("self_attn.o_proj.weight"));
  }));
}

Formula value_from(const std::string& tap, Layers kind) {
  return [=](Scene& s, Tap& t) {
    only(kind == Layers::kFull ? s.layer_config().k_eq_v : !s.layer_config().k_eq_v);
    t.values = rms_norm(s.tap(tap).values, t.shape.back(), {}, {s.text().rms_norm_eps});
  };
}

void add_values(Mutants& all) {
  const std::string v_norm = kAttn + "v_norm";
  all.push_back(mutant("M-79", v_norm, value_from("attn.k_norm", Layers::kFull)));
  all.push_back(mutant("M-80", v_norm, value_from("attn.k_rope", Layers::kFull)));
  all.push_back(mutant("M-81", v_norm, [](Scene& s, Tap& t) {
    only(s.sliding());
    bool some_share = false;
    for (const LayerConfig& layer : s.text().layers) {
      some_share = some_share || layer.k_eq_v;
    }
    only(some_share);
    t.values = rms_norm(s.tap("attn.k_proj").values, t.shape.back(), {}, {s.text().rms_norm_eps});
  }));
  all.push_back(mutant("M-134", kAttn + "q_proj", [](Scene&, Tap& tap) {
    const std::size_t heads = tap.shape[1];
    const std::size_t width = tap.shape[2];
    const Numbers from = tap.values;
    for (std::size_t t = 0; t < tap.shape[0]; ++t) {
      for (std::size_t n = 0; n < heads; ++n) {
        for (std::size_t d = 0; d < width; ++d) {
          tap.values[(t * heads + n) * width + d] = from[t * heads * width + d * heads + n];
        }
      }
    }
  }));
  for (const auto& [name, tap] : {std::pair{"k_proj", "v_proj"}, {"v_proj", "k_proj"}}) {
    const std::string weight = std::string("self_attn.") + tap + ".weight";
    all.push_back(mutant(
        std::string("MECH-swapped:") + name, kAttn + name,
        [weight](Scene& s, Tap& t) {
          only(!s.layer_config().k_eq_v);
          t.values = linear(s.tap("attn.norm_in").values, s.weight(weight));
        },
        std::string(name) + " is made with the weight of " + tap));
  }
}

// Keys and values that a sharing layer's file still holds, read as the file has them.
Matrix stored_matrix(const Scene& s, const std::string& name) {
  const auto path = std::filesystem::path(s.model().path()) / "model.safetensors";
  if (!std::filesystem::exists(path)) {
    throw NotHere();
  }
  const Container file = Container::open(path);
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name == s.config().weight_prefix + name) {
      Matrix matrix{tensor.shape, Numbers(tensor.elements)};
      std::vector<float> values(tensor.elements);
      widen(tensor.dtype, file.bytes(tensor), 0, values.size(), values.data());
      matrix.values.assign(values.begin(), values.end());
      return matrix;
    }
  }
  throw NotHere();
}

bool shares(const Scene& s) {
  return s.text().shares_kv(s.layer());
}

// The keys or values that layer `from` keeps, where they fit this layer's.
void take_context(const Scene& s, std::size_t from, const std::string& leaf, Tap& tap) {
  const Tap& other = s.named("text.layer." + std::to_string(from) + ".attn." + leaf);
  only(other.shape == tap.shape && from != s.layer_config().kv_source);
  tap.values = other.values;
}

Mutant sharing_mutant(const std::string& label, const std::string& what,
                      const std::function<void(const Scene&, const std::string&, Tap&)>& change,
                      const std::vector<std::string>& leaves = {"k_ctx", "v_ctx"}) {
  Mutant all{label, what, {}, kAttn + leaves.front(), {kAttn + "kv_source"}};
  for (const std::string& leaf : leaves) {
    all.rewrites.push_back({kAttn + leaf, [=](Scene& s, Tap& tap) {
                              only(shares(s));
                              change(s, leaf, tap);
                            }});
  }
  return all;
}

// A weight of the layer's own where its file still holds one, else that of the layer it shares
// with.
Matrix own_or_source(const Scene& s, const std::string& name) {
  try {
    return stored_matrix(s, "layers." + std::to_string(s.layer()) + "." + name);
  } catch (const NotHere&) {
    return s.layer_weight(s.layer_config().kv_source, name);
  }
}

void own_context(const Scene& s, const std::string& leaf, Tap& tap) {
  const std::string name = leaf == "k_ctx" ? "k" : "v";
  const Numbers raw =
      linear(s.tap("attn.norm_in").values, own_or_source(s, "self_attn." + name + "_proj.weight"));
  const std::size_t width = tap.shape.back();
  const double eps = s.text().rms_norm_eps;
  if (name == "v") {
    tap.values = rms_norm(raw, width, {}, {eps});
    return;
  }
  const Numbers k = rms_norm(raw, width, own_or_source(s, "self_attn.k_norm.weight").values, {eps});
  const std::string kind = s.sliding() ? "local" : "global";
  const Tap& cosine = s.named("text.rope." + kind + ".cos");
  const Tap& sine = s.named("text.rope." + kind + ".sin");
  tap.values = rotated(k, tap.shape[0], tap.shape[1], width, Pairs::kHalves,
                       [&](std::size_t t, std::size_t c) {
                         const std::size_t at = t * (width / 2) + c;
                         return std::atan2(sine.values[at], cosine.values[at]);
                       });
}

void add_sharing(Mutants& all) {
  all.push_back(sharing_mutant("M-83", "", own_context));
  all.push_back(sharing_mutant("M-84", "", [](const Scene& s, const std::string& leaf, Tap& tap) {
    std::size_t first = 0;
    while (s.text().layers[first].kind != s.layer_config().kind) {
      ++first;
    }
    take_context(s, first, leaf, tap);
  }));
  all.push_back(sharing_mutant("M-86", "",
                               [](const Scene& s, const std::string&, Tap& tap) {
                                 const std::string kind = s.sliding() ? "local" : "global";
                                 const Tap& cosine = s.named("text.rope." + kind + ".cos");
                                 const Tap& sine = s.named("text.rope." + kind + ".sin");
                                 const std::size_t width = tap.shape.back();
                                 tap.values = rotated(
                                     tap.values, tap.shape[0], tap.shape[1], width, Pairs::kHalves,
                                     [&](std::size_t t, std::size_t c) {
                                       const std::size_t at = t * (width / 2) + c;
                                       return std::atan2(sine.values[at], cosine.values[at]);
                                     });
                               },
                               {"k_ctx"}));
}

}  // namespace

Mutants attention_mutants() {
  Mutants all;
  add_scores(all);
  add_mix(all);
  add_values(all);
  add_sharing(all);
  return all;
}

}  // namespace assay::conformance
