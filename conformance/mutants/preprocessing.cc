// SPDX-License-Identifier: Apache-2.0
// Mistakes of what comes before the encoders, and of the expanded prompt: I1 to I27, A1 to A19, X1
// to X9.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

// How the size of an image is chosen.
struct Sizing {
  double unit = 48;
  bool rounds = false;
  bool grows = true;
  bool square = false;
};

Formula target_by(const Sizing& sizing) {
  return [sizing](Scene& s, Tap& t) {
    const Tap& rgb = s.tap("image.rgb");
    const auto h = static_cast<double>(rgb.shape[0]);
    const auto w = static_cast<double>(rgb.shape[1]);
    const double pixels = static_cast<double>(s.config().processor.image_max_soft_tokens) * 48 * 48;
    double factor = std::sqrt(pixels / (h * w));
    factor = sizing.grows ? factor : std::min(factor, 1.0);
    const auto side = [&](double x) {
      const double units = x / sizing.unit;
      return sizing.unit * std::max(1.0, sizing.rounds ? std::round(units) : std::floor(units));
    };
    const double same = std::sqrt(pixels);
    t.values = {side(sizing.square ? same : factor * h), side(sizing.square ? same : factor * w)};
  };
}

// A resampling kernel: its value at a distance, how far it reaches.
struct Resampling {
  double (*kernel)(double) = nullptr;
  double reach = 2;
  bool widens = true;  // when shrinking
  bool columns_first = false;
  double shift = 0.5;  // of pixel centres
  bool clamps_between = true;
};

