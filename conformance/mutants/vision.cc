// SPDX-License-Identifier: Apache-2.0
// Mistakes of the vision encoder before and after its layers, and of the 12B's embedder: V1 to V6,
// V43 to V61.
#include <algorithm>
#include <cmath>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kEncoder = "model.vision_tower.";
const std::string kTable = kEncoder + "patch_embedder.position_embedding_table";

// x and y of each patch.
const Numbers& grid(const Scene& s) {
  return s.tap("image.positions").values;
}

// Rows of the position table for (axis, place), as a program reads them that lays it as given.
using TableRow = std::function<std::size_t(std::size_t axis, std::size_t place, std::size_t rows)>;

Formula position_rows(const TableRow& row_of) {
  return [row_of](Scene& s, Tap& tap) {
    const Matrix& table = s.model_weight(kTable);  // [axis, row, D]
    const std::size_t rows = table.shape.at(1);
    const std::size_t width = tap.shape.back();
    const Numbers& at = grid(s);
    std::ranges::fill(tap.values, 0.0);
    for (std::size_t t = 0; t < tap.shape[0]; ++t) {
      for (std::size_t axis = 0; axis < 2; ++axis) {
        const auto place = static_cast<std::size_t>(at[2 * t + axis]);
        const std::size_t row = row_of(axis, place, rows);
        only(row < 2 * rows);
        for (std::size_t d = 0; d < width; ++d) {
          tap.values[t * width + d] += table.values[row * width + d];
        }
      }
    }
  };
}

void add_entry(Mutants& all) {
  all.push_back(mutant("V1", "vision.pixels_pm1",
                       [](Scene& s, Tap& t) { t.values = s.tap("image.patches").values; }));
  all.push_back(mutant(
      "V1:imagenet", "vision.pixels_pm1",
      [](Scene& s, Tap& t) {
        t.values = map(s.tap("image.patches").values, [](double x) { return (x - 0.45) / 0.225; });
      },
      "values are normalised with ImageNet's mean and deviation"));
  all.push_back(mutant(
      "V1:127.5", "vision.pixels_pm1",
      [](Scene& s, Tap& t) {
        t.values = map(s.tap("image.patches").values, [](double x) { return x * 255 / 128 - 1; });
      },
      "bytes are divided by 128, not 127.5"));
  all.push_back(mutant(
      "V2", "vision.patch_proj",
      [](Scene&, Tap& t) {
        t.values = map(t.values, [](double x) { return std::clamp(x, -0.5, 0.5); });
      },
      "the patch projection is clipped"));
  all.push_back(mutant(
      "V3", "vision.pos_embed",
      position_rows([](auto axis, auto place, auto rows) { return (1 - axis) * rows + place; })));
  all.push_back(mutant("V4", "vision.pos_embed", position_rows([](auto axis, auto place, auto) {
                         return 2 * place + axis;
                       })));
  all.push_back(mutant("V3:one-table", "vision.pos_embed",
                       position_rows([](auto, auto place, auto) { return place; }),
                       "both axes read the table of x"));
  all.push_back(mutant("V3:next", "vision.pos_embed",
                       position_rows([](auto axis, auto p, auto rows) {
                         return axis * rows + std::min(p + 1, rows - 1);
                       }),
                       "position embeddings are read one row too far"));
  all.push_back(mutant("V6", "vision.patch_embed", [](Scene&, Tap& t) {
    t.values = scaled(t.values, std::sqrt(static_cast<double>(t.shape.back())));
  }));
  all.push_back(mutant(
      "V6:no-position", "vision.patch_embed",
      [](Scene& s, Tap& t) { t.values = s.tap("vision.patch_proj").values; },
      "positions are not embedded"));
}

// What the last layer gives.
const Tap& last_out(const Scene& s) {
  only(s.config().vision.has_value());
  return s.tap("vision.layer." + std::to_string(s.config().vision->num_hidden_layers - 1) + ".out");
}

using CellOf = std::function<std::size_t(std::size_t x, std::size_t y, std::size_t columns,
                                         std::size_t rows, std::size_t patch)>;

