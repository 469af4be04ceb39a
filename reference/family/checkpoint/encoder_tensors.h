// SPDX-License-Identifier: Apache-2.0
// The tensors of the encoders, under their full names in the file: spec multimodal 8.1.
//
// An image's half is model.vision_tower (12B: model.vision_embedder) and model.embed_vision, a
// audio's model.audio_tower and model.embed_audio. A half is there as a whole or not at all.
#pragma once

#include <string_view>
#include <vector>

#include "reference/family/checkpoint/tensor_table.h"

namespace assay {

enum class EncoderHalf { kNone, kVision, kAudio };

// By the name's beginning; kNone for tensors of a text model or drafter.
EncoderHalf encoder_half(std::string_view name);

// Those of the encoders that `config` has, in no particular order.
std::vector<ExpectedTensor> encoder_tensors(const ModelConfig& config);

// The lower or upper partner of a clip bound: "….input_min" for "….input_max", and so on.
std::string partner_bound(std::string_view name);

}  // namespace assay
