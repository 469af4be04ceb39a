// SPDX-License-Identifier: Apache-2.0
// One item of media as it enters preprocessing or an encoder: decoded, and without a precision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "reference/family/config/media_kind.h"
#include "reference/family/preprocess/image.h"

namespace assay {

struct RawRows {
  std::size_t rows = 0;
  std::size_t width = 0;
  std::vector<double> values;  // [rows, width]
};

// Exactly one of the forms is set, and it fits the kind: an image, a frame or an audio clip.
struct RawMedia {
  MediaKind kind = MediaKind::kImage;
  std::size_t budget = 0;  // soft tokens for an image; 0: the checkpoint's own
  std::optional<Image> rgb;
  std::optional<RawRows> patches;             // [S, 3 P P] in [0, 1], padding slots allowed
  std::vector<std::int32_t> positions;        // [S, 2] with patches: x, y; (-1, -1) is padding
  std::optional<std::vector<float>> samples;  // 16 kHz mono
  std::optional<RawRows> mel;                 // [T, 128]
  std::vector<bool> mel_valid;                // [T] or empty: all; a prefix
  std::optional<RawRows> audio_rows;          // [n, 640], 12B
};

}  // namespace assay
