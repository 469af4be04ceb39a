// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/checkpoint_files.h"

#include "reference/family/checkpoint/gguf_checkpoint.h"
#include "reference/family/checkpoint/gguf_files.h"
#include "reference/family/checkpoint/hf_directory.h"
#include "reference/family/config/load_config.h"

namespace assay {

CheckpointFiles open_checkpoint_files(const std::filesystem::path& checkpoint) {
  return is_gguf_checkpoint(checkpoint) ? open_gguf_checkpoint(checkpoint)
                                        : open_hf_directory(checkpoint);
}

ModelConfig read_model_config(const std::filesystem::path& checkpoint) {
  return is_gguf_checkpoint(checkpoint) ? open_gguf_checkpoint(checkpoint).config
                                        : load_config(checkpoint);
}

}  // namespace assay
