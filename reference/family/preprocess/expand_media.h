// SPDX-License-Identifier: Apache-2.0
// A prompt with one placeholder per item becomes one with a placeholder per soft token.
//
//   <|image|>  ->  <|image>  <|image|> * n  <image|>
//   <|audio|>  ->  <|audio>  <|audio|> * n  <audio|>
//   <|video|>  ->  "mm:ss " <|image> <|video|> * n <image|>  of each frame, a space between frames
//
// Nothing else is added: no newlines (DIV-M16), no position is skipped. The characters of a stamp
// are tokens of their own in the released vocabulary, so they need no tokenizer. Spec multimodal
// 6.1: RX-5 … RX-9, RX-13.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/family/config/config.h"
#include "reference/family/config/media_kind.h"

namespace assay {

// What one placeholder stands for.
struct PromptMedia {
  MediaKind kind = MediaKind::kImage;    // no frame: those are of a video
  std::vector<std::size_t> soft_tokens;  // one number; of a video one for each frame
  std::vector<double> seconds;           // of a video: the time of each frame
};

// The tokens that stamps are written with; the released vocabulary's by default.
struct StampTokens {
  std::array<std::int32_t, 10> digits = {236771, 236770, 236778, 236800, 236812,
                                         236810, 236825, 236832, 236828, 236819};
  std::int32_t colon = 236787;
  std::int32_t space = 236743;
};

struct ExpandedPrompt {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> token_types;  // 0 text, 1 image, 2 video, 3 audio
  std::vector<std::size_t> order;         // of the items, as their placeholders come
};

// The k-th placeholder of a kind takes the k-th item of that kind, whatever lies between. Throws
// Error when their numbers differ, and for an item without soft tokens.
ExpandedPrompt expand_media(std::span<const std::int32_t> ids, std::span<const PromptMedia> items,
                            const SpecialTokens& special, const StampTokens& stamps = {});

}  // namespace assay
