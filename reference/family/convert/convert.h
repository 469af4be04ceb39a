// SPDX-License-Identifier: Apache-2.0
// A checkpoint in another form: a Hugging Face directory becomes GGUF files, and the other way
// round.
//
// Names, shapes and metadata are those of llama.cpp's converter for gemma4 and gemma4-assistant;
// encoders become a file of their own, the multimodal projector. Vectors, norms, the router and,
// of the encoders, convolutions and positions are F32 whatever the matrices are. A matrix whose
// rows are no number of whole blocks becomes F16 instead. Keys and values that a KV-sharing layer
// stores without need are left out, and so are a drafter's centroids in GGUF, which llama.cpp does
// not load.
//
// Weights pass through fp32, a few rows at a time: memory does not grow with the model. Nothing is
// overwritten, and nothing is left when it fails.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/convert/companions.h"

namespace assay {

struct ConvertOptions {
  // Of the matrices. None: GGUF as the embedding is stored, or F32 where that is quantised; a
  // directory each tensor as it is stored, or F32.
  std::optional<DType> type;
  std::filesystem::path projector;  // the GGUF file of the encoders; empty: none is written
};

struct ConvertProgress {
  std::string_view tensor;  // being written
  std::size_t bytes_done = 0;
  std::size_t bytes_total = 0;
};
using ConvertListener = std::function<void(const ConvertProgress&)>;

struct ConvertSummary {
  std::size_t tensors = 0;
  std::size_t bytes = 0;
  std::vector<std::string> in_halves;  // tensors that became F16 for their rows' sake
  std::vector<std::string> notes;      // what was left out, a line each
};

ConvertSummary convert_to_gguf(const Checkpoint& checkpoint, const Companions& companions,
                               const std::filesystem::path& file, const ConvertOptions& options,
                               const ConvertListener& listener = {});

ConvertSummary convert_to_directory(const Checkpoint& checkpoint, const Companions& companions,
                                    const std::filesystem::path& directory,
                                    const ConvertOptions& options,
                                    const ConvertListener& listener = {});

}  // namespace assay
