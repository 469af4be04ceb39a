// SPDX-License-Identifier: Apache-2.0
// The rules of spec multimodal 5: log-mel, subsampling, conformer.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Rule kRules[] = {
    {"RA-1", "samples",
     "16 kHz, mono, in [-1, 1]; integers are scaled before. An audio encoder is given the "
     "first 480000 samples, 30 s, and the rest is cut without a word."},
    {"RA-2", "left padding",
     "160 zeros come before the samples. Nothing else is done: no centring, no reflection, no "
     "pre-emphasis, no dither, no gain, no removal of a mean."},
    {"RA-3", "frames",
     "Frame i is 320 padded samples from 160 i on. It exists if 321 fit, because a window of 321 "
     "is tested; samples are first filled with zeros to a multiple of 128."},
    {"RA-4", "window",
     "The periodic Hann window 1/2 - 1/2 cos(2 pi n / 320), made in fp64 and stored in fp32; its "
     "product with the frame is an fp32 number."},
    {"RA-5", "spectrum",
     "192 zeros to the right, a real transform over 512 points in fp64, and its magnitude, not its "
     "power: 257 bins."},
    {"RA-6", "mel filters",
     "130 points equally far apart between 0 and 8000 Hz in m = 2595 log10(1 + F / 700); 128 "
     "triangles between three of them each, linear in Hz, peak 1, not divided by their area. The "
     "first touches nothing, so that mel bin 0 is always ln 0.001."},
    {"RA-7", "logarithm",
     "ln(mel + 0.001), natural, the floor added; fp64, then rounded to fp32. No mean, no "
     "deviation, no clamp."},
    {"RA-8", "valid frames",
     "Frame i is valid if sample 160 i + 160 exists: T = floor((N - 161) / 160) + 1, and 0 for N "
     "<= 160. A valid frame sees no padding, so computing T frames of the real samples is enough."},
    {"RA-9", "invalid frames", "They hold 0, not ln 0.001, and never change a valid row."},
    {"RA-10", "soft tokens of an audio clip",
     "n = ceil(ceil(T / 2) / 2), one for each 40 ms, at most 750. It is not ceil(ms / 40). Audio "
     "clips "
     "without a valid frame make none and are refused."},
    {"RC-1", "convolutions",
     "Two cross-correlations of 3 x 3 over time and mel bins, stride 2, one row and column of "
     "zeros on every side, no bias. Invalid rows are set to 0 before either."},
    {"RC-2", "norm of a convolution",
     "LayerNorm over the channels of each (time, bin), true variance, weight but no bias, eps "
     "1e-6; then max(x, 0)."},
    {"RC-3", "mask", "Each convolution keeps the validity of every second row, from the first."},
    {"RC-4", "input projection",
     "Rows of 32 bins by 32 channels are laid out with the channel fastest, index f C + c, and go "
     "through a linear map without a bias that is never clipped."},
    {"RC-5", "relative positions",
     "A table of 13 rows for the distances 12 … 0, in this order: sines of delta tau_i, then "
     "cosines, not interleaved, tau_i = exp(-i ln(10000) / (D/2 - 1))."},
    {"RC-6", "norms of the conformer",
     "RMSNorm with its stored weight and eps 1e-6; what goes into all but the light convolution's "
     "first is clamped to 1e10, which is nothing unless numbers overflow."},
    {"RC-7", "half-step feed-forward",
     "h + 1/2 RMSNorm(W2 SiLU(W1 RMSNorm(h))), before attention and again after the light "
     "convolution, each with its own weights."},
    {"RC-8", "clipped linear maps",
     "Ten maps of a layer clamp input and output to stored numbers: two in each feed-forward, q, "
     "k, v, post, and both ends of the light convolution."},
    {"RC-9", "query scale",
     "q d^(-1/2) / ln 2 times softplus(per_dim_scale[c]), one list of d for all heads."},
    {"RC-10", "key scale", "k ln(1 + e) / ln 2, a constant. Values are not scaled."},
    {"RC-11", "relative keys",
     "relative_k_proj of the position table: a plain map, no clip, no bias, no key scale."},
    {"RC-12", "scores",
     "q_scaled[t] . k_scaled[j] + q_scaled[t] . rel_k(t - j); the blocks of 12 in published code "
     "compute the same numbers."},
    {"RC-13", "cap of the scores", "50 tanh(x / 50), before anything is masked."},
    {"RC-14", "window",
     "Row t sees rows t - 11 … t. Hidden scores become -1e9, the softmax is fp32 or wider. "
     "attention_context_left = 13 means 12 keys: the row of the table for 12 is never used."},
    {"RC-15", "attention output",
     "Heads one after another, post, RMSNorm, and the sum with the stream at full weight."},
    {"RC-16", "light convolution: gate",
     "RMSNorm, a map to twice the width, first half * sigmoid(second half)."},
    {"RC-17", "light convolution: in time",
     "Each channel by itself over the present row and the four before it, zeros before the start, "
     "no bias, the last weight for the present row."},
    {"RC-18", "light convolution: output",
     "RMSNorm, SiLU, a map back, and the sum with the stream at full weight."},
    {"RC-19", "end of a layer", "The layer's output is RMSNorm(h, w_norm_out) itself."},
    {"RC-20", "output projection",
     "A linear map with a bias, not clipped, to 1536; rows of invalid frames are removed."},
    {"RC-21", "projection of audio",
     "RMSNorm over these without a weight, eps 1e-6, then a linear map to the text width without a "
     "bias."},
};

}  // namespace

std::span<const Rule> audio_rules() {
  return kRules;
}

}  // namespace assay::conformance
