// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/places.h"

#include <algorithm>

namespace assay::conformance {

const std::vector<Place>& decoder_norms() {
  static const std::vector<Place> kNorms = {
      {"attn.norm_in", "in", "input_layernorm.weight"},
      {"attn.q_norm", "attn.q_proj", "self_attn.q_norm.weight"},
      {"attn.k_norm", "attn.k_proj", "self_attn.k_norm.weight"},
      {"attn.v_norm", "attn.v_proj", ""},
      {"attn.post_norm", "attn.o_proj", "post_attention_layernorm.weight"},
      {"ffn.norm_in", "attn.residual", "pre_feedforward_layernorm.weight"},
      {"moe.dense_norm", "ffn.down", "post_feedforward_layernorm_1.weight"},
      {"moe.router_norm", "attn.residual", ""},
      {"moe.norm_in", "attn.residual", "pre_feedforward_layernorm_2.weight"},
      {"moe.norm_out", "moe.sum", "post_feedforward_layernorm_2.weight"},
      {"ffn.post_norm", "", "post_feedforward_layernorm.weight"},
      {"ple.norm", "ple.proj", "post_per_layer_input_norm.weight"}};
  return kNorms;
}

const std::vector<Place>& decoder_products() {
  static const std::vector<Place> kProducts = {
      {"attn.q_proj", "attn.norm_in", "self_attn.q_proj.weight"},
      {"attn.k_proj", "attn.norm_in", "self_attn.k_proj.weight"},
      {"attn.o_proj", "attn.mix", "self_attn.o_proj.weight"},
      {"ffn.gate", "ffn.norm_in", "mlp.gate_proj.weight"},
      {"ffn.up", "ffn.norm_in", "mlp.up_proj.weight"},
      {"ffn.down", "ffn.mul", "mlp.down_proj.weight"},
      {"moe.router_logits", "moe.router_in", "router.proj.weight"},
      {"ple.gate", "ffn.residual", "per_layer_input_gate.weight"},
      {"ple.proj", "ple.mul", "per_layer_projection.weight"}};
  return kProducts;
}

const Tap& norm_input(const Scene& scene, const Place& norm) {
  if (!norm.input.empty()) {
    return scene.tap(norm.input);
  }
  return scene.has("moe.combined") ? scene.tap("moe.combined") : scene.tap("ffn.down");
}

Numbers norm_at(const Scene& scene, const Place& norm, const Tap& x, const Tap& tap,
                const NormOptions& options) {
  static const Numbers kNone;
  return rms_norm(x.values, tap.shape.back(),
                  norm.weight.empty() ? kNone : scene.weight(norm.weight).values, options);
}

const Tap& encoder_layer_in(const Scene& scene, const std::string& first) {
  const std::string media(media_prefix(scene.prefix()));
  const std::string layers = media + first.substr(0, first.find('.')) + ".layer.";
  return scene.layer() == 0 ? scene.named(media + first)
                            : scene.named(layers + std::to_string(scene.layer() - 1) + ".out");
}

const Tap& encoder_input(const Scene& scene, const std::string& input, const std::string& first) {
  return input.empty() ? encoder_layer_in(scene, first) : scene.tap(input);
}

Mutant clip_mutant(const std::string& label, const std::string& layer,
                   const std::vector<Place>& products, const Clip& change,
                   const std::string& what) {
  Mutant all{label, what, {}, layer + products.front().tap};
  for (const Place& product : products) {
    all.rewrites.push_back(
        {layer + product.tap, [=](Scene& s, Tap& t) {
           const auto bound = [&](const char* name) {
             return s.weight(product.weight + name).values.at(0);
           };
           Bounds b{bound("input_min"), bound("input_max"), bound("output_min"),
                    bound("output_max")};
           change(b);
           const Numbers x = map(s.tap(product.input).values,
                                 [&](double v) { return std::clamp(v, b.in_min, b.in_max); });
           t.values = map(linear(x, s.weight(product.weight + "linear.weight")),
                          [&](double v) { return std::clamp(v, b.out_min, b.out_max); });
         }});
  }
  return all;
}

}  // namespace assay::conformance
