// SPDX-License-Identifier: Apache-2.0
// How a checkpoint wants its answers sampled, and what ends them.
//
// Three files name end tokens and disagree; generation stops at any of them (and at the literals of
// stop_tokens.h). "</s>" is ordinary text.
// Spec: prompting 4.1, 4.2, RS-1, RS-9, RS-10.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "reference/family/sampling/sampler.h"

namespace assay {

struct GenerationConfig {
  SamplingOptions sampling;        // greedy where do_sample is not set
  std::vector<std::int32_t> stop;  // ascending
};

// generation_config.json, and eos_token_id of config.json and of its text_config; each may be
// absent. Of a model in GGUF the same from its metadata. Throws Error on values that make no sense.
GenerationConfig read_generation_config(const std::filesystem::path& checkpoint);

}  // namespace assay