// Sums (or the largest) of the rows that fall into each cell, times a factor; normed first or not.
Formula pooled(const CellOf& cell_of, double factor, bool largest = false, bool normed = false) {
  return [=](Scene& s, Tap& tap) {
    const Tap& h = last_out(s);
    const Numbers& at = grid(s);
    const std::size_t width = h.shape.back();
    const Numbers x = normed ? rms_norm(h.values, width, {}, {1e-6}) : h.values;
    const std::size_t kernel = s.config().vision->pooling_kernel_size;
    std::size_t columns = 0;
    std::size_t rows = 0;
    for (std::size_t t = 0; t < h.shape[0]; ++t) {
      columns = std::max(columns, static_cast<std::size_t>(at[2 * t]) + 1);
      rows = std::max(rows, static_cast<std::size_t>(at[2 * t + 1]) + 1);
    }
    std::ranges::fill(tap.values, largest ? -1e30 : 0.0);
    const std::size_t cells = tap.shape[0];
    for (std::size_t t = 0; t < h.shape[0]; ++t) {
      const std::size_t cell = cell_of(static_cast<std::size_t>(at[2 * t]) / kernel,
                                       static_cast<std::size_t>(at[2 * t + 1]) / kernel,
                                       columns / kernel, rows / kernel, t);
      only(cell < cells);
      for (std::size_t d = 0; d < width; ++d) {
        double& to = tap.values[cell * width + d];
        const double from = x[t * width + d];
        to = largest ? std::max(to, from) : to + from * factor;
      }
    }
  };
}

std::size_t raster(std::size_t x, std::size_t y, std::size_t columns, std::size_t, std::size_t) {
  return x + columns * y;
}

void add_pooling(Mutants& all) {
  const std::string pool = "vision.pool";
  all.push_back(mutant("V43", pool, pooled(raster, 1.0 / 9, false, true)));
  all.push_back(mutant(
      "V44", pool, pooled([](auto, auto, auto, auto, auto patch) { return patch / 9; }, 1.0 / 9)));
  all.push_back(
      mutant("V45", pool,
             pooled([](auto x, auto y, auto, auto rows, auto) { return x * rows + y; }, 1.0 / 9)));
  all.push_back(
      mutant("V46", pool,
             pooled([](auto x, auto y, auto, auto rows, auto) { return x + rows * y; }, 1.0 / 9),
             "the width of the pooled grid is taken from y"));
  all.push_back(mutant("V47", pool, pooled(raster, 1)));
  all.push_back(mutant("V48", pool, pooled(raster, 1, true)));
  all.push_back(mutant("V47:8", pool, pooled(raster, 1.0 / 8), "the sum of nine is divided by 8"));
  const std::string scaled_tap = "vision.pool_scaled";
  all.push_back(
      mutant("V50", scaled_tap, [](Scene& s, Tap& t) { t.values = s.tap("vision.pool").values; }));
  all.push_back(mutant("V51", scaled_tap, [](Scene& s, Tap& t) {
    const double root = std::sqrt(static_cast<double>(s.config().text.hidden_size));
    t.values = scaled(s.tap("vision.pool").values, root);
  }));
}

using Standard = std::function<double(double x, double bias, double scale)>;

Formula standardised(const std::string& from, const Standard& f, double after = 1) {
  return [=](Scene& s, Tap& t) {
    const Matrix& bias = s.model_weight(kEncoder + "std_bias");
    const Matrix& scale = s.model_weight(kEncoder + "std_scale");
    const Numbers& x = s.tap(from).values;
    const std::size_t width = bias.values.size();
    const double root = after == 1 ? 1 : std::sqrt(static_cast<double>(width));
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      t.values[i] = root * f(x[i], bias.values[i % width], scale.values[i % width]);
    }
  };
}

void add_end(Mutants& all) {
  const std::string standard = "vision.standardized";
  const auto usual = [](double x, double b, double s) { return (x - b) * s; };
  all.push_back(mutant("V52", standard, standardised("vision.pool", usual, 0)));
  all.push_back(
      mutant("V53", standard,
             standardised("vision.pool_scaled", [](auto x, auto b, auto s) { return x * s - b; }),
             "x scale - bias instead of (x - bias) scale"));
  all.push_back(
      mutant("V53:plus", standard,
             standardised("vision.pool_scaled", [](auto x, auto b, auto s) { return (x + b) * s; }),
             "(x + bias) scale instead of (x - bias) scale"));
  all.push_back(
      mutant("V53:division", standard,
             standardised("vision.pool_scaled", [](auto x, auto b, auto s) { return (x - b) / s; }),
             "(x - bias) / scale instead of (x - bias) scale"));
  Mutant none = mutant(
      "V54", "vision.tower_out",
      [](Scene& s, Tap& t) {
        only(s.has("vision.standardized"));
        t.values = s.tap("vision.pool_scaled").values;
      },
      "rows are not standardised");
  none.hidden = {standard};
  all.push_back(std::move(none));
  all.push_back(mutant("V55", "vision.embed.pre_norm", [](Scene& s, Tap& t) {
    t.values = (s.has("vision.tower_out") ? s.tap("vision.tower_out") : s.tap("unified.vision.ln3"))
                   .values;
  }));
  Mutant late = mutant("V56", "vision.embed.out", [](Scene& s, Tap& t) {
    const Tap& x =
        s.has("vision.tower_out") ? s.tap("vision.tower_out") : s.tap("unified.vision.ln3");
    const Numbers projected =
        linear(x.values, s.model_weight("model.embed_vision.embedding_projection.weight"));
    t.values = rms_norm(projected, t.shape.back(), {}, {1e-6});
  });
  late.hidden = {"vision.embed.pre_norm"};
  late.reason = "such a program has no normed input of the projection to show";
  all.push_back(std::move(late));
  all.push_back(mutant("V57", "vision.embed.out", [](Scene&, Tap& t) {
    t.values = scaled(t.values, std::sqrt(static_cast<double>(t.shape.back())));
  }));
}

