// SPDX-License-Identifier: Apache-2.0
// The names under which transformers takes a tensor, and the one that the rest of this folder uses.
//
// transformers 5.22.2 adds or removes one `model.` where that makes a name of its model
// (base_model_prefix), and for the 12B it takes its embedder's tensors both by the released names
// and by those of its own modules:
//
//   model.vision_embedder.patch_dense.weight    model.embed_vision.patch_dense.weight
//   model.embed_vision.embedding_projection.…   model.embed_vision.multimodal_embedder.embed…
//
// Both are one name here, the left one. A composite config (gemma4, gemma4_unified) may also have
// the names of its text model alone, model.layers.…, as Gemma4ForCausalLM loads them.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "reference/family/config/config.h"

namespace assay {

class HuggingFaceNames {
 public:
  explicit HuggingFaceNames(const ModelConfig& config);

  // The name that this folder uses; a name that is none of the model's stays as it is. What follows
  // the module's name does not matter: weight, weight_scale, …
  std::string canonical(std::string_view stored) const;

  // Whether transformers leaves the tensor aside without a word: keys and values of layers that
  // share another's, and the rotations' frequencies, which follow from the config.
  bool is_ignored(std::string_view canonical) const;

 private:
  std::set<std::string, std::less<>> modules_;
  bool unified_;
  std::string layers_;
  std::size_t first_shared_;
};

// Names of a composite config's text model alone: config.weight_prefix becomes "model.", and its
// encoders go. Nothing happens where no name of `stored` begins so.
void take_text_names(std::span<const std::string> stored, ModelConfig& config);

}  // namespace assay
