// SPDX-License-Identifier: Apache-2.0
// What taps a model has in a given run.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"
#include "reference/family/config/config.h"

namespace assay::conformance {

// How an item of media comes in. What is given already is not computed again, but shown.
enum class MediaForm { kFile, kPixels, kPatches, kSamples, kMel, kRows, kSoft };

struct MediaContext {
  std::size_t item = 0;  // k
  MediaForm form = MediaForm::kSoft;
  bool audio = false;  // else an image or a frame
  bool video = false;  // the first frame of a video
};

// The names a model has. Knows numbers, not the reference.
struct TapContext {
  std::vector<bool> layer_owns_kv;  // one per layer; false: reads an earlier layer's
  bool ple = false;
  bool moe = false;
  std::size_t draft_steps = 0;  // 0: no drafter
  std::size_t drafter_layers = 0;
  bool centroids = false;
  bool cache = false;

  bool vision_encoder = false;
  std::size_t vision_layers = 0;
  bool standardize = false;
  bool unified_vision = false;
  bool audio_encoder = false;
  std::size_t audio_layers = 0;
  bool unified_audio = false;
  std::vector<MediaContext> media;  // in the order of the prompt, a video once per frame
};
std::vector<std::string> expand_taps(const TapContext& context);

// The context of a text model that runs with a cache, without a drafter and without media.
TapContext context_of(const TextConfig& config);
// The context of a model that is given these items.
TapContext context_of(const ModelConfig& config, std::span<const MediaItem> media);

}  // namespace assay::conformance
