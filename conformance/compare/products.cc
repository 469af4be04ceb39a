// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/products.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "conformance/compare/constants.h"
#include "conformance/compare/shapes.h"

namespace assay::conformance {
namespace {

struct Product {
  std::string_view leaf;
  std::string_view input;  // its row is what is summed over
};

constexpr Product kProducts[] = {
    {"attn.q_proj", "attn.norm_in"},
    {"attn.k_proj", "attn.norm_in"},
    {"attn.v_proj", "attn.norm_in"},
    {"attn.q_proj", "attn_norm"},
    {"attn.k_proj", "attn_norm"},
    {"attn.v_proj", "attn_norm"},
    {"attn.q_proj", "attn.pre_norm"},
    {"attn.k_proj", "attn.pre_norm"},
    {"attn.v_proj", "attn.pre_norm"},
    {"attn.o_proj", "attn.mix"},
    {"attn.o_proj", "attn.context"},
    {"attn.post", "attn.context"},
    {"ffn.gate", "ffn.norm_in"},
    {"ffn.up", "ffn.norm_in"},
    {"ffn.down", "ffn.mul"},
    {"mlp.gate", "ffn_norm"},
    {"mlp.up", "ffn_norm"},
    {"mlp.down", "mlp.act"},
    {"ffn1.up", "ffn1.pre_norm"},
    {"ffn1.down", "ffn1.act"},
    {"ffn2.up", "ffn2.pre_norm"},
    {"ffn2.down", "ffn2.act"},
    {"lconv.linear_start", "lconv.pre_norm"},
    {"lconv.linear_end", "lconv.act"},
    {"vision.patch_proj", "vision.pixels_pm1"},
    {"vision.embed.out", "vision.embed.pre_norm"},
    {"audio.input_proj", "audio.subsample.flat"},
    {"audio.embed.out", "audio.embed.pre_norm"},
    {"unified.vision.dense", "unified.vision.ln1"},
    {"moe.router_logits", "moe.router_in"},
    {"moe.gate_up", "moe.norm_in"},
    {"ple.gate", "ffn.residual"},
    {"ple.proj", "ple.mul"},
    {"text.ple.proj", "text.embed"},
    {"text.logits_raw", "text.final_norm"},
    {"pre_proj", "concat"},
    {"post_proj", "norm"},
    {"centroid_logits", "norm"},
    {"logits", "norm"},
};

double terms_of(const Tap& tap, const Tap& input) {
  const bool rows = tap.shape.size() > 1 && !input.shape.empty();
  const std::size_t count = rows ? input.shape[0] : 1;
  return static_cast<double>(input.values.size()) /
         static_cast<double>(std::max<std::size_t>(count, 1));
}

}  // namespace

double product_step(const Tap& tap, const TapSet& taps) {
  const std::string leaf = tap_leaf(tap.name);
  for (const Product& product : kProducts) {
    if (product.leaf != leaf) {
      continue;
    }
    if (const Tap* input = taps.find(tap_prefix(tap.name) + std::string(product.input))) {
      return kProductStep * std::sqrt(1 + terms_of(tap, *input) / kProductTerms);
    }
  }
  // Experts: the second product sums over the half of gate_up that GELU leaves.
  if (leaf == "moe.expert_out") {
    if (const Tap* both = taps.find(tap_prefix(tap.name) + "moe.gate_up")) {
      const double width = both->shape.empty() ? 2 : static_cast<double>(both->shape.back());
      return kProductStep * std::sqrt(1 + width / 2 / kProductTerms);
    }
  }
  return 0;
}

}  // namespace assay::conformance
