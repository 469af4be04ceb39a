// SPDX-License-Identifier: Apache-2.0
// The rules of spec multimodal 4 and 6: video, placeholders, merging, masks.
#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr Rule kRules[] = {
    {"RX-1", "frames of a video",
     "F = 32 frames unless said: floor(j T / F) for j = 0 … F - 1 of T, in integers. Fewer "
     "frames than F is an error."},
    {"RX-2", "frames by rate",
     "With a wanted rate instead, F = max(1, trunc(T / fps rate)), then the same formula."},
    {"RX-3", "frames are images",
     "Each is resized and encoded by itself with a budget of 70; nothing in an encoder knows time. "
     "All frames of a video have one size."},
    {"RX-4", "time stamps",
     "seconds = frame index / fps, 24 if the file does not say; written mm:ss, both at least two "
     "digits, fractions cut."},
    {"RX-5", "expansion of a video",
     "For each frame its time stamp, a space, begin of image, n video placeholders, end of image; "
     "frames are joined by one space. Stamps are ordinary text."},
    {"RX-6", "audio of a video",
     "It is an audio item of its own where the prompt puts one; frames and audio are not "
     "interleaved."},
    {"RX-7", "expansion of images and audio clips",
     "An image placeholder becomes begin of image, n placeholders, end of image; an audio clip the "
     "same "
     "with the audio's own three tokens. n is that of RI-6, RA-10 or RU-6."},
    {"RX-8", "no newlines",
     "Expansion adds none. The chat template has them around images, and since runs of newlines "
     "are single tokens only the finished text may be tokenized."},
    {"RX-9", "token types",
     "1 on image, 2 on video, 3 on audio placeholders; 0 elsewhere, begin and end tokens "
     "included."},
    {"RX-10", "ids that are looked up", "Every placeholder id is replaced by pad, 0, beforehand."},
    {"RX-11", "merging",
     "Images fill the image placeholders, then videos theirs, then audio clips theirs, each kind "
     "in "
     "order of appearance. Rows and placeholders must be equally many."},
    {"RX-12", "soft-token embeddings are not scaled",
     "They replace the row as the projection made them: no sqrt(D), no norm, no position. Begin "
     "and end tokens keep their own scaled rows."},
    {"RX-13", "positions", "0, 1, 2, … over the expanded prompt, one for each soft token."},
    {"RX-14", "masks of E2B and E4B", "Causal everywhere, soft tokens included."},
    {"RX-15", "masks of 12B, 26B and 31B",
     "A run of image or video placeholders is a block. Sliding layers see (s <= q or same block) "
     "and |q - s| < W; full layers and audio are causal. Blocks are found by type, not by id."},
    {"RX-16", "per-layer inputs",
     "The context part reads the merged embedding, the token part row 0 at every placeholder; "
     "begin tokens, end tokens and stamps use their own rows."},
    {"RX-17", "blocks stay whole", "No chunk of a prompt may end inside a block (R-27)."},
};

}  // namespace

std::span<const Rule> merge_rules() {
  return kRules;
}

}  // namespace assay::conformance
