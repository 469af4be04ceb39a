// SPDX-License-Identifier: Apache-2.0
// Mistakes of the audio encoder before and after its layers: C1 to C15, C53 to C55, A20.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kEncoder = "model.audio_tower.";

// Channels first, as a convolution reads and writes them.
struct Planes {
  std::size_t channels = 0, times = 0, frequencies = 0;
  const Numbers* values = nullptr;

  double at(std::size_t c, std::ptrdiff_t t, std::ptrdiff_t f) const {
    const bool inside = t >= 0 && f >= 0 && t < static_cast<std::ptrdiff_t>(times) &&
                        f < static_cast<std::ptrdiff_t>(frequencies);
    return inside ? (*values)[(c * times + static_cast<std::size_t>(t)) * frequencies +
                              static_cast<std::size_t>(f)]
                  : 0;
  }
};

std::string stage_of_tap(const Scene& s) {
  return "audio.subsample." + std::to_string(s.step());
}

std::string media_of(const Scene& s) {
  return std::string(media_prefix(s.prefix()));
}

// What the stage reads: log-mel, or the stage before.
Planes input_of(const Scene& s, std::size_t stage) {
  if (stage == 0) {
    const Tap& mel = s.named(media_of(s) + "audio.mel");
    return {1, mel.shape[0], mel.shape[1], &mel.values};
  }
  const Tap& x = s.named(media_of(s) + "audio.subsample.0.out");
  return {x.shape[0], x.shape[1], x.shape[2], &x.values};
}

// Where a kernel lies and which of its points is read at offset (a, b).
struct Kernel {
  std::ptrdiff_t before_time = 1, before_frequency = 1;
  bool transposed = false;
  bool flipped = false;
};

Formula convolved(const Kernel& kernel) {
  return [kernel](Scene& s, Tap& t) {
    const std::size_t stage = s.step();
    const Planes x = input_of(s, stage);
    const Matrix& w = s.model_weight(kEncoder + "subsample_conv_projection.layer" +
                                     std::to_string(stage) + ".conv.weight");  // [O, I, 3, 3]
    const std::size_t times = t.shape[1];
    const std::size_t frequencies = t.shape[2];
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      const std::size_t o = i / (times * frequencies);
      const auto time = static_cast<std::ptrdiff_t>(2 * (i / frequencies % times));
      const auto frequency = static_cast<std::ptrdiff_t>(2 * (i % frequencies));
      double sum = 0;
      for (std::size_t c = 0; c < x.channels; ++c) {
        for (std::size_t a = 0; a < 3; ++a) {
          for (std::size_t b = 0; b < 3; ++b) {
            std::size_t p = kernel.transposed ? b : a;
            std::size_t q = kernel.transposed ? a : b;
            p = kernel.flipped ? 2 - p : p;
            q = kernel.flipped ? 2 - q : q;
            sum += w.values[((o * x.channels + c) * 3 + p) * 3 + q] *
                   x.at(c, time + static_cast<std::ptrdiff_t>(a) - kernel.before_time,
                        frequency + static_cast<std::ptrdiff_t>(b) - kernel.before_frequency);
          }
        }
      }
      t.values[i] = sum;
    }
  };
}

void add_convolutions(Mutants& all) {
  const std::string conv = "audio.subsample.{s}.conv";
  all.push_back(mutant("C1", conv, convolved({.transposed = true})));
  all.push_back(mutant("C2", conv, convolved({.flipped = true})));
  all.push_back(mutant("C3", conv, convolved({.before_time = 0, .before_frequency = 0})));
  all.push_back(mutant("C4", conv, convolved({.before_time = 2})));
}

// The norm over channels of each point, [T, F, C].
struct ConvNorm {
  double eps = 1e-6;
  bool centred = true;
  bool unbiased = false;
  bool weighted = true;
  bool over_frequency = false;
  bool before_relu = false;  // ReLU first
};

Formula conv_norm(const ConvNorm& form) {
  return [form](Scene& s, Tap& t) {
    const Tap& x = s.named(media_of(s) + stage_of_tap(s) + ".conv");  // [C, T, F]
    const std::size_t channels = x.shape[0];
    const std::size_t points = x.shape[1] * x.shape[2];
    Numbers rows(x.values.size());
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t p = 0; p < points; ++p) {
        const double v = x.values[c * points + p];
        rows[p * channels + c] = form.before_relu ? std::max(v, 0.0) : v;
      }
    }
    const std::size_t width = form.over_frequency ? channels * x.shape[2] : channels;
    t.values = rms_norm(rows, width, {}, {form.eps, 0, EpsPlace::kInside, form.centred});
    const auto n = static_cast<double>(width);
    const double factor = form.unbiased ? std::sqrt((n - 1) / n) : 1;
    const Matrix& w = s.model_weight(kEncoder + "subsample_conv_projection.layer" +
                                     std::to_string(s.step()) + ".norm.weight");
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      t.values[i] *= factor * (form.weighted ? w.values[i % channels] : 1);
    }
  };
}

// [T, F, C] through an activation to [C, T, F].
Formula activated(double (*f)(double)) {
  return [f](Scene& s, Tap& t) {
    const Tap& x = s.named(media_of(s) + stage_of_tap(s) + ".norm");
    const std::size_t channels = x.shape[2];
    const std::size_t points = x.shape[0] * x.shape[1];
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t p = 0; p < points; ++p) {
        t.values[c * points + p] = f(x.values[p * channels + c]);
      }
    }
  };
}

