// SPDX-License-Identifier: Apache-2.0
// Mistakes in norms, scalars, embeddings, per-layer inputs and RoPE (spec text 7.1 to 7.3).
//
// The tap is where a comparison in execution order must fail first. "masked": the logits hardly
// move, only the tap shows it.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Mistake kMistakes[] = {
    {"M-01", "RMSNorm multiplies by 1 + w", "text.layer.{i}.attn.norm_in", "all"},
    {"M-02", "eps is added outside the root", "text.layer.{i}.attn.norm_in",
     "all; masked, needs a row with mean square below 1e-5"},
    {"M-03", "eps is 1e-5", "text.layer.{i}.attn.norm_in",
     "all; needs a row with mean square below 1e-5"},
    {"M-04", "the norm after attention is left out", "text.layer.{i}.attn.post_norm", "all"},
    {"M-05", "the norm after attention comes after the addition", "text.layer.{i}.attn.residual",
     "all"},
    {"M-06", "the norm after the feed-forward is left out", "text.layer.{i}.ffn.post_norm", "all"},
    {"M-07", "post_attention_layernorm is used as the norm before the feed-forward, as in Llama",
     "text.layer.{i}.attn.post_norm", "all; needs distinct weights"},
    {"M-08", "the layer scalar is left out", "text.layer.{i}.out",
     "all; needs scalars other than 1"},
    {"M-09", "the layer scalar multiplies the branches but not the residual", "text.layer.{i}.out",
     "all; needs scalars other than 1"},
    {"M-10", "the layer scalar comes before the per-layer block", "text.layer.{i}.out", "E2B, E4B"},
    {"M-11", "the final norm is skipped", "text.final_norm", "all"},
    {"M-12", "values are not normalised", "text.layer.{i}.attn.v_norm", "all"},
    {"M-13", "values are normalised with the key norm's weight", "text.layer.{i}.attn.v_norm",
     "all; needs a key norm weight that is not constant"},
    {"M-14", "queries are not normalised", "text.layer.{i}.attn.q_norm", "all"},
    {"M-15", "queries and keys are normalised over all heads at once", "text.layer.{i}.attn.q_norm",
     "all; needs heads of unequal size"},
    {"M-16", "the weights of query norm and key norm are swapped", "text.layer.{i}.attn.q_norm",
     "all; needs distinct weights"},
    {"M-17", "the scalar of the next layer is used", "text.layer.{i}.out",
     "all; needs distinct scalars"},
    {"M-20", "sqrt(D) is left out", "text.embed_scaled", "all"},
    {"M-21", "sqrt(D) is rounded to bf16 where the profile says fp32", "text.embed_scaled",
     "all; at most 0.25 % at real widths"},
    {"M-22", "soft-token embeddings are multiplied by sqrt(D)", "text.embed",
     "all; needs soft tokens"},
    {"M-23", "the output embedding is multiplied by sqrt(D)", "text.logits_raw", "all"},
    {"M-24", "the per-layer table is read at the placeholder's own row", "text.ple.token",
     "E2B, E4B; needs soft tokens"},
    {"M-25", "the per-layer token part is zero at soft tokens", "text.ple.token",
     "E2B, E4B; needs a pad row that is not 0"},
    {"M-26", "the pad row is not multiplied by sqrt(P) at soft tokens", "text.ple.token",
     "E2B, E4B; needs a pad row that is not 0"},
    {"M-27", "soft tokens get the context part alone", "text.ple.in", "E2B, E4B"},
    {"M-28", "the tokens around an image read the pad row, too", "text.ple.token",
     "E2B, E4B; needs a begin-of-image token"},
    {"M-29", "sqrt(P) is left out", "text.ple.token", "E2B, E4B"},
    {"M-30", "the per-layer table is unpacked as [P, L]", "text.ple.token", "E2B, E4B"},
    {"M-31", "the context part is made before soft-token embeddings are merged", "text.ple.ctx",
     "E2B, E4B; needs soft tokens"},
    {"M-32", "the context part is made from the unscaled embedding", "text.ple.ctx",
     "E2B, E4B; masked, needs a row of small norm"},
    {"M-33", "D^(-1/2) is left out of the context part", "text.ple.ctx",
     "E2B, E4B; masked, needs a row of small norm"},
    {"M-34", "the context part is normalised over all layers at once", "text.ple.ctx", "E2B, E4B"},
    {"M-35", "2^(-1/2) is left out", "text.ple.in", "E2B, E4B; nearly masked"},
    {"M-36", "the per-layer gate reads the residual before the feed-forward",
     "text.layer.{i}.ple.gate", "E2B, E4B"},
    {"M-37", "the next layer's per-layer input is used", "text.layer.{i}.ple.mul", "E2B, E4B"},
    {"M-38", "the per-layer gate has no GELU", "text.layer.{i}.ple.mul", "E2B, E4B"},
    {"M-39", "the norm after the per-layer projection is left out", "text.layer.{i}.ple.norm",
     "E2B, E4B"},
    {"M-40", "the per-layer block comes before the feed-forward", "text.layer.{i}.ple.gate",
     "E2B, E4B"},
    {"M-45", "theta of sliding and full layers is swapped", "text.layer.{i}.attn.q_rope", "all"},
    {"M-46", "full layers rotate all channels", "text.layer.{i}.attn.q_rope", "all, full layers"},
    {"M-47", "the exponent of full layers is divided by the rotated width",
     "text.layer.{i}.attn.q_rope", "all, full layers; needs a position above 0"},
    {"M-48", "full layers rotate their first quarter of channels among themselves",
     "text.layer.{i}.attn.q_rope", "all, full layers"},
    {"M-49", "RoPE pairs are interleaved", "text.layer.{i}.attn.q_rope", "all"},
    {"M-50", "the sign of the rotation is reversed for queries and keys",
     "text.layer.{i}.attn.q_rope", "all"},
    {"M-51", "RoPE comes before the query and key norms", "text.layer.{i}.attn.q_rope",
     "all; needs a query norm weight that is not constant"},
    {"M-52", "values are rotated", "text.layer.{i}.attn.v_norm", "all"},
    {"M-53", "positions are off by one in decode", "text.layer.{i}.attn.q_rope",
     "all; needs prefill and decode"},
    {"M-54", "positions start again with every chunk", "text.layer.{i}.attn.q_rope",
     "all; needs two chunks"},
    {"M-55", "angles are accumulated in fp32", "text.layer.{i}.attn.q_rope",
     "all; needs a position from 8192 on"},
    {"M-56", "frequency factors are multiplied with instead of divided by",
     "text.layer.{i}.attn.q_rope", "all, full layers; GGUF loaders"},
    {"M-57", "frequency factors are applied to sliding layers", "text.layer.{i}.attn.q_rope",
     "all, sliding layers; GGUF loaders"},
};

}  // namespace

std::span<const Mistake> early_mistakes() {
  return kMistakes;
}

}  // namespace assay::conformance
