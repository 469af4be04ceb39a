// SPDX-License-Identifier: Apache-2.0
// Spec multimodal 7.3: taps of the audio encoder of E2B and E4B and of the projection behind it.
//
// n rows of 40 ms, D = H d. HF paths are below model.audio_tower but for those that begin with
// model, S is subsample_conv_projection; JAX below audio_encoder, C is
// conformer/stacked_layers_{i}. HF adds in place behind some modules: clone in hooks.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

using enum Presence;

constexpr TapEntry kSubsampling[] = {
    {"audio.subsample.{s}.conv", "[C, T', F']", kMay, kReal, kAudioEncoder,
     "3 x 3 cross-correlation, stride 2, padding 1, no bias", "RC-1 RC-3", "S.layer{s}.conv out",
     "-", "feature/subsampling_{s}"},
    {"audio.subsample.{s}.norm", "[T', F', C]", kMay, kReal, kAudioEncoder,
     "LayerNorm over the channels, weight but no bias, eps 1e-6", "RC-2", "S.layer{s}.norm out",
     "-", "feature/norm_{s}"},
    {"audio.subsample.{s}.out", "[C, T', F']", kMust, kReal, kAudioEncoder, "max(norm, 0)", "RC-2",
     "S.layer{s} out[0]", "-", "-"},
};

constexpr TapEntry kBefore[] = {
    {"audio.subsample.flat", "[n, F'*C]", kMay, kReal, kAudioEncoder,
     "index f C + c: the channel runs fastest", "RC-4", "S.input_proj_linear in", "-",
     "feature/input_proj in"},
    {"audio.input_proj", "[n, D]", kMust, kReal, kAudioEncoder, "Win flat, no bias, never clipped",
     "RC-4", "S.input_proj_linear out", "-", "feature/input_proj"},
    {"audio.rel_pos_table", "[13, D]", kMay, kReal, kAudioEncoder,
     "row r, delta = 12 - r: sines of delta tau_i, then cosines", "RC-5", "rel_pos_enc out",
     "pos_emb input", "in relative_position_embedding"},
};

