// SPDX-License-Identifier: Apache-2.0
// Spec text 4.1, multimodal 7.4: taps of the whole model, before the first layer and after the
// last.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

using enum Presence;

constexpr TapEntry kTaps[] = {
    {"text.ids_expanded", "[T]", kMay, kWhole, kMediaPrompt,
     "the prompt's ids, one placeholder id for each soft-token embedding",
     "RX-5 RX-6 RX-7 RX-8 RA-10", "input_ids", "-", "tokens with negative placeholders"},
    {"text.mm_type", "[T]", kMay, kWhole, kMediaPrompt,
     "0 text and all begin and end tokens, 1 image, 2 video, 3 audio", "RX-9", "mm_token_type_ids",
     "-", "-"},
    {"text.ids", "[T]", kMay, kWhole, kAlways,
     "the token ids of the call, placeholders already replaced by the id that is looked up",
     "R-10 RX-10", "llm_input_ids (local variable)", "inp_tokens", "tokens"},
    {"text.positions", "[T]", kMay, kWhole, kAlways,
     "0, 1, 2, … over all tokens; with padding max(0, cumsum(valid) - 1)", "R-11 RX-13",
     "position_ids", "inp_pos", "positions"},
    {"text.embed_rows", "[T, D]", kMay, kReal, kAlways, "Emb[id_t]", "R-12", "-", "inp_embd", "-"},
    {"text.embed_scaled", "[T, D]", kMust, kReal, kAlways, "Emb[id_t] * sqrt(D)", "R-12",
     "embed_tokens out", "inp_scaled", "embedder.encode"},
    {"text.embed", "[T, D]", kMust, kReal, kAlways,
     "h_0: the scaled row, or the unscaled soft-token embedding at a placeholder",
     "R-13 RX-11 RX-12", "layers.0 in", "inp_scaled, or the raw embedding batch",
     "_merge_mm_embeddings out"},
    {"text.ple.ids", "[T]", kMay, kWhole, kPle, "id_t, but 0 (pad) at placeholders", "R-14 RX-16",
     "-", "inp_tokens", "t in encode_per_layer_input"},
    {"text.ple.token", "[T, L, P]", kMust, kReal, kPle, "PLE[pid_t, l*P + j] * sqrt(P)",
     "R-15 RX-16", "embed_tokens_per_layer out, reshaped",
     "inp_per_layer_selected; soft tokens: inp_per_layer_multimodal", "y"},
    {"text.ple.proj", "[T, L, P]", kMay, kReal, kPle, "Wp h_0, without the factor D^(-1/2)", "R-16",
     "per_layer_model_projection out", "-", "per_layer_model_projection (includes D^(-1/2))"},
    {"text.ple.ctx", "[T, L, P]", kMust, kReal, kPle,
     "RMSNorm over P of Wp h_0 D^(-1/2), one weight [P] for all layers", "R-16 R-03 RX-16",
     "per_layer_projection_norm out", "per_layer_proj", "per_layer_projection_norm"},
    {"text.ple.in", "[T, L, P]", kMust, kReal, kPle, "(ctx + token) * 2^(-1/2)", "R-17",
     "per_layer_input argument of layers.{i}", "inp_per_layer (axes [P, T, L])",
     "encode_per_layer_input out"},
    {"text.rope.local.cos", "[T, hd/2]", kMay, kReal, kAlways,
     "cos(position * theta^(-2i/hd)), sliding layers", "R-21 R-22",
     "rotary_emb out (both halves stored)", "-", "sinusoids in apply_rope"},
    {"text.rope.local.sin", "[T, hd/2]", kMay, kReal, kAlways,
     "sin(position * theta^(-2i/hd)), sliding layers", "R-21 R-22",
     "rotary_emb out (both halves stored)", "-", "sinusoids in apply_rope"},
    {"text.rope.global.cos", "[T, hd/2]", kMay, kReal, kAlways,
     "cos(position * phi_i), full layers; phi_i = 0 beyond the rotating pairs", "R-21 R-22",
     "rotary_emb out (both halves stored)", "-", "sinusoids in apply_rope"},
    {"text.rope.global.sin", "[T, hd/2]", kMay, kReal, kAlways,
     "sin(position * phi_i), full layers; phi_i = 0 beyond the rotating pairs", "R-21 R-22",
     "rotary_emb out (both halves stored)", "-", "sinusoids in apply_rope"},
    {"text.mask.local", "[T, S]", kMust, kWhole, kAlways,
     "(s <= q or same vision block) and q - W < s < q + W", "R-24 R-25 R-26 RX-14 RX-15 RX-17",
     "mask dictionary, sliding_attention", "inp_kq_mask_swa", "attn_mask after the window"},
    {"text.mask.global", "[T, S]", kMust, kWhole, kAlways, "s <= q", "R-23 RX-14",
     "mask dictionary, full_attention", "inp_kq_mask", "attn_mask"},
    {"text.final_norm", "[T, D]", kMust, kReal, kAlways, "n = RMSNorm(h_L, w_final)", "R-60 R-03",
     "norm out (also the last entry of output_hidden_states)", "result_norm", "final_norm"},
    {"text.logits_raw", "[T, V]", kMust, kReal, kAlways, "Emb n, tied and unscaled", "R-60",
     "lm_head out", "(before the softcap)", "embedder.decode"},
    {"text.logits", "[T, V]", kMust, kReal, kAlways, "c tanh(logits_raw / c), c = 30", "R-07 R-60",
     ".logits", "result_output", "Output.logits"},
};

constexpr std::size_t kAfterLayers = 3;  // final_norm, logits_raw, logits

}  // namespace

std::span<const TapEntry> model_taps() {
  return kTaps;
}
std::size_t model_taps_before_layers() {
  return std::size(kTaps) - kAfterLayers;
}

}  // namespace assay::conformance
