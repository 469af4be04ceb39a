// SPDX-License-Identifier: Apache-2.0
// One item of media to the soft-token embeddings that take the place of its placeholder tokens.
//
//   image  -> patches -> vision encoder -> embed_vision -> soft [n, D]
//   samples  -> log-mel -> audio encoder  -> embed_audio  -> soft [n, D]
//   12B: patches and samples go to embedders without an encoder
//
// Whatever is given already is not computed again: an item may enter as image, patches, samples,
// log-mel or rows.  Spec: multimodal 2 to 5, RI-1, RI-6 to RI-10, RA-1, RA-8 to RA-10, RX-3.
#pragma once

#include <optional>
#include <vector>

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/media_kind.h"
#include "reference/family/config/profile.h"
#include "reference/family/preprocess/image.h"
#include "reference/model/image_preprocessor.h"
#include "reference/weights/load_weights.h"

namespace assay::ASSAY_REFERENCE {

// Exactly one of the forms is set, and it fits the kind: an image, a frame or an audio clip.
struct MediaInput {
  MediaKind kind = MediaKind::kImage;
  std::size_t budget = 0;  // soft tokens for an image; 0: the checkpoint's own
  std::optional<Image> rgb;
  std::optional<Tensor<R, I>> patches;        // [S, 3 P P] in [0, 1], padding slots allowed
  IntTensor<R, A> positions;                  // [S, 2] with patches: x, y; (-1, -1) is padding
  std::optional<std::vector<float>> samples;  // 16 kHz mono
  std::optional<Tensor<T, F>> mel;            // [T, 128]
  std::vector<bool> mel_valid;                // [T] or empty: all; a prefix
  std::optional<Tensor<T, I>> rows;           // [n, 640], 12B
};

class MediaEncoder {
 public:
  // Keeps a reference to the checkpoint. Of the rounding, that of weights alone.
  explicit MediaEncoder(const Checkpoint& checkpoint, const Profile& profile = {},
                        const Rounding& rounding = {});

  // How this checkpoint cuts images; budget 0: its own. Throws Error when it takes none.
  PatchOptions patch_options(MediaKind kind, std::size_t budget) const;

  // The soft-token embeddings [n, D]. Throws Error when the checkpoint has no encoder for the kind,
  // when the form does not fit, and when the item makes no soft token. Taps image.*, vision.*,
  // audio.* and unified.* below `tap` ("media.0.").
  Tensor<T, D> encode(const MediaInput& item, const TapScope& tap) const;

 private:
  Tensor<T, D> encode_image(const MediaInput& item, const TapScope& tap) const;
  Tensor<T, D> encode_audio(const MediaInput& item, const TapScope& tap) const;
  Tensor<T, D> encode_raw_audio(const MediaInput& item, const TapScope& tap) const;  // 12B
  PatchInput patches_of(const MediaInput& item, const TapScope& tap) const;
  Tensor<T, F> mel_of(const MediaInput& item, const TapScope& tap) const;

  const ModelConfig& config_;
  WeightReader reader_;
  Profile profile_;
};

}  // namespace assay::ASSAY_REFERENCE
