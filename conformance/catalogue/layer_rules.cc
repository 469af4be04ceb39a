// SPDX-License-Identifier: Apache-2.0
// The rules of the layers, the output, the cache, the drafters and the loader.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Rule kRules[] = {
    {"R-30", "queries",
     "q = Wq x with x = RMSNorm(r, w_input), split into heads one after another."},
    {"R-31", "query norm",
     "Each query head is normalised over hd, with one weight for all heads, and then rotated."},
    {"R-32", "keys",
     "In layers that own keys: k = Wk x, normalised like the queries with its own weight, then "
     "rotated."},
    {"R-33", "values",
     "v = Wv x; on full layers of models with attention_k_eq_v it is the raw Wk x, taken before "
     "norm and rotation. Values are normalised without a weight and never rotated."},
    {"R-34", "context",
     "New keys and values join the layer's cache with their positions; a sharing layer takes its "
     "source's whole context instead."},
    {"R-35", "scores",
     "q . k of key head floor(h / (Hq / Hkv)), times 1.0: no 1/sqrt(hd), no softcap."},
    {"R-36", "attention weights", "Softmax of the masked scores over the keys."},
    {"R-37", "mixing", "m[t, h] = sum over s of p v of key head floor(h / (Hq / Hkv))."},
    {"R-38", "attention output", "Wo on the heads, laid one after another."},
    {"R-39", "attention residual",
     "h = r + RMSNorm(o, w_post_attention): the norm comes before the addition."},
    {"R-40", "sharing layers",
     "They make their own queries and read the source's keys and values as they are, without "
     "another norm, rotation or append. Weights for keys and values that a file still holds for "
     "them are ignored."},
    {"R-41", "feed-forward", "Wdown (GELU(Wgate x) * (Wup x)) with x = RMSNorm(r, w_pre_ffn)."},
    {"R-42", "feed-forward residual", "Dense models: h = r + RMSNorm(y, w_post_ffn)."},
    {"R-50", "dense branch beside the experts",
     "y1 = RMSNorm(FFN(RMSNorm(r, w_pre_ffn)), w_post_ffn_1)."},
    {"R-51", "router input",
     "u = RMSNorm(r) without a weight, times router.scale, times D^(-1/2); taken from the residual "
     "itself, not from what any other norm made of it."},
    {"R-52", "router", "g = Wr u, then softmax over all experts in fp32."},
    {"R-53", "choice of experts",
     "The k largest probabilities, largest first; of equals the lower index."},
    {"R-54", "expert weights",
     "The chosen probabilities are divided by their sum and then multiplied by per_expert_scale, "
     "never the other way round. A later norm hides most mistakes here: look at moe.topk_weight."},
    {"R-55", "experts",
     "z_e = down_e (GELU(G_e x2) * (U_e x2)) with x2 = RMSNorm(r, w_pre_ffn_2). In gate_up_proj "
     "the first f rows are the gate, the last f the other half."},
    {"R-56", "expert branch", "y2 = RMSNorm(sum of weight z_e, w_post_ffn_2)."},
    {"R-57", "merge of the branches", "h = r + RMSNorm(y1 + y2, w_post_ffn)."},
    {"R-58", "per-layer block",
     "After the feed-forward residual: h + RMSNorm(Wproj (GELU(Wgate h) * pl[:, i]), w_ple). The "
     "norm hides common scale errors."},
    {"R-59", "layer scalar",
     "The last step of every layer multiplies the whole stream, residual included, by one number."},
    {"R-60", "output",
     "n = RMSNorm(h, w_final); logits are the embedding table times n, unscaled, then capped. A "
     "drafter is given n."},
    {"R-61", "cache", "Keys are kept normalised and rotated, values normalised."},
    {"R-62", "sliding cache",
     "W - 1 entries before the present token are needed. A ring of W slots that takes the present "
     "token first is right; in a chunk, W - 1 old entries and all new ones must be seen."},
    {"R-63", "full cache", "Full layers keep every entry; sharing layers keep none."},
    {"R-64", "sharing and chunks",
     "A sharing sliding layer needs its source's view before it is trimmed."},
    {"R-65", "rollback", "Taking back r tokens needs W - 1 + r kept entries on sliding layers."},
    {"R-70", "drafter input",
     "concat(target's row of x_p times sqrt(B), the target's n at p - 1), the token first."},
    {"R-71", "drafter projection", "h = Wpre c."},
    {"R-72", "drafter layers",
     "Decoder layers with queries only. Sliding ones read the target's last sliding layer that "
     "owns keys, the full one the last such full layer."},
    {"R-73", "drafter position", "Every step of a round asks from position p."},
    {"R-74", "drafter keys",
     "All keys 0 … p - 1 on the full layer, a window of them on sliding layers; keys of rejected "
     "tokens are not there."},
    {"R-75", "drafter state",
     "m = RMSNorm(h, w_norm), and Wpost m takes the place of n in the next step."},
    {"R-76", "drafter logits", "The drafter's own table times m, without a cap."},
    {"R-77", "ordered head",
     "Centroids are scored first and only the tokens of the best are; every other token gets the "
     "smallest of those logits minus 1."},
    {"R-78", "speculative round",
     "Draft, let the target judge all drafts in one call, keep the longest prefix it agrees with "
     "and its own next choice, forget the rest. When sampling, a draft is kept with the target's "
     "probability of it, as drafts are made by argmax."},
    {"R-79", "speculation changes nothing",
     "Greedy output with a drafter equals greedy output without one, token for token."},
    {"R-80", "suppressed tokens",
     "The 12B's generation loop never chooses 258882 and 258883; the forward pass leaves their "
     "logits alone."},
    {"R-90", "loading",
     "Files of E2B and E4B are taken with and without keys and values for sharing layers. Any "
     "other missing tensor or wrong shape is an error, and unknown text tensors are reported."},
};

}  // namespace

std::span<const Rule> layer_rules() {
  return kRules;
}

}  // namespace assay::conformance
