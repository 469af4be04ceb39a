// SPDX-License-Identifier: Apache-2.0
// The metadata of a GGUF file that says what the model is: the keys that llama.cpp's converter
// writes for the architectures gemma4 and gemma4-assistant, and for the multimodal projector beside
// a model, clip.
//
// Widths that are the same in every layer are one number, others an array of one number a layer.
// What llama.cpp takes for granted has no key: the scale of attention, the epsilon of the audio
// encoder's blocks, its chunks and context, the rotation of the vision encoder.
#pragma once

#include <string>

#include "reference/family/checkpoint/gguf_writer.h"
#include "reference/family/config/config.h"

namespace assay {

struct GgufNaming {
  std::string name;  // general.name
  DType matrices;    // what most of its tensors are stored as
};

// Of the text model or drafter; the name of the architecture is the keys' prefix.
void add_model_keys(const ModelConfig& config, const GgufNaming& naming, GgufKeys& keys);

// Of the encoders; the config has at least one.
void add_projector_keys(const ModelConfig& config, const GgufNaming& naming, GgufKeys& keys);

}  // namespace assay
