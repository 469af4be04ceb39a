// SPDX-License-Identifier: Apache-2.0
// The families of mistakes, one file each, in the order in which a model computes.
#pragma once

#include <vector>

#include "conformance/mutants/mutant.h"

namespace assay::conformance {

using Mutants = std::vector<Mutant>;

Mutants norm_mutants();       // norms.cc: RMSNorm at each of its places, layer scalars
Mutants embedding_mutants();  // embeddings.cc: embeddings, per-layer inputs
Mutants rope_mutants();       // rope.cc: rotary positions
Mutants attention_mutants();  // attention.cc: scores, heads, values, key-value sharing
Mutants mask_mutants();       // masks.cc: windows, vision blocks, chunks, caches
Mutants expert_mutants();     // experts.cc: dense and sparse feed-forward
Mutants output_mutants();     // outputs.cc: logits, loaders
Mutants drafter_mutants();    // drafter.cc
// The mistakes of a decoder layer that a drafter\'s layer can have, too.
Mutants in_drafter(const Mutants& of_layers);
Mutants vision_mutants();  // vision.cc, vision_layers.cc: the vision encoder
Mutants vision_layer_mutants();
Mutants audio_mutants();  // audio.cc, audio_layers.cc: the audio encoder
Mutants audio_layer_mutants();
Mutants preprocessing_mutants();  // preprocessing.cc: pixels and samples, merging
Mutants prompting_mutants();      // prompting.cc: tokenizer, template, parser
Mutants mechanical_mutants();     // mechanical.cc: slips that no catalogue lists

}  // namespace assay::conformance
