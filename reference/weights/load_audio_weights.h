// SPDX-License-Identifier: Apache-2.0
// Checkpoint names of the audio encoder and embedder to the fields of audio_weights.h.
//
// Checkpoint::open has checked that everything named here exists with the right shape.
// Spec: multimodal 8.1.
#pragma once

#include "reference/weights/audio_weights.h"
#include "reference/weights/load_weights.h"

namespace assay::ASSAY_REFERENCE {

AudioSubsampleWeights load_audio_subsample(const WeightReader& reader);

ConformerLayerWeights load_conformer_layer(const WeightReader& reader, const AudioConfig& config,
                                           std::size_t layer);

AudioOutputWeights load_audio_output(const WeightReader& reader);

// [Dtext, D], of encoder models and of the 12B.
Tensor<O, I> load_audio_projection(const WeightReader& reader);

}  // namespace assay::ASSAY_REFERENCE
