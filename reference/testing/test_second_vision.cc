// SPDX-License-Identifier: Apache-2.0
#include "reference/testing/test_second_vision.h"

#include <cmath>
#include <utility>

#include "reference/testing/test_second_matrix.h"
#include "reference/testing/test_vision_miniature.h"

namespace assay {
namespace {

using namespace second_implementation;  // NOLINT(google-build-using-namespace): matrices
using ASSAY_REFERENCE::vision_miniature_values;

constexpr std::size_t kPatches = kSecondColumns * kSecondRows;
constexpr std::size_t kSlots = kPatches + kSecondPadding;
constexpr std::size_t kWidth = 24;
constexpr std::size_t kHeads = 2;
constexpr std::size_t kHead = 12;
constexpr std::size_t kInner = 40;
constexpr std::size_t kText = 20;
constexpr std::size_t kTableRows = 16;

class SecondVision {
 public:
  explicit SecondVision(std::string_view mistake) : mistake_(mistake) {}
  std::vector<SecondTap> run();

 private:
  bool makes(std::string_view label) const { return mistake_ == label; }
  void tap(const std::string& name, const Matrix& x);
  std::vector<double> layer_weight(const std::string& name, std::size_t count) const {
    return vision_miniature_values("model.vision_tower.encoder." + layer_ + name, count);
  }
  double bound(const std::string& name) const { return layer_weight(name, 1)[0]; }

  Matrix norm(const Matrix& x, std::size_t group, const std::vector<double>& w) const;
  Matrix linear(const Matrix& x, const std::string& name, std::size_t outputs) const;
  Matrix embed();
  Matrix rotated(const Matrix& x) const;
  double angle(std::size_t slot, std::size_t channel) const;
  Matrix head_norm(const Matrix& x, const std::string& name) const;
  Matrix attention(const Matrix& x);
  Matrix logits(const Matrix& q, const Matrix& k) const;
  Matrix probs(Matrix x) const;
  Matrix context(const Matrix& p, const Matrix& v) const;
  Matrix feed_forward(const Matrix& x);
  double activation(double x) const;
  Matrix layer(const Matrix& h);
  Matrix pool(Matrix h) const;
  std::size_t cell(std::size_t slot) const;
  Matrix standardized(const Matrix& pool, const Matrix& scaled_pool) const;
  void project(const Matrix& rows);