// LayerNorm with its weight and bias.
Numbers layer_norm(const Scene& s, const Numbers& x, const std::string& at, double eps) {
  const Matrix& weight = s.model_weight(at + "weight");
  const Matrix& bias = s.model_weight(at + "bias");
  Numbers y = rms_norm(x, weight.values.size(), weight.values, {eps, 0, EpsPlace::kInside, true});
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] += bias.values[i % bias.values.size()];
  }
  return y;
}

void add_unified(Mutants& all) {
  const std::string at = "model.vision_embedder.";
  all.push_back(mutant("V58", "unified.vision.patches", [](Scene&, Tap& t) {
    t.values = map(t.values, [](double x) { return 2 * (x - 0.5); });
  }));
  all.push_back(mutant("V59", "unified.vision.ln1", [at](Scene& s, Tap& t) {
    t.values = layer_norm(s, s.tap("unified.vision.patches").values, at + "patch_ln1.", 1e-6);
  }));
  all.push_back(mutant("V60", "unified.vision.pos_add", [at](Scene& s, Tap& t) {
    const Matrix& table = s.model_weight(at + "pos_embedding");  // [row, axis, D]
    const std::size_t width = t.shape.back();
    const std::size_t rows = table.values.size() / (2 * width);
    const Numbers& places = grid(s);
    t.values = s.tap("unified.vision.ln2").values;
    for (std::size_t r = 0; r < t.shape[0]; ++r) {
      for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::size_t row = axis * rows + static_cast<std::size_t>(places[2 * r + axis]);
        for (std::size_t d = 0; d < width; ++d) {
          t.values[r * width + d] += table.values[row * width + d];
        }
      }
    }
  }));
  all.push_back(mutant(
      "V61", "unified.vision.ln3",
      [](Scene& s, Tap& t) { t.values = s.tap("unified.vision.pos_add").values; },
      "12B: the third norm is left out"));
}

void add_unified_products(Mutants& all) {
  const std::string at = "model.vision_embedder.";
  all.push_back(mutant(
      "V61:early", "unified.vision.ln2",
      [at](Scene& s, Tap& t) {
        const Matrix& table = s.model_weight(at + "pos_embedding");
        const std::size_t width = t.shape.back();
        const Numbers& places = grid(s);
        Numbers x = s.tap("unified.vision.dense").values;
        for (std::size_t r = 0; r < t.shape[0]; ++r) {
          for (std::size_t axis = 0; axis < 2; ++axis) {
            const std::size_t row = 2 * static_cast<std::size_t>(places[2 * r + axis]) + axis;
            for (std::size_t d = 0; d < width; ++d) {
              x[r * width + d] += table.values[row * width + d];
            }
          }
        }
        t.values = layer_norm(s, x, at + "patch_ln2.", 1e-5);
      },
      "12B: positions are added before the second norm"));
  all.push_back(mutant(
      "V8:unified", "unified.vision.ln1",
      [at](Scene& s, Tap& t) {
        const Matrix& weight = s.model_weight(at + "patch_ln1.weight");
        const Matrix& bias = s.model_weight(at + "patch_ln1.bias");
        t.values = rms_norm(s.tap("unified.vision.patches").values, weight.values.size(),
                            weight.values, {1e-5});
        for (std::size_t i = 0; i < t.values.size(); ++i) {
          t.values[i] += bias.values[i % bias.values.size()];
        }
      },
      "12B: RMSNorm stands in for LayerNorm"));
  all.push_back(mutant(
      "V2:no-bias", "unified.vision.dense",
      [at](Scene& s, Tap& t) {
        t.values =
            linear(s.tap("unified.vision.ln1").values, s.model_weight(at + "patch_dense.weight"));
      },
      "12B: the projection's bias is left out"));
}

}  // namespace

Mutants vision_mutants() {
  Mutants all;
  add_entry(all);
  add_pooling(all);
  add_end(all);
  add_unified(all);
  add_unified_products(all);
  return all;
}

}  // namespace assay::conformance
