// SPDX-License-Identifier: Apache-2.0
// Mistakes of embeddings and per-layer inputs: M-20 to M-40, M-135, and X3 to X8, which say the
// same of merging.
#include <cmath>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kPle = "text.layer.{i}.ple.";

double root_width(const Scene& s) {
  return std::sqrt(static_cast<double>(s.config().text.hidden_size));
}

double root_ple(const Scene& s) {
  return std::sqrt(static_cast<double>(s.config().text.hidden_size_per_layer_input));
}

// Runs `change` on the values of each token that is a placeholder.
template <class Change>
void at_soft_tokens(const Scene& s, Tap& tap, const Change& change) {
  const auto types = s.types();
  only(tap.shape[0] == types.size());
  const std::size_t width = tap.values.size() / types.size();
  for (std::size_t t = 0; t < types.size(); ++t) {
    if (types[t] != 0) {
      change(t, std::span<double>(tap.values.data() + t * width, width));
    }
  }
}

void add_scales(Mutants& all) {
  all.push_back(mutant("M-20", "text.embed_scaled",
                       [](Scene& s, Tap& tap) { tap.values = s.named("text.embed_rows").values; }));
  all.push_back(mutant("M-21", "text.embed_scaled", [](Scene& s, Tap& tap) {
    tap.values = scaled(s.named("text.embed_rows").values, to_bf16(root_width(s)));
  }));
  all.push_back(mutant("M-22", "text.embed", [](Scene& s, Tap& tap) {
    at_soft_tokens(s, tap, [&](std::size_t, std::span<double> row) {
      for (double& value : row) {
        value *= root_width(s);
      }
    });
  }));
  all.push_back(mutant("X4", "text.embed", [](Scene& s, Tap& tap) {
    const Tap& rows = s.named("text.embed_scaled");
    at_soft_tokens(s, tap, [&](std::size_t t, std::span<double> row) {
      for (std::size_t d = 0; d < row.size(); ++d) {
        row[d] += rows.values[t * row.size() + d];
      }
    });
  }));
  all.push_back(mutant("M-135", "text.embed_rows",
                       [](Scene&, Tap& tap) { tap.values = map(tap.values, to_f16); }));
  all.push_back(mutant(
      "MECH-id-plus-one", "text.embed_rows",
      [](Scene& s, Tap& tap) {
        const Matrix& table = s.model_weight("embed_tokens.weight");
        const Tap& ids = s.named("text.ids");
        const std::size_t width = tap.shape.back();
        for (std::size_t t = 0; t < ids.values.size(); ++t) {
          const auto row = table.row((static_cast<std::size_t>(ids.values[t]) + 1) % table.rows());
          std::copy(row.begin(), row.end(),
                    tap.values.begin() + static_cast<std::ptrdiff_t>(t * width));
        }
      },
      "the embedding table is read one row too far"));
  all.push_back(mutant("X5", "text.embed", [](Scene& s, Tap& tap) {
    const auto blocks = s.blocks();
    std::vector<std::size_t> first;
    std::vector<std::size_t> second;
    for (std::size_t t = 0; t < blocks.size(); ++t) {
      if (blocks[t] == 0) {
        first.push_back(t);
      } else if (blocks[t] == 1) {
        second.push_back(t);
      }
    }
    only(!first.empty() && !second.empty());
    const std::size_t width = tap.shape.back();
    for (std::size_t r = 0; r < std::min(first.size(), second.size()); ++r) {
      for (std::size_t d = 0; d < width; ++d) {
        std::swap(tap.values[first[r] * width + d], tap.values[second[r] * width + d]);
      }
    }
  }));
}

// Row `id` of the per-layer table, scaled as it is.
void look_up(const Scene& s, std::int32_t id, double factor, std::span<double> row) {
  const Matrix& table = s.model_weight("embed_tokens_per_layer.weight");
  only(id >= 0 && static_cast<std::size_t>(id) < table.rows() && table.cols() == row.size());
  const auto from = table.row(static_cast<std::size_t>(id));
  for (std::size_t d = 0; d < row.size(); ++d) {
    row[d] = from[d] * factor;
  }
}

// The text tokens next to a placeholder look up `id`.
void look_up_beside_media(Scene& s, Tap& tap, std::int32_t id) {
  const auto types = s.types();
  const std::size_t width = tap.values.size() / types.size();
  for (std::size_t t = 0; t < types.size(); ++t) {
    const bool beside = (t > 0 && types[t - 1] != 0) || (t + 1 < types.size() && types[t + 1] != 0);
    if (types[t] == 0 && beside) {
      look_up(s, id, root_ple(s), {tap.values.data() + t * width, width});
    }
  }
}