double cubic(double x, double a) {
  x = std::abs(x);
  return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

double triangle(double x) {
  return std::max(0.0, 1 - std::abs(x));
}

double lanczos3(double x) {
  const double p = std::numbers::pi * x;
  return x == 0 ? 1 : std::abs(x) >= 3 ? 0 : 3 * std::sin(p) * std::sin(p / 3) / (p * p);
}

double to_byte(double x) {
  return std::clamp(std::floor(x + 0.5), 0.0, 255.0);
}

// One axis of [rows, columns, 3]; `along_rows`: the number of rows changes.
Tap resampled(const Tap& from, std::size_t size, bool along_rows, const Resampling& r, bool bytes) {
  const std::size_t old = from.shape[along_rows ? 0 : 1];
  const std::size_t other = from.shape[along_rows ? 1 : 0];
  Tap to = from;
  to.shape[along_rows ? 0 : 1] = size;
  to.values.assign(size * other * 3, 0);
  const double scale = static_cast<double>(old) / static_cast<double>(size);
  const double wide = r.widens ? std::max(scale, 1.0) : 1;
  const auto at = [&](std::size_t line, std::size_t cell, std::size_t columns) {
    return along_rows ? (line * columns + cell) * 3 : (cell * columns + line) * 3;
  };
  for (std::size_t j = 0; j < size; ++j) {
    const double centre = (static_cast<double>(j) + r.shift) * scale - r.shift;
    Numbers weights;
    std::vector<std::size_t> lines;
    double sum = 0;
    const auto first = static_cast<std::ptrdiff_t>(std::floor(centre - r.reach * wide));
    const auto last = static_cast<std::ptrdiff_t>(std::ceil(centre + r.reach * wide));
    for (std::ptrdiff_t i = first; i <= last; ++i) {
      const double weight = r.kernel((static_cast<double>(i) - centre) / wide);
      if (weight != 0 && i >= 0 && i < static_cast<std::ptrdiff_t>(old)) {
        weights.push_back(weight);
        lines.push_back(static_cast<std::size_t>(i));
        sum += weight;
      }
    }
    for (std::size_t cell = 0; cell < other; ++cell) {
      for (std::size_t c = 0; c < 3; ++c) {
        double value = 0;
        for (std::size_t k = 0; k < lines.size(); ++k) {
          value += weights[k] / sum * from.values[at(lines[k], cell, from.shape[1]) + c];
        }
        to.values[at(j, cell, to.shape[1]) + c] = bytes ? to_byte(value) : value;
      }
    }
  }
  return to;
}

Formula resized_by(const Resampling& r) {
  return [r](Scene& s, Tap& t) {
    const Tap& rgb = s.tap("image.rgb");
    const std::size_t rows = t.shape[0];
    const std::size_t columns = t.shape[1];
    const Tap half =
        resampled(rgb, r.columns_first ? rows : columns, r.columns_first, r, r.clamps_between);
    t.values = resampled(half, r.columns_first ? columns : rows, !r.columns_first, r, true).values;
  };
}

void add_sizes(Mutants& all) {
  const std::string size = "image.target_size";
  all.push_back(mutant("I1", size, target_by({.rounds = true})));
  all.push_back(mutant("I3", size, target_by({.grows = false})));
  all.push_back(mutant("I5", size, target_by({.unit = 16})));
  all.push_back(mutant("I26", size, target_by({.square = true})));
  all.push_back(mutant("I20", "image.num_soft_tokens", [](Scene& s, Tap& t) {
    t.values = {static_cast<double>(s.config().processor.image_max_soft_tokens)};
  }));
  const std::string resized = "image.resized";
  const auto bicubic = [](double x) { return cubic(x, -0.5); };
  all.push_back(mutant("I8", resized, resized_by({triangle, 1}), "the kernel is bilinear"));
  all.push_back(mutant("I8:lanczos", resized, resized_by({lanczos3, 3}), "the kernel is Lanczos"));
  all.push_back(mutant("I8:-3/4", resized,
                       resized_by({[](double x) { return cubic(x, -0.75); }, 2}),
                       "the kernel is bicubic with a = -3/4"));
  all.push_back(mutant("I9", resized, resized_by({bicubic, 2, false})));
  all.push_back(mutant("I10", resized, resized_by({bicubic, 2, true, false, 0.5, false})));
  all.push_back(mutant("I11", resized, resized_by({bicubic, 2, true, true})));
  all.push_back(mutant("I12", resized, resized_by({bicubic, 2, true, false, 0}),
                       "the half-pixel shift is missing"));
}

using Within = std::function<std::size_t(std::size_t row, std::size_t column, std::size_t channel,
                                         std::size_t side)>;

// The values inside each patch, laid in another order.
Formula patches_laid(const Within& place) {
  return [place](Scene&, Tap& t) {
    const std::size_t width = t.shape[1];
    const auto side = static_cast<std::size_t>(std::lround(std::sqrt(width / 3)));
    const Numbers from = t.values;
    for (std::size_t n = 0; n < t.shape[0]; ++n) {
      for (std::size_t i = 0; i < width; ++i) {
        t.values[n * width + place(i / (3 * side), i / 3 % side, i % 3, side)] =
            from[n * width + i];
      }
    }
  };
}

void add_patches(Mutants& all) {
  const std::string patches = "image.patches";
  all.push_back(mutant("I13", patches, patches_laid([](auto r, auto c, auto ch, auto side) {
                         return (r * side + c) * 3 + 2 - ch;
                       })));
  all.push_back(mutant("I14", patches, patches_laid([](auto r, auto c, auto ch, auto side) {
                         return (ch * side + r) * side + c;
                       })));
  all.push_back(mutant("I15", patches, patches_laid([](auto r, auto c, auto ch, auto side) {
                         return (c * side + r) * 3 + ch;
                       })));
  all.push_back(mutant(
      "I16", patches,
      [](Scene& s, Tap& t) {
        only(s.has("image.rgb"));
        t.values = scaled(t.values, 255.0 / 256);
      },
      "bytes are divided by 256"));
  all.push_back(mutant(
      "I16:imagenet", patches,
      [](Scene&, Tap& t) {
        constexpr std::array kMean = {0.485, 0.456, 0.406};
        constexpr std::array kDeviation = {0.229, 0.224, 0.225};
        for (std::size_t i = 0; i < t.values.size(); ++i) {
          t.values[i] = (t.values[i] - kMean.at(i % 3)) / kDeviation.at(i % 3);
        }
      },
      "bytes are normalised with ImageNet's mean and deviation"));
  all.push_back(mutant(
      "I16:bytes", patches, [](Scene&, Tap& t) { t.values = scaled(t.values, 255); },
      "bytes are not divided by 255"));
  all.push_back(mutant(
      "I18", "image.positions",
      [](Scene&, Tap& t) {
        for (std::size_t i = 0; i + 1 < t.values.size(); i += 2) {
          std::swap(t.values[i], t.values[i + 1]);
        }
      },
      "positions are (y, x)"));
  all.push_back(mutant(
      "I22", "video.timestamps",
      [](Scene&, Tap& t) {
        t.values = map(t.values, [](double x) { return std::round(x + 0.25); });
      },
      "seconds are rounded"));
  all.push_back(mutant("I27", "video.timestamps", [](Scene& s, Tap& t) {
    t.values = scaled(s.tap("video.frame_indices").values, 1.0 / 24);
  }));
  all.push_back(mutant("I21", "video.frame_indices", [](Scene&, Tap& t) {
    const std::size_t count = t.values.size();
    only(count > 1);
    for (std::size_t j = 0; j < count; ++j) {
      const double step = (t.values.back() + 1) / static_cast<double>(count - 1);
      t.values[j] = std::floor(step * static_cast<double>(j));
    }
  }));
}

// Samples through another window, from another place on.
Formula windowed(const std::function<double(double n)>& window, std::size_t before,
                 double pre_emphasis = 0) {
  return [=](Scene& s, Tap& t) {
    const Numbers& samples = s.tap("audio.samples").values;
    const auto at = [&](std::size_t padded) {
      const std::size_t i = padded - before;
      return padded < before || i >= samples.size()
                 ? 0
                 : samples[i] - (i > 0 ? pre_emphasis * samples[i - 1] : 0);
    };
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      t.values[i] = at(160 * (i / 320) + i % 320) * window(static_cast<double>(i % 320));
    }
  };
}