constexpr TapEntry kLayer[] = {
    {"audio.layer.{i}.ffn1.pre_norm", "[n, D]", kMay, kReal, kAudioEncoder,
     "RMSNorm(h, w_pre_layer)", "RC-6 RC-7", "layers.{i}.feed_forward1.pre_layer_norm out", "-",
     "C/fflayer_start/pre_layer_norm"},
    {"audio.layer.{i}.ffn1.up", "[n, F]", kMay, kReal, kAudioEncoder, "W1 pre_norm, clipped",
     "RC-7 RC-8", "layers.{i}.feed_forward1.ffw_layer_1 out", "-", "C/fflayer_start/ffn_layer1"},
    {"audio.layer.{i}.ffn1.act", "[n, F]", kMay, kReal, kAudioEncoder, "SiLU(up)", "RC-7",
     "layers.{i}.feed_forward1.ffw_layer_2 in", "-", "C/fflayer_start/ffn_layer2 in"},
    {"audio.layer.{i}.ffn1.down", "[n, D]", kMay, kReal, kAudioEncoder, "W2 act, clipped",
     "RC-7 RC-8", "layers.{i}.feed_forward1.ffw_layer_2 out", "-", "C/fflayer_start/ffn_layer2"},
    {"audio.layer.{i}.ffn1.post_norm", "[n, D]", kMay, kReal, kAudioEncoder,
     "RMSNorm(down, w_post_layer), before it is halved", "RC-6 RC-7",
     "layers.{i}.feed_forward1.post_layer_norm out (clone)", "-",
     "C/fflayer_start/post_layer_norm"},
    {"audio.layer.{i}.ffn1.out", "[n, D]", kMust, kReal, kAudioEncoder, "h + 1/2 post_norm", "RC-7",
     "layers.{i}.feed_forward1 out", "-", "C/fflayer_start out"},
    {"audio.layer.{i}.attn.pre_norm", "[n, D]", kMay, kReal, kAudioEncoder,
     "RMSNorm(ffn1.out, w_norm_pre_attn)", "RC-6", "layers.{i}.norm_pre_attn out", "-",
     "C/trans_atten/pre_norm"},
    {"audio.layer.{i}.attn.q_proj", "[n, D]", kMay, kReal, kAudioEncoder, "Wq pre_norm, clipped",
     "RC-8", "layers.{i}.self_attn.q_proj out", "-", "C/trans_atten/self_atten/query"},
    {"audio.layer.{i}.attn.k_proj", "[n, D]", kMay, kReal, kAudioEncoder, "Wk pre_norm, clipped",
     "RC-8", "layers.{i}.self_attn.k_proj out", "-", "C/trans_atten/self_atten/key"},
    {"audio.layer.{i}.attn.v_proj", "[n, D]", kMust, kReal, kAudioEncoder,
     "Wv pre_norm, clipped; attended as it is", "RC-8 RC-15", "layers.{i}.self_attn.v_proj out",
     "-", "C/trans_atten/self_atten/value"},
    {"audio.layer.{i}.attn.q_scaled", "[n, H, d]", kMust, kReal, kAudioEncoder,
     "q d^(-1/2) / ln 2 * softplus(per_dim_scale)", "RC-9",
     "layers.{i}.self_attn._convert_to_block in", "-", "after per_dim_scale"},
    {"audio.layer.{i}.attn.k_scaled", "[n, H, d]", kMust, kReal, kAudioEncoder,
     "k ln(1 + e) / ln 2", "RC-10", "layers.{i}.self_attn._extract_block_context in, first call",
     "-", "after the key scale"},
    {"audio.layer.{i}.attn.rel_k", "[13, H, d]", kMust, kReal, kAudioEncoder,
     "Wrel rel_pos_table: no clip, no key scale", "RC-11",
     "layers.{i}.self_attn.relative_k_proj out", "-", "relative_position_embedding/pos_proj"},
    {"audio.layer.{i}.attn.logits", "[H, n, n]", kMay, kReal, kAudioEncoder,
     "q_scaled[t] . (k_scaled[j] + rel_k(t - j)); 0 outside the window", "RC-12 RC-14",
     "argument of tanh times the cap, unblocked", "-", "logits of self_atten"},
    {"audio.layer.{i}.attn.logits_capped", "[H, n, n]", kMay, kReal, kAudioEncoder,
     "50 tanh(logits / 50), before the mask; 0 outside the window", "RC-13",
     "result of tanh times the cap, unblocked", "-", "logits after the cap"},
    {"audio.layer.{i}.attn.probs", "[H, n, n]", kMay, kReal, kAudioEncoder,
     "softmax over the keys with 0 <= t - j <= 11", "RC-14",
     "layers.{i}.self_attn out[1], unblocked", "-", "probabilities of self_atten"},
    {"audio.layer.{i}.attn.context", "[n, D]", kMust, kReal, kAudioEncoder,
     "sum of probs v, heads one after another", "RC-15", "layers.{i}.self_attn.post in", "-",
     "C/trans_atten/self_atten out"},
    {"audio.layer.{i}.attn.post", "[n, D]", kMay, kReal, kAudioEncoder, "Wpost context, clipped",
     "RC-15 RC-8", "layers.{i}.self_attn.post out", "-", "C/trans_atten/post"},
    {"audio.layer.{i}.attn.post_norm", "[n, D]", kMay, kReal, kAudioEncoder,
     "RMSNorm(post, w_norm_post_attn)", "RC-6 RC-15", "layers.{i}.norm_post_attn out (clone)", "-",
     "C/trans_atten/post_norm"},
    {"audio.layer.{i}.attn.residual", "[n, D]", kMust, kReal, kAudioEncoder, "ffn1.out + post_norm",
     "RC-15", "layers.{i}.lconv1d in", "-", "C/trans_atten out"},
    {"audio.layer.{i}.lconv.pre_norm", "[n, D]", kMay, kReal, kAudioEncoder,
     "RMSNorm(attn.residual, w_pre_layer)", "RC-16", "layers.{i}.lconv1d.pre_layer_norm out", "-",
     "C/lconv/ln"},
    {"audio.layer.{i}.lconv.linear_start", "[n, 2D]", kMay, kReal, kAudioEncoder,
     "Wstart pre_norm, clipped", "RC-16 RC-8", "layers.{i}.lconv1d.linear_start out", "-",
     "C/lconv/linear_start"},
    {"audio.layer.{i}.lconv.glu", "[n, D]", kMust, kReal, kAudioEncoder,
     "first half * sigmoid(second half)", "RC-16",
     "layers.{i}.lconv1d.depthwise_conv1d in, transposed", "-", "C/lconv/depthwise_conv1d in"},
    {"audio.layer.{i}.lconv.depthwise", "[n, D]", kMay, kReal, kAudioEncoder,
     "sum over k = 0 … 4 of w[c, k] glu[t - 4 + k, c], 0 before the start", "RC-17",
     "layers.{i}.lconv1d.depthwise_conv1d out, transposed", "-", "C/lconv/depthwise_conv1d"},
    {"audio.layer.{i}.lconv.conv_norm", "[n, D]", kMay, kReal, kAudioEncoder,
     "RMSNorm(depthwise, w_conv)", "RC-6 RC-18", "layers.{i}.lconv1d.conv_norm out", "-",
     "C/lconv/conv_norm"},
    {"audio.layer.{i}.lconv.act", "[n, D]", kMay, kReal, kAudioEncoder, "SiLU(conv_norm)", "RC-18",
     "layers.{i}.lconv1d.linear_end in", "-", "C/lconv/linear_end in"},
    {"audio.layer.{i}.lconv.linear_end", "[n, D]", kMay, kReal, kAudioEncoder, "Wend act, clipped",
     "RC-18 RC-8", "layers.{i}.lconv1d.linear_end out (clone)", "-", "C/lconv/linear_end"},
    {"audio.layer.{i}.lconv.out", "[n, D]", kMust, kReal, kAudioEncoder,
     "attn.residual + linear_end", "RC-18", "layers.{i}.lconv1d out", "-", "C/lconv out"},
    {"audio.layer.{i}.ffn2.pre_norm", "[n, D]", kMay, kReal, kAudioEncoder,
     "RMSNorm(lconv.out, w_pre_layer)", "RC-6 RC-7", "layers.{i}.feed_forward2.pre_layer_norm out",
     "-", "C/fflayer_end/pre_layer_norm"},
    {"audio.layer.{i}.ffn2.up", "[n, F]", kMay, kReal, kAudioEncoder, "W1 pre_norm, clipped",
     "RC-7 RC-8", "layers.{i}.feed_forward2.ffw_layer_1 out", "-", "C/fflayer_end/ffn_layer1"},
    {"audio.layer.{i}.ffn2.act", "[n, F]", kMay, kReal, kAudioEncoder, "SiLU(up)", "RC-7",
     "layers.{i}.feed_forward2.ffw_layer_2 in", "-", "C/fflayer_end/ffn_layer2 in"},
    {"audio.layer.{i}.ffn2.down", "[n, D]", kMay, kReal, kAudioEncoder, "W2 act, clipped",
     "RC-7 RC-8", "layers.{i}.feed_forward2.ffw_layer_2 out", "-", "C/fflayer_end/ffn_layer2"},
    {"audio.layer.{i}.ffn2.post_norm", "[n, D]", kMay, kReal, kAudioEncoder,
     "RMSNorm(down, w_post_layer), before it is halved", "RC-6 RC-7",
     "layers.{i}.feed_forward2.post_layer_norm out (clone)", "-", "C/fflayer_end/post_layer_norm"},
    {"audio.layer.{i}.ffn2.out", "[n, D]", kMust, kReal, kAudioEncoder, "lconv.out + 1/2 post_norm",
     "RC-7", "layers.{i}.feed_forward2 out", "-", "C/fflayer_end out"},
    {"audio.layer.{i}.out", "[n, D]", kMust, kReal, kAudioEncoder,
     "RMSNorm(ffn2.out, w_norm_out): the norm itself is the layer's output", "RC-6 RC-19",
     "layers.{i} out", "-", "C/final_ln"},
};

