// SPDX-License-Identifier: Apache-2.0
// Spec multimodal 3.2 and 5.8: taps of the 12B, which has embedders but no encoders. Their output
// is vision.embed.* and audio.embed.*, as in the other sizes.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

using enum Presence;

constexpr TapEntry kTaps[] = {
    {"unified.vision.patches", "[n, 3 P P]", kMust, kReal, kUnifiedVision,
     "patches of 48 x 48 pixels in [0, 1], not centred", "RI-10 RU-1",
     "model.embed_vision.patch_ln1 in", "inp_raw (as an image)", "-"},
    {"unified.vision.ln1", "[n, 3 P P]", kMust, kReal, kUnifiedVision,
     "LayerNorm(patches, w1, b1), eps 1e-5", "RU-1", "model.embed_vision.patch_ln1 out", "-", "-"},
    {"unified.vision.dense", "[n, D]", kMust, kReal, kUnifiedVision, "W ln1 + b", "RU-2",
     "model.embed_vision.patch_dense out", "-", "-"},
    {"unified.vision.ln2", "[n, D]", kMay, kReal, kUnifiedVision,
     "LayerNorm(dense, w2, b2), eps 1e-5", "RU-2", "model.embed_vision.patch_ln2 out", "-", "-"},
    {"unified.vision.pos_add", "[n, D]", kMust, kReal, kUnifiedVision,
     "ln2 + table[x, 0] + table[y, 1]", "RU-3", "model.embed_vision.pos_norm in", "-", "-"},
    {"unified.vision.ln3", "[n, D]", kMust, kReal, kUnifiedVision,
     "LayerNorm(pos_add, w3, b3), eps 1e-5", "RU-4 RU-5", "model.embed_vision.pos_norm out", "-",
     "-"},
    {"unified.audio.frames", "[n, 640]", kMust, kReal, kUnifiedAudio,
     "rows of 640 samples, the last filled with zeros", "RU-6",
     "model.embed_audio.embedding_pre_projection_norm in", "mel tensor with 640 bins", "-"},
};

}  // namespace

std::span<const TapEntry> unified_taps() {
  return kTaps;
}

}  // namespace assay::conformance
