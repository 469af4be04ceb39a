// SPDX-License-Identifier: Apache-2.0
// The tokens that end an answer: what the checkpoint's files say, and the literals <eos>, <turn|>
// and <|tool_response> of its tokenizer. Ascending.  Spec: prompting 4.2, RS-1.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/family/sampling/generation_config.h"
#include "reference/family/tokenizer/tokenizer.h"

namespace assay {

std::vector<std::int32_t> stop_tokens(const GenerationConfig& config, const Tokenizer& tokenizer);

}  // namespace assay