void add_token_part(Mutants& all) {
  const std::string token = "text.ple.token";
  all.push_back(mutant("M-24", token, [](Scene& s, Tap& tap) {
    at_soft_tokens(s, tap, [&](std::size_t t, std::span<double> row) {
      look_up(s, s.input().ids.at(t), root_ple(s), row);
    });
  }));
  all.push_back(mutant("M-25", token, [](Scene& s, Tap& tap) {
    at_soft_tokens(
        s, tap, [](std::size_t, std::span<double> row) { std::fill(row.begin(), row.end(), 0.0); });
  }));
  all.push_back(mutant("M-26", token, [](Scene& s, Tap& tap) {
    at_soft_tokens(s, tap, [&](std::size_t, std::span<double> row) {
      look_up(s, s.config().text.special.pad, 1, row);
    });
  }));
  all.push_back(mutant("M-28", token, [](Scene& s, Tap& tap) {
    look_up_beside_media(s, tap, s.config().text.special.pad);
  }));
  all.push_back(mutant("X8", token, [](Scene& s, Tap& tap) { look_up_beside_media(s, tap, 0); }));
  all.push_back(mutant(
      "M-29", token, [](Scene& s, Tap& tap) { tap.values = scaled(tap.values, 1 / root_ple(s)); }));
  all.push_back(mutant(
      "M-29:sqrt(D)", token,
      [](Scene& s, Tap& tap) { tap.values = scaled(tap.values, root_width(s) / root_ple(s)); },
      "the per-layer rows are multiplied by sqrt(D) instead of sqrt(P)"));
  all.push_back(mutant("M-30", token, [](Scene&, Tap& tap) {
    const std::size_t layers = tap.shape[1];
    const std::size_t width = tap.shape[2];
    const Numbers from = tap.values;
    for (std::size_t t = 0; t < tap.shape[0]; ++t) {
      for (std::size_t l = 0; l < layers; ++l) {
        for (std::size_t p = 0; p < width; ++p) {
          tap.values[(t * layers + l) * width + p] = from[t * layers * width + p * layers + l];
        }
      }
    }
  }));
}

// The context part from what is given instead of the merged embeddings.
Numbers context_of(const Scene& s, std::span<const double> from, double scale, std::size_t width) {
  const Numbers proj =
      scaled(linear(from, s.model_weight("per_layer_model_projection.weight")), scale);
  return rms_norm(proj, width, s.model_weight("per_layer_projection_norm.weight").values,
                  {s.config().text.rms_norm_eps});
}

void add_context_part(Mutants& all) {
  const std::string ctx = "text.ple.ctx";
  // The catalogue names the context part; its projection comes before and is wrong already.
  const auto projected = [&](const std::string& label, const std::string& from, bool divided) {
    Mutant one{label, "", {}, ctx, {"text.ple.proj"}};
    one.rewrites.push_back({"text.ple.proj", [=](Scene& s, Tap& t) {
                              const double scale = divided ? 1 / root_width(s) : 1;
                              t.values =
                                  linear(scaled(s.named(from).values, scale),
                                         s.model_weight("per_layer_model_projection.weight"));
                            }});
    all.push_back(std::move(one));
  };
  projected("M-31", "text.embed_scaled", false);
  projected("M-32", "text.embed", true);
  all.push_back(mutant("M-33", ctx, [](Scene& s, Tap& t) {
    t.values = context_of(s, s.named("text.embed").values, 1, t.shape.back());
  }));
  all.push_back(mutant("M-34", ctx, [](Scene& s, Tap& t) {
    const std::size_t width = t.shape.back();
    const std::size_t layers = t.shape[1];
    const Numbers proj = scaled(s.named("text.ple.proj").values, 1 / root_width(s));
    t.values = rms_norm(proj, width * layers, {}, {s.config().text.rms_norm_eps});
    const Matrix& w = s.model_weight("per_layer_projection_norm.weight");
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      t.values[i] *= w.values[i % width];
    }
  }));
  all.push_back(mutant(
      "MECH-no-norm:text.ple.ctx", ctx,
      [](Scene& s, Tap& t) {
        t.values = scaled(s.named("text.ple.proj").values, 1 / root_width(s));
      },
      "the context part is not normalised"));
  const std::string in = "text.ple.in";
  all.push_back(mutant("M-35", in, [](Scene& s, Tap& t) {
    t.values = added(s.named("text.ple.token").values, s.named("text.ple.ctx").values);
  }));
  all.push_back(mutant("M-27", in, [](Scene& s, Tap& t) {
    const Tap& context = s.named("text.ple.ctx");
    at_soft_tokens(s, t, [&](std::size_t at, std::span<double> row) {
      for (std::size_t d = 0; d < row.size(); ++d) {
        row[d] = context.values[at * row.size() + d] * std::sqrt(0.5);
      }
    });
  }));
  all.push_back(mutant(
      "M-35:half", in, [](Scene&, Tap& t) { t.values = scaled(t.values, std::sqrt(0.5)); },
      "the two parts are multiplied by 1/2 instead of 2^(-1/2)"));
  all.push_back(mutant(
      "MECH-no-context:text.ple.in", in,
      [](Scene& s, Tap& t) { t.values = scaled(s.named("text.ple.token").values, std::sqrt(0.5)); },
      "the context part is left out"));
}

