// SPDX-License-Identifier: Apache-2.0
// The rules of spec text 1 and 2, up to the masks, in a sentence or two each.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Rule kRules[] = {
    {"R-01", "key-value sharing",
     "The last num_kv_shared_layers layers have no keys and values of their own: each reads the "
     "last layer before them that is of its own kind. A config without such a layer is refused."},
    {"R-02", "linear map",
     "y[o] = sum over i of W[o, i] x[i], accumulated in fp32 or wider. No map of the text model "
     "has a bias."},
    {"R-03", "RMSNorm",
     "y = x / sqrt(mean(x^2) + eps) * w over the last axis: eps is inside the root, and the "
     "weight is used as stored, not as 1 + w."},
    {"R-04", "RMSNorm without a weight",
     "The same without w; values and the router's input are normalised so."},
    {"R-05", "GELU",
     "The tanh form, 1/2 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), in the feed-forward, the "
     "experts and the per-layer gate. The erf form differs by up to 4.7e-4."},
    {"R-06", "softmax",
     "The row's maximum is subtracted first, sums are fp32 or wider, a hidden key gets exactly 0. "
     "Rows of padding queries may hold anything finite."},
    {"R-07", "softcap",
     "c tanh(x / c) with c = 30 on the final logits and nowhere else. It keeps their order, except "
     "where two of them saturate to the same number."},
    {"R-10", "soft-token embeddings",
     "A prompt may hold placeholder ids for images, videos and audio; the vectors that replace "
     "them come in order of appearance and there must be exactly one for each placeholder."},
    {"R-11", "positions",
     "One number per position, counting text and soft tokens alike from 0; with padding, max(0, "
     "cumsum(valid) - 1)."},
    {"R-12", "embedding scale",
     "A looked-up row is multiplied by sqrt(D), in fp32 in the normative profile and first rounded "
     "to bf16 where the checkpoint's Python ancestors are imitated. The output side is not "
     "scaled."},
    {"R-13", "merging soft-token embeddings",
     "At a placeholder the row is replaced by the soft-token embedding as it is, without sqrt(D). "
     "The "
     "tokens that begin and end an image or an audio clip are ordinary ones."},
    {"R-14", "per-layer ids",
     "The per-layer table is read at the token's own id, but at id 0 (pad) where a placeholder "
     "stands. The pad row is not zero."},
    {"R-15", "per-layer token part",
     "tok[t, l, j] = PLE[pid_t, l P + j] sqrt(P): layer l owns columns l P to l P + P - 1."},
    {"R-16", "per-layer context part",
     "Wp h_0 D^(-1/2), with h_0 scaled and merged, cut into layers, then normalised over P with "
     "one weight for all layers. The factor D^(-1/2) shows only through eps."},
    {"R-17", "per-layer input", "(ctx + tok) 2^(-1/2), at soft tokens as everywhere."},
    {"R-20", "RoPE pairs",
     "Channel i turns with channel i + hd/2: (x cos a - x' sin a, x' cos a + x sin a) with a = "
     "position phi_i. Pairs are not interleaved."},
    {"R-21", "RoPE frequencies",
     "Sliding layers: phi_i = theta^(-2i/hd) for all pairs. Full layers: only the first "
     "floor(rho hd/2) pairs turn, with the full head width in the exponent; the others have phi = "
     "0 and pass through unchanged."},
    {"R-22", "RoPE precision",
     "Angles are evaluated in fp64, or with exact range reduction, and only cosine and sine are "
     "narrowed. fp32 angles are off by 5e-3 and more at long contexts."},
    {"R-23", "causal mask", "On full layers a key is visible if and only if s <= q."},
    {"R-24", "sliding window",
     "On sliding layers also s > q - W: W keys, the query's own among them."},
    {"R-25", "vision blocks",
     "In the 12B, 26B and 31B a run of adjacent image or video placeholders is a block whose "
     "members see each other, on sliding layers only. Audio stays causal; E2B and E4B have no "
     "blocks."},
    {"R-26", "window after blocks",
     "The window is applied after the block rule and on both sides, |q - s| < W, so that a block "
     "longer than W is not fully connected."},
    {"R-27", "blocks and chunks",
     "A decoded token has no block. A chunk of a prompt must not cut a block; who cannot promise "
     "that must refuse."},
};

}  // namespace

std::span<const Rule> input_rules() {
  return kRules;
}

}  // namespace assay::conformance