  std::string mistake_;
  std::string layer_;  // "layers.0."
  std::vector<SecondTap> taps_;
};

// Drops padding: its rows, and its columns where x is heads of [slots, slots].
void SecondVision::tap(const std::string& name, const Matrix& x) {
  std::vector<double> shown;
  for (std::size_t r = 0; r < x.rows(); ++r) {
    if (x.rows() >= kSlots && r % kSlots >= kPatches) {
      continue;
    }
    const std::size_t width = x.width == kSlots ? kPatches : x.width;
    const auto first = x.values.begin() + static_cast<std::ptrdiff_t>(r * x.width);
    shown.insert(shown.end(), first, first + static_cast<std::ptrdiff_t>(width));
  }
  const std::string prefix = layer_.empty() ? "" : "layer." + layer_.substr(7);
  taps_.push_back({"vision." + prefix + name, std::move(shown)});
}

// RMS norm over groups of columns; w is repeated over the groups, and empty for none.
Matrix SecondVision::norm(const Matrix& x, std::size_t group, const std::vector<double>& w) const {
  const double eps = makes("V9") ? 1e-5 : 1e-6;
  Matrix y(x.rows(), x.width);
  for (std::size_t first = 0; first < x.values.size(); first += group) {
    double mean = 0;
    double squares = 0;
    for (std::size_t i = 0; i < group; ++i) {
      mean += x.values[first + i] / static_cast<double>(group);
    }
    mean = makes("V8") && !w.empty() ? mean : 0;
    for (std::size_t i = 0; i < group; ++i) {
      squares += std::pow(x.values[first + i] - mean, 2);
    }
    const double root = std::sqrt(squares / static_cast<double>(group) + eps);
    for (std::size_t i = 0; i < group; ++i) {
      const double scale = w.empty() ? 1 : w[i % w.size()] + (makes("V7") ? 1 : 0);
      y.values[first + i] = scale * (x.values[first + i] - mean) / root;
    }
  }
  return y;
}

Matrix SecondVision::linear(const Matrix& x, const std::string& name, std::size_t outputs) const {
  const auto w = layer_weight(name + ".linear.weight", outputs * x.width);
  double in_min = bound(name + ".input_min");
  double in_max = bound(name + ".input_max");
  double out_min = bound(name + ".output_min");
  double out_max = bound(name + ".output_max");
  if (makes("V13")) {
    std::swap(in_min, out_min);
    std::swap(in_max, out_max);
  }
  if (makes("V12")) {
    in_min = -in_max;
    out_min = -out_max;
  }
  const bool in = !makes("V10") && !makes("V11b");
  const bool out = !makes("V10") && !makes("V11a");
  const Matrix y = product(in ? clipped(x, in_min, in_max) : x, w);
  return out ? clipped(y, out_min, out_max) : y;
}

Matrix SecondVision::embed() {
  const auto pixels = filled(1, kPatches * 768, 0.5, 0.5);
  Matrix x(kSlots, 768);
  std::copy(pixels.begin(), pixels.end(), x.values.begin());
  for (double& value : x.values) {
    value = makes("V1") ? value : 2 * value - 1;
  }
  tap("pixels_pm1", x);
  Matrix h = product(x, vision_miniature_values(
                            "model.vision_tower.patch_embedder.input_proj.weight", kWidth * 768));
  h = makes("V2") ? clipped(h, -1.2, 1.1) : h;
  tap("patch_proj", h);
  const auto table = vision_miniature_values("position_embedding_table", 2 * kTableRows * kWidth);
  Matrix place(kSlots, kWidth);
  for (std::size_t t = 0; t < kPatches; ++t) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const std::size_t row = (axis == 0) != makes("V3") ? t % kSecondColumns : t / kSecondColumns;
      const std::size_t at = makes("V4") ? row * 2 + axis : axis * kTableRows + row;
      for (std::size_t d = 0; d < kWidth; ++d) {
        place(t, d) += table[at * kWidth + d];
      }
    }
  }
  tap("pos_embed", place);
  h = sum(h, place);
  h = makes("V6") ? scaled(h, std::sqrt(kWidth)) : h;
  tap("patch_embed", h);
  return h;
}

// Of channel 0 ... 11 of a head: three of x, the same three, three of y, the same three.
double SecondVision::angle(std::size_t slot, std::size_t channel) const {
  const bool column = (channel < 6) != makes("V20");
  const std::size_t place = column ? slot % kSecondColumns : slot / kSecondColumns;
  double position = slot < kPatches ? static_cast<double>(place) : -1.0;
  position += makes("V27") ? 1 : 0;
  const double j = static_cast<double>(channel % 3 + (makes("V24") && channel >= 6 ? 3 : 0));
  const double width = makes("V23") || makes("V24") ? 12 : 6;
  const double angle = position * std::pow(makes("V25") ? 10000 : 100, -2 * j / width);
  return makes("V26") ? -angle : angle;
}

Matrix SecondVision::rotated(const Matrix& x) const {
  Matrix y(x.rows(), x.width);
  for (std::size_t t = 0; t < x.rows(); ++t) {
    for (std::size_t pair = 0; pair < kHeads * 6; ++pair) {
      const std::size_t head = pair / 6 * kHead;
      const std::size_t c = pair % 6;
      std::size_t first = c < 3 ? c : c + 3;
      std::size_t second = first + 3;
      const double a = angle(t, makes("V22") ? c : first);
      const double b = angle(t, makes("V22") ? c + 6 : second);
      if (makes("V21")) {
        first = 2 * c;
        second = 2 * c + 1;
      } else if (makes("V22")) {
        first = c;
        second = c + 6;
      }
      const double u = x(t, head + first);
      const double v = x(t, head + second);
      y(t, head + first) = u * std::cos(a) - v * std::sin(a);
      y(t, head + second) = v * std::cos(b) + u * std::sin(b);
    }
  }
  return y;
}

Matrix SecondVision::head_norm(const Matrix& x, const std::string& name) const {
  if (makes("V15")) {
    return x;
  }
  const auto w = layer_weight("self_attn." + name + ".weight", kHead);
  return norm(makes("V19") ? rotated(x) : x, makes("V14") ? kWidth : kHead, w);
}