// f(gate) times a layer's slice of the per-layer input.
void gate_slice(Scene& s, Tap& t, std::size_t slice, double (*f)(double)) {
  const Tap& in = s.named("text.ple.in");
  const std::size_t width = in.shape[2];
  const Tap& gate = s.tap("ple.gate");
  for (std::size_t i = 0; i < t.values.size(); ++i) {
    t.values[i] =
        f(gate.values[i]) * in.values[(i / width * in.shape[1] + slice) * width + i % width];
  }
}

void add_blocks(Mutants& all) {
  const auto gate_from = [](const char* tap) {
    return [tap](Scene& s, Tap& t) {
      t.values = linear(s.tap(tap).values, s.weight("per_layer_input_gate.weight"));
    };
  };
  all.push_back(mutant("M-36", kPle + "gate", gate_from("attn.residual")));
  // What the last layer takes, which has no next: its own slice, or the first one.
  const auto next_slice = [](bool round) {
    return [round](Scene& s, Tap& t) {
      const std::size_t layers = s.named("text.ple.in").shape[1];
      only(round || s.layer() + 1 < layers);
      gate_slice(s, t, (s.layer() + 1) % layers, gelu_tanh);
    };
  };
  all.push_back(mutant("M-37", kPle + "mul", next_slice(false)));
  all.push_back(mutant("M-37:round", kPle + "mul", next_slice(true),
                       "each layer takes the next layer's slice, the last one the first"));
  const auto with_activation = [](double (*f)(double)) {
    return [f](Scene& s, Tap& t) { gate_slice(s, t, s.layer(), f); };
  };
  all.push_back(mutant("M-38", kPle + "mul", with_activation([](double x) { return x; })));
  all.push_back(mutant("M-101:ple", kPle + "mul", with_activation(gelu_erf),
                       "the per-layer gate's GELU is the erf form"));
  all.push_back(mutant("M-102:ple", kPle + "mul", with_activation(silu),
                       "SiLU stands in for the per-layer gate's GELU"));
  all.push_back(mutant("M-38:sigmoid", kPle + "mul", with_activation(sigmoid),
                       "the per-layer gate is a sigmoid"));
  all.push_back(mutant(
      "MECH-no-branch:ple", kPle + "residual",
      [](Scene& s, Tap& t) { t.values = s.tap("ffn.residual").values; },
      "the per-layer block is left out"));
}

// The block before the feed-forward, which then reads a residual with its output already in it.
void add_early_block(Mutants& all) {
  Mutant early{"M-40", "", {}, "text.layer.{i}.ffn.norm_in"};
  early.rewrites.push_back(
      {"text.layer.{i}.ffn.norm_in", [](Scene& s, Tap& t) {
         const Tap& residual = s.tap("attn.residual");
         const Tap& in = s.named("text.ple.in");
         const std::size_t width = in.shape[2];
         Numbers gate = linear(residual.values, s.weight("per_layer_input_gate.weight"));
         for (std::size_t i = 0; i < gate.size(); ++i) {
           gate[i] = gelu_tanh(gate[i]) *
                     in.values[(i / width * in.shape[1] + s.layer()) * width + i % width];
         }
         const double eps = s.text().rms_norm_eps;
         const Numbers block =
             rms_norm(linear(gate, s.weight("per_layer_projection.weight")), t.shape.back(),
                      s.weight("post_per_layer_input_norm.weight").values, {eps});
         t.values = rms_norm(added(residual.values, block), t.shape.back(),
                             s.weight("pre_feedforward_layernorm.weight").values, {eps});
       }});
  early.rewrites.push_back({kPle + "gate", [](Scene& s, Tap& t) {
                              t.values = linear(s.tap("attn.residual").values,
                                                s.weight("per_layer_input_gate.weight"));
                            }});
  early.reason =
      "the feed-forward, which comes before the gate in execution order, already reads "
      "what the block made";
  all.push_back(std::move(early));
}

}  // namespace

Mutants embedding_mutants() {
  Mutants all;
  add_scales(all);
  add_token_part(all);
  add_context_part(all);
  add_blocks(all);
  add_early_block(all);
  return all;
}

}  // namespace assay::conformance