constexpr TapEntry kAfter[] = {
    {"audio.output_proj", "[n, O]", kMay, kReal, kAudioEncoder, "Wout h + b, never clipped",
     "RC-20", "output_proj out", "-", "output_projection"},
    {"audio.tower_out", "[n, O]", kMust, kReal, kAudioEncoder, "the rows made of valid frames",
     "RC-3 RC-20", "last_hidden_state, rows of attention_mask", "-", "first rows of the output"},
    {"audio.embed.pre_norm", "[n, O]", kMust, kReal, kAudioEmbedder,
     "RMSNorm of tower_out, or in the 12B of each row of 640 samples, without a weight",
     "RC-21 RU-7", "model.embed_audio.embedding_pre_projection_norm out", "-",
     "- (projects first, audio_input_projection)"},
    {"audio.embed.out", "[n, Dtext]", kMust, kReal, kAudioEmbedder,
     "Wembed pre_norm: the soft-token embeddings, not scaled", "RC-21 RU-7 RX-12",
     "model.embed_audio out", "-", "embedder/audio_soft_embedding_norm"},
};

}  // namespace

std::span<const TapEntry> audio_subsampling_taps() {
  return kSubsampling;
}
std::span<const TapEntry> audio_taps_before_layers() {
  return kBefore;
}
std::span<const TapEntry> audio_layer_taps() {
  return kLayer;
}
std::span<const TapEntry> audio_taps_after_layers() {
  return kAfter;
}

}  // namespace assay::conformance
