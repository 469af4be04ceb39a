// SPDX-License-Identifier: Apache-2.0
// The rules of spec multimodal 3: the vision encoder, and what the 12B has instead of encoders.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Rule kRules[] = {
    {"RV-1", "centring", "The encoder itself takes values from [0, 1] to 2 (v - 1/2)."},
    {"RV-2", "patch projection", "A linear map without a bias that is never clipped."},
    {"RV-3", "position tables",
     "Two learned tables, [axis, row, channel]: table[0][x] + table[1][y]. Padding slots get 0."},
    {"RV-4", "patch embedding", "Projection plus position; no norm and no factor follow."},
    {"RV-5", "clipped linear maps",
     "In E2B and E4B all seven maps of a layer clamp their input and their output to four stored "
     "numbers, which are finite and not symmetric; they are part of the function. 26B-A4B and 31B "
     "have plain maps."},
    {"RV-6", "norms of the encoder",
     "RMSNorm with eps 1e-6 inside the root and the weight as it is stored, as in R-03."},
    {"RV-7", "query and key norm",
     "Each head is normalised over its own d channels, with one weight [d] for all heads, before "
     "it is rotated."},
    {"RV-8", "values", "Normalised over d without a weight, never rotated."},
    {"RV-9", "angles of a patch",
     "For half a head, a = d / 2 channels: omega_j = 100^(-2j/a), j = 0 … a/2 - 1, the same list "
     "for both axes; the exponent has a, not d. The angle is the coordinate times omega_j."},
    {"RV-10", "pairs of channels",
     "The first half of a head is turned by x, the second by y. Inside each half channel j turns "
     "with channel a/2 + j: (u cos - u' sin, u' cos + u sin)."},
    {"RV-11", "scores",
     "q . k, times 1.0 and without a cap; there are as many key as query heads."},
    {"RV-12", "attention",
     "Every patch sees every patch of its own image and nothing else. Padding slots are removed "
     "before the softmax; without any, there is no mask."},
    {"RV-13", "attention output", "Heads are laid one after another, index h d + c, then Wo."},
    {"RV-14", "attention residual", "h + RMSNorm(o, w_post_attention): the norm comes first."},
    {"RV-15", "feed-forward",
     "Wdown (GELU(Wgate x) * Wup x) with the tanh form of R-05; the input clamp of Wdown acts on "
     "the product."},
    {"RV-16", "feed-forward residual",
     "h + RMSNorm(y, w_post_ffn). The last layer's sum goes to the pool as it is: the encoder has "
     "no final norm."},
    {"RV-17", "pooling",
     "The mean over each 3 x 3 patches: padding rows count 0, and the cell is floor(x / 3) + "
     "(columns / 3) floor(y / 3) with columns = 1 + the largest x."},
    {"RV-18", "scale of the pool",
     "Pooled rows are multiplied by sqrt(D). In E2B and E4B the norm of the projection hides this "
     "factor and the division by 9; in 26B-A4B and 31B it does not."},
    {"RV-19", "standardising", "26B-A4B and 31B only: (x - std_bias) std_scale, after the factor."},
    {"RV-20", "rows of the encoder", "Cells without patches are removed, the others keep order."},
    {"RV-21", "projection",
     "RMSNorm over D without a weight, eps 1e-6, then a linear map to the text width: no bias, no "
     "clip."},
    {"RU-1", "12B: first norm",
     "LayerNorm with weight and bias over the 6912 values of a patch in [0, 1], eps 1e-5. The eps "
     "of the config, 1e-6, belongs to the norm of the projection alone."},
    {"RU-2", "12B: dense map", "A linear map with a bias, then a second such LayerNorm."},
    {"RU-3", "12B: position table",
     "One table [row, axis, channel]: + table[x, 0] + table[y, 1]; a coordinate of -1 adds "
     "nothing. The encoders store theirs as [axis, row, channel]."},
    {"RU-4", "12B: third norm and projection",
     "A third LayerNorm, then RMSNorm without a weight, eps 1e-6, and a linear map without a "
     "bias; padding rows are dropped."},
    {"RU-5", "12B: what there is not",
     "No attention, no pooling, no factor sqrt(D), no 2 (v - 1/2). The end tokens of images and "
     "audio clips are ordinary rows of the embedding."},
    {"RU-6", "12B: rows of audio",
     "Samples are cut into rows of 640, the last filled with zeros and valid as a whole: n = "
     "ceil(N / 640). No window, no spectrum, no limit of 30 s."},
    {"RU-7", "12B: projection of audio",
     "RMSNorm over each row of 640 without a weight, eps 1e-6, which takes the loudness out of "
     "every 40 ms and leaves silence 0; then a linear map without a bias."},
};

}  // namespace

std::span<const Rule> vision_rules() {
  return kRules;
}

}  // namespace assay::conformance