double hann(double n, double length, double offset = 0) {
  return 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (n + offset) / length);
}

void add_frames(Mutants& all) {
  const std::string frames = "audio.frames_windowed";
  const auto usual = [](double n) { return hann(n, 320); };
  all.push_back(mutant("A1", frames, windowed([](double n) { return hann(n, 319); }, 160),
                       "the Hann window is symmetric"));
  all.push_back(mutant("A1:half", frames, windowed([](double n) { return hann(n, 320, 0.5); }, 160),
                       "the Hann window is half a sample late"));
  all.push_back(mutant("A1:root", frames,
                       windowed([](double n) { return std::sqrt(hann(n, 320)); }, 160),
                       "the window is the root of Hann's"));
  all.push_back(mutant("A2", frames, windowed(usual, 0), "there is no padding on the left"));
  all.push_back(
      mutant("A2:256", frames, windowed(usual, 256), "half a transform of padding is on the left"));
  all.push_back(mutant("A7", frames, windowed(usual, 160, 0.97)));
  all.push_back(
      mutant("A16", "audio.samples", [](Scene&, Tap& t) { t.values = scaled(t.values, 32768); }));
  all.push_back(mutant("A6", "audio.magnitude", [](Scene&, Tap& t) {
    t.values = map(t.values, [](double x) { return x * x; });
  }));
}

double htk(double hertz) {
  return 2595 * std::log10(1 + hertz / 700);
}
double from_htk(double mel) {
  return 700 * (std::pow(10, mel / 2595) - 1);
}

struct Filters {
  double lowest = 0;
  double highest = 8000;
  bool area = false;    // each triangle has area 1, as Slaney's
  bool in_mel = false;  // triangles are linear in mel
  double first = 0;     // added to the first filter
};

Formula mel_by(const Filters& f) {
  return [f](Scene& s, Tap& t) {
    const Tap& magnitude = s.tap("audio.magnitude");
    const std::size_t bins = magnitude.shape[1];
    constexpr std::size_t kMels = 128;
    Numbers edges(kMels + 2);
    for (std::size_t i = 0; i < edges.size(); ++i) {
      edges[i] = htk(f.lowest) + (htk(f.highest) - htk(f.lowest)) * static_cast<double>(i) /
                                     static_cast<double>(kMels + 1);
      edges[i] = f.in_mel ? edges[i] : from_htk(edges[i]);
    }
    Numbers filters(bins * kMels);
    for (std::size_t b = 0; b < bins; ++b) {
      const double hertz = 16000.0 * static_cast<double>(b) / 512;
      const double x = f.in_mel ? htk(hertz) : hertz;
      for (std::size_t m = 0; m < kMels; ++m) {
        const double up = (x - edges[m]) / (edges[m + 1] - edges[m]);
        const double down = (edges[m + 2] - x) / (edges[m + 2] - edges[m + 1]);
        const double area = f.area ? 2 / (edges[m + 2] - edges[m]) : 1;
        filters[b * kMels + m] =
            std::max(0.0, std::min(up, down)) * area + (m == 0 && b == 0 ? f.first : 0);
      }
    }
    std::ranges::fill(t.values, 0.0);
    for (std::size_t i = 0; i < magnitude.values.size(); ++i) {
      for (std::size_t m = 0; m < kMels; ++m) {
        t.values[i / bins * kMels + m] += magnitude.values[i] * filters[i % bins * kMels + m];
      }
    }
  };
}