Matrix SecondVision::attention(const Matrix& x) {
  const Matrix raw_q = linear(x, "self_attn.q_proj", kWidth);
  tap("attn.q_proj", raw_q);
  const Matrix raw_k = linear(x, "self_attn.k_proj", kWidth);
  tap("attn.k_proj", raw_k);
  Matrix v = linear(x, "self_attn.v_proj", kWidth);
  tap("attn.v_proj", v);
  Matrix q = head_norm(raw_q, makes("V16") ? "k_norm" : "q_norm");
  tap("attn.q_norm", q);
  Matrix k = head_norm(raw_k, makes("V16") ? "q_norm" : "k_norm");
  tap("attn.k_norm", k);
  const auto v_weight = layer_weight("self_attn.k_norm.weight", kHead);
  v = makes("V17") ? v : norm(v, kHead, makes("V18") ? v_weight : std::vector<double>());
  tap("attn.v_norm", v);
  q = makes("V19") ? q : rotated(q);
  tap("attn.q_rope", q);
  k = makes("V19") ? k : rotated(k);
  tap("attn.k_rope", k);
  const Matrix scores = logits(q, k);
  tap("attn.logits", scores);
  const Matrix weights = probs(scores);
  tap("attn.probs", weights);
  const Matrix mix = context(weights, makes("V28") ? rotated(v) : v);
  tap("attn.context", mix);
  return linear(mix, "self_attn.o_proj", kWidth);
}

// Row head * slots + query, column key.
Matrix SecondVision::logits(const Matrix& q, const Matrix& k) const {
  Matrix x(kHeads * kSlots, kSlots);
  for (std::size_t r = 0; r < x.rows(); ++r) {
    for (std::size_t s = 0; s < kSlots; ++s) {
      for (std::size_t c = 0; c < kHead; ++c) {
        const std::size_t channel = r / kSlots * kHead + c;
        x(r, s) += q(r % kSlots, channel) * k(s, channel);
      }
      x(r, s) = makes("V29") ? x(r, s) / std::sqrt(kHead) : x(r, s);
      x(r, s) = makes("V30") ? 50 * std::tanh(x(r, s) / 50) : x(r, s);
    }
  }
  return x;
}

Matrix SecondVision::probs(Matrix x) const {
  for (std::size_t r = 0; r < x.rows(); ++r) {
    const std::size_t t = r % kSlots;
    double total = 0;
    for (std::size_t s = 0; s < kSlots; ++s) {
      const bool padding = s >= kPatches && !makes("V32") && !makes("V33");
      const double bias = makes("V33") && s < kPatches && t < kPatches ? 1 : 0;
      const bool hidden = padding || (makes("V31") && s > t);
      x(r, s) = hidden ? 0 : std::exp(x(r, s) + bias);
      total += x(r, s);
    }
    for (std::size_t s = 0; s < kSlots; ++s) {
      x(r, s) /= total;
    }
  }
  return x;
}

Matrix SecondVision::context(const Matrix& p, const Matrix& v) const {
  Matrix y(kSlots, kWidth);
  for (std::size_t r = 0; r < p.rows(); ++r) {
    for (std::size_t c = 0; c < kHead; ++c) {
      const std::size_t head = r / kSlots;
      const std::size_t channel = makes("V34") ? c * kHeads + head : head * kHead + c;
      for (std::size_t s = 0; s < kSlots; ++s) {
        y(r % kSlots, channel) += p(r, s) * v(s, head * kHead + c);
      }
    }
  }
  return y;
}

