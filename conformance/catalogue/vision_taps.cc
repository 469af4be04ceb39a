// SPDX-License-Identifier: Apache-2.0
// Spec multimodal 7.2: taps of the vision encoder of E2B, E4B, 26B-A4B and 31B and of the
// projection behind it.
//
// N patches, H heads of width d, D = H d, n soft tokens. HF paths are below model.vision_tower but
// for those that begin with model; JAX below vision_encoder, B is
// transformer/stacked_layers/block; llama.cpp: cb() names, "-{i}" left out.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

using enum Presence;

constexpr TapEntry kBefore[] = {
    {"vision.pixels_pm1", "[N, 3 P P]", kMay, kReal, kVisionEncoder, "2 (patch - 1/2)", "RV-1",
     "patch_embedder.input_proj in", "inp_raw_scaled (as an image)", "entry/input_projection in"},
    {"vision.patch_proj", "[N, D]", kMay, kReal, kVisionEncoder, "Win pixels_pm1, never clipped",
     "RV-2", "patch_embedder.input_proj out", "inp", "entry/input_projection"},
    {"vision.pos_embed", "[N, D]", kMay, kReal, kVisionEncoder,
     "table[0][x] + table[1][y]; padding slots would get 0", "RV-3",
     "patch_embedder._position_embeddings", "-", "factorized_posemb"},
    {"vision.patch_embed", "[N, D]", kMust, kReal, kVisionEncoder, "patch_proj + pos_embed", "RV-4",
     "patch_embedder out", "pos_embd", "entry out"},
    {"vision.rope.angles", "[N, d]", kMay, kReal, kVisionEncoder,
     "x times 100^(-2j/(d/2)) for the first half, y for the second; each list twice", "RV-9",
     "encoder.rotary_emb gives cosine and sine", "-", "in apply_rope"},
};

constexpr TapEntry kLayer[] = {
    {"vision.layer.{i}.attn_norm", "[N, D]", kMay, kReal, kVisionEncoder, "RMSNorm(h, w_input)",
     "RV-6", "encoder.layers.{i}.input_layernorm out", "layer_inp_normed", "B/pre_attention_norm"},
    {"vision.layer.{i}.attn.q_proj", "[N, H*d]", kMay, kReal, kVisionEncoder,
     "Wq attn_norm, after the output clip", "RV-5", "encoder.layers.{i}.self_attn.q_proj out",
     "Qcur", "B/attn/q_einsum"},
    {"vision.layer.{i}.attn.k_proj", "[N, H*d]", kMay, kReal, kVisionEncoder,
     "Wk attn_norm, after the output clip", "RV-5", "encoder.layers.{i}.self_attn.k_proj out",
     "Kcur", "B/attn/kv_einsum[0]"},
    {"vision.layer.{i}.attn.v_proj", "[N, H*d]", kMay, kReal, kVisionEncoder,
     "Wv attn_norm, after the output clip", "RV-5", "encoder.layers.{i}.self_attn.v_proj out",
     "Vcur", "B/attn/kv_einsum[1]"},
    {"vision.layer.{i}.attn.q_norm", "[N, H, d]", kMust, kReal, kVisionEncoder,
     "RMSNorm over d of each head, one weight [d]", "RV-7",
     "encoder.layers.{i}.self_attn.q_norm out", "Qcur_norm_per_head", "B/attn/query_norm"},
    {"vision.layer.{i}.attn.k_norm", "[N, H, d]", kMust, kReal, kVisionEncoder,
     "RMSNorm over d of each head, one weight [d]", "RV-7",
     "encoder.layers.{i}.self_attn.k_norm out", "Kcur_norm_per_head", "B/attn/key_norm"},
    {"vision.layer.{i}.attn.v_norm", "[N, H, d]", kMust, kReal, kVisionEncoder,
     "RMSNorm over d of each head, without a weight and without rotation", "RV-8",
     "encoder.layers.{i}.self_attn.v_norm out", "Vcur_normed", "B/attn/value_norm"},
    {"vision.layer.{i}.attn.q_rope", "[N, H, d]", kMust, kReal, kVisionEncoder,
     "first half of each head turned by x, second by y, half-split pairs inside each", "RV-9 RV-10",
     "apply_multidimensional_rope, call 2i", "Qcur_pos", "apply_multidimensional_rope"},
    {"vision.layer.{i}.attn.k_rope", "[N, H, d]", kMust, kReal, kVisionEncoder, "as q_rope",
     "RV-9 RV-10", "apply_multidimensional_rope, call 2i + 1", "Kcur_pos",
     "apply_multidimensional_rope"},
    {"vision.layer.{i}.attn.logits", "[H, N, N]", kMay, kReal, kVisionEncoder,
     "q_rope . k_rope, times 1, no cap", "RV-11", "query key^T in eager_attention_forward", "-",
     "attn_logits"},
    {"vision.layer.{i}.attn.probs", "[H, N, N]", kMay, kReal, kVisionEncoder,
     "softmax over all patches of the image; no mask but that of padding", "RV-12",
     "encoder.layers.{i}.self_attn out[1] (eager)", "-", "attn_weights"},
    {"vision.layer.{i}.attn.context", "[N, D]", kMust, kReal, kVisionEncoder,
     "sum of probs v_norm, heads one after another", "RV-13",
     "encoder.layers.{i}.self_attn.o_proj in", "-", "B/attn/attn_vec_einsum in"},
    {"vision.layer.{i}.attn.o_proj", "[N, D]", kMust, kReal, kVisionEncoder,
     "Wo context, after the output clip", "RV-13 RV-5", "encoder.layers.{i}.self_attn.o_proj out",
     "attn_out", "B/attn/attn_vec_einsum"},
    {"vision.layer.{i}.attn_post_norm", "[N, D]", kMay, kReal, kVisionEncoder,
     "RMSNorm(o_proj, w_post_attention)", "RV-14",
     "encoder.layers.{i}.post_attention_layernorm out", "attn_post_normed",
     "B/post_attention_norm"},
    {"vision.layer.{i}.attn_residual", "[N, D]", kMust, kReal, kVisionEncoder, "h + attn_post_norm",
     "RV-14", "encoder.layers.{i}.pre_feedforward_layernorm in", "ffn_inp", "B/pre_ffw_norm in"},
    {"vision.layer.{i}.ffn_norm", "[N, D]", kMay, kReal, kVisionEncoder,
     "RMSNorm(attn_residual, w_pre_ffn)", "RV-15",
     "encoder.layers.{i}.pre_feedforward_layernorm out", "ffn_inp_normed", "B/pre_ffw_norm"},
    {"vision.layer.{i}.mlp.gate", "[N, F]", kMay, kReal, kVisionEncoder,
     "Wgate ffn_norm, after the output clip", "RV-15 RV-5", "encoder.layers.{i}.mlp.gate_proj out",
     "-", "B/mlp/gating_einsum[0]"},
    {"vision.layer.{i}.mlp.up", "[N, F]", kMay, kReal, kVisionEncoder,
     "Wup ffn_norm, after the output clip", "RV-15 RV-5", "encoder.layers.{i}.mlp.up_proj out", "-",
     "B/mlp/gating_einsum[1]"},
    {"vision.layer.{i}.mlp.act", "[N, F]", kMust, kReal, kVisionEncoder,
     "GELU(gate) * up, tanh form, before the input clip of Wdown", "RV-15",
     "encoder.layers.{i}.mlp.down_proj in", "-", "B/mlp/linear in"},
    {"vision.layer.{i}.mlp.down", "[N, D]", kMay, kReal, kVisionEncoder,
     "Wdown act, after the output clip", "RV-15 RV-5", "encoder.layers.{i}.mlp.down_proj out",
     "ffn_out", "B/mlp/linear"},
    {"vision.layer.{i}.ffn_post_norm", "[N, D]", kMay, kReal, kVisionEncoder,
     "RMSNorm(down, w_post_ffn)", "RV-16", "encoder.layers.{i}.post_feedforward_layernorm out",
     "ffn_post_normed", "B/post_ffw_norm"},
    {"vision.layer.{i}.out", "[N, D]", kMust, kReal, kVisionEncoder,
     "attn_residual + ffn_post_norm; nothing follows the last layer", "RV-16",
     "encoder.layers.{i} out", "layer_out", "B out"},
};

