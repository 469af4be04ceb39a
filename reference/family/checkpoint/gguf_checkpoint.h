// SPDX-License-Identifier: Apache-2.0
// A model, its encoders or a drafter in GGUF files (gguf_files.h), as a checkpoint: the config from
// the metadata (gguf_config.h), the weights under Hugging Face's names (gguf_names.h).
//
// Tensors that some producers write otherwise are read as well: the two halves of the experts'
// gate_up_proj apart, queries, keys and values in one, a factor beside an NVFP4 tensor, Ollama's
// clip bounds in one tensor. Each tensor has a type of its own; no file is of one type.
#pragma once

#include <filesystem>

#include "reference/family/checkpoint/checkpoint_files.h"

namespace assay {

CheckpointFiles open_gguf_checkpoint(const std::filesystem::path& checkpoint);

}  // namespace assay