void add_conv_norms(Mutants& all) {
  const std::string norm = "audio.subsample.{s}.norm";
  all.push_back(mutant("C5", norm, conv_norm({.centred = false})));
  all.push_back(mutant("C6", norm, conv_norm({.over_frequency = true})));
  all.push_back(mutant("C7", norm, conv_norm({.unbiased = true})));
  all.push_back(mutant("C8", norm, conv_norm({.eps = 1e-5})));
  all.push_back(mutant("C9", norm, conv_norm({.weighted = false})));
  const std::string out = "audio.subsample.{s}.out";
  all.push_back(mutant("C10", out, activated([](double x) { return x; }), "ReLU is left out"));
  all.push_back(mutant("C10:silu", out, activated(silu), "SiLU stands in for ReLU"));
  all.push_back(mutant("C10:gelu", out, activated(gelu_tanh), "GELU stands in for ReLU"));
  Mutant early =
      mutant("C10:early", norm, conv_norm({.before_relu = true}), "ReLU comes before the norm");
  early.rewrites.push_back({out, activated([](double x) { return x; })});
  early.reason =
      "the norm comes before the tap of the activation and already reads rectified values";
  all.push_back(std::move(early));
  all.push_back(mutant("C11", "audio.subsample.flat", [](Scene& s, Tap& t) {
    const Tap& x = s.named(media_of(s) + "audio.subsample.1.out");  // [C, T, F]
    const std::size_t channels = x.shape[0];
    const std::size_t times = x.shape[1];
    const std::size_t frequencies = x.shape[2];
    for (std::size_t time = 0; time < times; ++time) {
      for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t f = 0; f < frequencies; ++f) {
          t.values[(time * channels + c) * frequencies + f] =
              x.values[(c * times + time) * frequencies + f];
        }
      }
    }
  }));
}

// sin and cos of distances rows - 1 … 0.
using Layout = std::function<std::size_t(std::size_t i, bool cosine, std::size_t timescales)>;

Formula positions_table(double last, const Layout& layout, bool upwards = false) {
  return [=](Scene&, Tap& t) {
    const std::size_t rows = t.shape[0];
    const std::size_t width = t.shape[1];
    const std::size_t timescales = width / 2;
    const double end = std::max(static_cast<double>(timescales) + last, 1.0);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto distance = static_cast<double>(upwards ? r : rows - 1 - r);
      for (std::size_t i = 0; i < timescales; ++i) {
        const double tau = std::exp(-std::log(10000.0) * static_cast<double>(i) / end);
        t.values[r * width + layout(i, false, timescales)] = std::sin(distance * tau);
        t.values[r * width + layout(i, true, timescales)] = std::cos(distance * tau);
      }
    }
  };
}

void add_positions(Mutants& all) {
  const std::string table = "audio.rel_pos_table";
  const Layout usual = [](auto i, bool cosine, auto n) { return cosine ? n + i : i; };
  all.push_back(mutant("C14", table, positions_table(0, usual)));
  all.push_back(
      mutant("C15", table,
             positions_table(-1, [](auto i, bool cosine, auto n) { return cosine ? i : n + i; }),
             "cosines come before sines"));
  all.push_back(mutant(
      "C15:interleaved", table,
      positions_table(-1, [](auto i, bool cosine, auto) { return 2 * i + (cosine ? 1 : 0); }),
      "sines and cosines are interleaved"));
  Mutant upwards = mutant("C16", table, positions_table(-1, usual, true));
  upwards.reason = "the rows go the other way in the table already, which a program may show";
  all.push_back(std::move(upwards));
}

void add_end(Mutants& all) {
  all.push_back(mutant("C53", "audio.output_proj", [](Scene& s, Tap& t) {
    const Matrix& bias = s.model_weight(kEncoder + "output_proj.bias");
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      t.values[i] -= bias.values[i % bias.values.size()];
    }
  }));
  const auto encoded = [](const Scene& s) -> const Tap& {
    return s.has("audio.tower_out") ? s.tap("audio.tower_out") : s.tap("unified.audio.frames");
  };
  all.push_back(mutant(
      "C55", "audio.embed.pre_norm", [=](Scene& s, Tap& t) { t.values = encoded(s).values; },
      "the projection's norm is left out"));
  Mutant late = mutant(
      "C55:late", "audio.embed.out",
      [=](Scene& s, Tap& t) {
        const Numbers projected = linear(
            encoded(s).values, s.model_weight("model.embed_audio.embedding_projection.weight"));
        t.values = rms_norm(projected, t.shape.back(), {}, {1e-6});
      },
      "the projection's norm comes after it");
  late.hidden = {"audio.embed.pre_norm"};
  late.reason = "such a program has no normed input of the projection to show";
  all.push_back(std::move(late));
  all.push_back(mutant(
      "V57:audio", "audio.embed.out",
      [](Scene&, Tap& t) {
        t.values = scaled(t.values, std::sqrt(static_cast<double>(t.shape.back())));
      },
      "soft-token embeddings of audio are multiplied by sqrt(Dtext)"));
  all.push_back(mutant("A20", "audio.embed.pre_norm", [](Scene& s, Tap& t) {
    const Tap& x = s.tap("unified.audio.frames");
    t.values = rms_norm(x.values, x.values.size(), {}, {1e-6});
  }));
}

}  // namespace

Mutants audio_mutants() {
  Mutants all;
  add_convolutions(all);
  add_conv_norms(all);
  add_positions(all);
  add_end(all);
  return all;
}

}  // namespace assay::conformance