double SecondVision::activation(double x) const {
  if (makes("V39")) {
    return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
  }
  if (makes("V40") || makes("V41")) {
    return x / (1 + std::exp(makes("V40") ? -x : -1.702 * x));
  }
  return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

Matrix SecondVision::feed_forward(const Matrix& x) {
  Matrix gate = linear(x, "mlp.gate_proj", kInner);
  tap("mlp.gate", gate);
  Matrix up = linear(x, "mlp.up_proj", kInner);
  tap("mlp.up", up);
  if (makes("V38")) {
    std::swap(gate, up);
  }
  for (std::size_t i = 0; i < gate.values.size(); ++i) {
    gate.values[i] = activation(gate.values[i]) * up.values[i];
  }
  tap("mlp.act", gate);
  return linear(gate, "mlp.down_proj", kWidth);
}

Matrix SecondVision::layer(const Matrix& h) {
  const auto width_weight = [&](const char* name) {
    return layer_weight(std::string(name) + ".weight", kWidth);
  };
  Matrix x = norm(h, kWidth, width_weight("input_layernorm"));
  tap("attn_norm", x);
  const Matrix o = attention(x);
  tap("attn.o_proj", o);
  const auto post = width_weight("post_attention_layernorm");
  x = makes("V35") ? o : norm(o, kWidth, post);
  tap("attn_post_norm", x);
  const Matrix middle = makes("V36") ? norm(sum(o, h), kWidth, post) : sum(x, h);
  tap("attn_residual", middle);
  x = norm(middle, kWidth, makes("V37") ? post : width_weight("pre_feedforward_layernorm"));
  tap("ffn_norm", x);
  const Matrix down = feed_forward(x);
  tap("mlp.down", down);
  x = makes("V42") ? down : norm(down, kWidth, width_weight("post_feedforward_layernorm"));
  tap("ffn_post_norm", x);
  const Matrix out = sum(x, middle);
  tap("out", out);
  return out;
}

// Padding counts as (0, 0); its rows are 0.
std::size_t SecondVision::cell(std::size_t slot) const {
  if (slot >= kPatches) {
    return 0;
  }
  const std::size_t x = slot % kSecondColumns / 3;
  const std::size_t y = slot / kSecondColumns / 3;
  if (makes("V44")) {
    return slot / 9;
  }
  return makes("V45") ? y + kSecondRows / 3 * x
                      : x + (makes("V46") ? kSecondRows : kSecondColumns) / 3 * y;
}

Matrix SecondVision::pool(Matrix h) const {
  h = makes("V43") ? norm(h, kWidth, {}) : h;
  Matrix cells(kPatches / 9, kWidth);
  for (std::size_t t = 0; t < kSlots; ++t) {
    const bool counts = t < kPatches || makes("V49");
    for (std::size_t d = 0; d < kWidth; ++d) {
      double& value = cells(cell(t), d);
      const double part = counts ? h(t, d) : 0;
      value = makes("V48") ? std::max(value, part) : value + part / (makes("V47") ? 1 : 9);
    }
  }
  return cells;
}

Matrix SecondVision::standardized(const Matrix& pool, const Matrix& scaled_pool) const {
  const auto bias = vision_miniature_values("std_bias", kWidth);
  const auto scale = vision_miniature_values("std_scale", kWidth);
  Matrix y = makes("V52") ? pool : scaled_pool;
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    double& x = y.values[i];
    const double b = bias[i % kWidth];
    const double s = scale[i % kWidth];
    x = makes("V53a")   ? x * s - b
        : makes("V53b") ? (x + b) * s
        : makes("V53c") ? (x - b) / s
        : makes("V54")  ? x
                        : (x - b) * s;
  }
  return makes("V52") ? scaled(y, std::sqrt(kWidth)) : y;
}

void SecondVision::project(const Matrix& rows) {
  tap("tower_out", rows);
  const auto w =
      vision_miniature_values("model.embed_vision.embedding_projection.weight", kText * kWidth);
  const bool normed = !makes("V55") && !makes("V56");
  const Matrix pre = normed ? norm(rows, kWidth, {}) : rows;
  tap("embed.pre_norm", pre);
  Matrix out = product(pre, w);
  out = makes("V56") ? norm(out, kText, {}) : out;
  tap("embed.out", makes("V57") ? scaled(out, std::sqrt(kText)) : out);
}

std::vector<SecondTap> SecondVision::run() {
  Matrix h = embed();
  for (const char* name : {"layers.0.", "layers.1."}) {
    layer_ = name;
    h = layer(h);
  }
  layer_.clear();
  const Matrix cells = pool(h);
  tap("pool", cells);
  const double root = std::sqrt(makes("V51") ? kText : kWidth);
  const Matrix large = makes("V50") ? cells : scaled(cells, root);
  tap("pool_scaled", large);
  const Matrix rows = standardized(cells, large);
  tap("standardized", rows);
  project(rows);
  return std::move(taps_);
}

}  // namespace

std::vector<SecondTap> second_vision(std::string_view mistake) {
  return SecondVision(mistake).run();
}

}  // namespace assay
