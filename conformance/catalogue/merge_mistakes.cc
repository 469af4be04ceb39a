// SPDX-License-Identifier: Apache-2.0
// Mistakes in expanding placeholders, merging soft-token embeddings and masks (spec
// multimodal 10.5).
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Mistake kMistakes[] = {
    {"X1", "begin or end tokens are missing, or an audio clip ends as an image does",
     "text.ids_expanded", "all"},
    {"X2", "the processor puts in newline tokens", "text.ids_expanded", "all; JAX does"},
    {"X3", "soft-token embeddings are multiplied by sqrt(Dtext)", "text.embed", "all; see M-22"},
    {"X4", "soft-token embeddings are added to the row of the placeholder", "text.embed",
     "all; needs a pad row that is not 0"},
    {"X5", "two images change places, or images and video share one queue", "text.embed",
     "all; needs two items"},
    {"X6", "placeholders are looked up as tokens for per-layer inputs", "text.ple.token",
     "E2B, E4B; see M-24"},
    {"X7", "the context part is made before merging", "text.ple.ctx text.ple.in",
     "E2B, E4B; see M-31"},
    {"X8", "begin and end tokens read row 0 for per-layer inputs", "text.ple.token",
     "E2B, E4B; see M-28"},
    {"X9", "an image takes one position", "text.positions", "all"},
    {"X10", "begin and end tokens belong to the block", "text.mask.local",
     "12B, 26B, 31B; see M-77"},
    {"X11", "E2B or E4B get blocks", "text.mask.local", "E2B, E4B; see M-75"},
    {"X12", "full layers get blocks", "text.mask.global", "12B, 26B, 31B; see M-72"},
    {"X13", "two images make one block", "text.mask.local",
     "12B, 26B, 31B; needs two images; see M-78"},
    {"X14", "an audio clip is a block", "text.mask.local", "12B; needs audio; see M-76"},
    {"X15", "the window does not limit a block", "text.mask.local",
     "12B, 26B, 31B; needs a block longer than W; see M-73"},
    {"X16", "a chunk of the prompt ends inside a block", "text.layer.{i}.attn.probs text.logits",
     "12B, 26B, 31B; needs chunks shorter than the block"},
    {"X17", "frames of a video make no block", "text.mask.local", "12B, 26B, 31B; needs video"},
};

}  // namespace

std::span<const Mistake> merge_mistakes() {
  return kMistakes;
}

}  // namespace assay::conformance