void add_mel(Mutants& all) {
  const std::string linear_mel = "audio.mel_linear";
  all.push_back(
      mutant("A8", linear_mel, mel_by({.area = true}), "filters have area 1, as Slaney's"));
  all.push_back(
      mutant("A8:mel", linear_mel, mel_by({.in_mel = true}), "triangles are linear in mel"));
  all.push_back(mutant("A9", linear_mel, mel_by({.first = 1e-3})));
  all.push_back(mutant("A10", linear_mel, mel_by({.lowest = 20}), "the filters begin at 20 Hz"));
  all.push_back(
      mutant("A10:125", linear_mel, mel_by({.lowest = 125}), "the filters begin at 125 Hz"));
  all.push_back(
      mutant("A10:7600", linear_mel, mel_by({.highest = 7600}), "the filters end at 7600 Hz"));
  const std::string mel = "audio.mel";
  const auto log_by = [&](const std::string& label, double (*f)(double), const std::string& what) {
    all.push_back(mutant(
        label, mel, [f](Scene& s, Tap& t) { t.values = map(s.tap("audio.mel_linear").values, f); },
        what));
  };
  log_by(
      "A11", [](double x) { return std::log(std::max(x, 0.001)); },
      "the floor is a maximum instead of a sum");
  log_by(
      "A11:1e-5", [](double x) { return std::log(x + 1e-5); }, "the floor is 1e-5");
  log_by(
      "A11:1e-10", [](double x) { return std::log(std::max(x, 1e-10)); }, "the floor is 1e-10");
  log_by(
      "A12", [](double x) { return std::log10(x + 0.001); }, "the logarithm is log10");
  log_by(
      "A12:dB", [](double x) { return 20 * std::log10(x + 0.001); }, "values are decibels");
  all.push_back(mutant("A13", mel, [](Scene&, Tap& t) {
    const std::size_t bins = t.shape[1];
    for (std::size_t m = 0; m < bins; ++m) {
      double sum = 0;
      double squares = 0;
      for (std::size_t i = m; i < t.values.size(); i += bins) {
        sum += t.values[i];
        squares += t.values[i] * t.values[i];
      }
      const auto n = static_cast<double>(t.shape[0]);
      const double deviation = std::sqrt(std::max(squares / n - sum * sum / (n * n), 1e-10));
      for (std::size_t i = m; i < t.values.size(); i += bins) {
        t.values[i] = (t.values[i] - sum / n) / deviation;
      }
    }
  }));
  all.push_back(mutant("A15", mel, [](Scene&, Tap& t) {
    const Numbers from = t.values;
    for (std::size_t i = 0; i < from.size(); ++i) {
      t.values[i % t.shape[1] * t.shape[0] + i / t.shape[1]] = from[i];
    }
  }));
}

// The expanded prompt with another token in place of some.
Formula ids_with(const std::function<bool(const Scene&, Numbers&)>& change) {
  return [change](Scene& s, Tap& t) { only(change(s, t.values)); };
}

bool swap_id(Numbers& ids, double from, double to) {
  const bool there = std::ranges::find(ids, from) != ids.end();
  std::ranges::replace(ids, from, to);
  return there;
}

void add_prompt(Mutants& all) {
  const std::string ids = "text.ids_expanded";
  all.push_back(mutant("X1", ids, ids_with([](const Scene& s, Numbers& values) {
                         const SpecialTokens& special = s.config().text.special;
                         return swap_id(values, special.eoa, special.eoi);
                       }),
                       "audio ends as an image does"));
  all.push_back(mutant("P06", ids, ids_with([](const Scene& s, Numbers& values) {
                         const SpecialTokens& special = s.config().text.special;
                         return swap_id(values, special.eoi, special.boa);
                       }),
                       "the token that begins audio ends an image"));
  all.push_back(mutant("I24", ids, ids_with([](const Scene& s, Numbers& values) {
                         const SpecialTokens& special = s.config().text.special;
                         return swap_id(values, special.video, special.image);
                       })));
  all.push_back(mutant("P55", ids, ids_with([](const Scene& s, Numbers& values) {
                         const double image = s.config().text.special.image;
                         const auto last = std::ranges::find(values, image);
                         if (last == values.end()) {
                           return false;
                         }
                         values.insert(
                             last, image);  // one placeholder more than the image has soft tokens
                         return true;
                       }),
                       "an image gets more placeholders than soft tokens"));
  all.push_back(mutant("X9", "text.positions", [](Scene& s, Tap& t) {
    const auto types = s.types();
    double at = -1;
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      at += types[i] != 0 && i > 0 && types[i - 1] == types[i] ? 0 : 1;
      t.values[i] = at;
    }
  }));
}

}  // namespace

Mutants preprocessing_mutants() {
  Mutants all;
  add_sizes(all);
  add_patches(all);
  add_frames(all);
  add_mel(all);
  add_prompt(all);
  return all;
}

}  // namespace assay::conformance