constexpr TapEntry kAfter[] = {
    {"vision.pool", "[n, D]", kMay, kReal, kVisionEncoder,
     "the mean of each 3 x 3 patches, cells in raster order", "RV-17",
     "pooler._avg_pool_by_positions", "-", "avg_pool_by_positions"},
    {"vision.pool_scaled", "[n, D]", kMust, kReal, kVisionEncoder, "pool * sqrt(D)", "RV-18",
     "pooler out[0], valid rows", "pooled", "exit out"},
    {"vision.standardized", "[n, D]", kMust, kReal, kStandardize,
     "(pool_scaled - std_bias) * std_scale", "RV-19", "last_hidden_state", "std_scaled",
     "standardize out"},
    {"vision.tower_out", "[n, D]", kMust, kReal, kVisionEncoder,
     "the rows of cells that hold patches", "RV-20", "last_hidden_state", "-",
     "extract_soft_tokens"},
    {"vision.embed.pre_norm", "[n, D]", kMust, kReal, kVisionEmbedder,
     "RMSNorm of tower_out, or in the 12B of unified.vision.ln3, without a weight", "RV-21 RU-4",
     "model.embed_vision.embedding_pre_projection_norm out (12B: below multimodal_embedder)", "-",
     "embedder/mm_pre_projection_norm"},
    {"vision.embed.out", "[n, Dtext]", kMust, kReal, kVisionEmbedder,
     "Wembed pre_norm: the soft-token embeddings, not scaled", "RV-21 RU-4 RX-12",
     "model.embed_vision out, valid rows", "projected", "embedder/mm_input_projection"},
};

}  // namespace

std::span<const TapEntry> vision_taps_before_layers() {
  return kBefore;
}
std::span<const TapEntry> vision_layer_taps() {
  return kLayer;
}
std::span<const TapEntry> vision_taps_after_layers() {
  return kAfter;
}

}  // namespace assay::conformance
