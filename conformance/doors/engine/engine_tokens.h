// SPDX-License-Identifier: Apache-2.0
// A prompt of the suite as the engines of optimized/ take it, and the classes of precision that a
// checkpoint can tell apart in them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "conformance/doors/prompt_tokens.h"
#include "optimized/engine/call.h"

namespace assay::conformance {

// Tokens [first, end) of a prompt as an engine takes them.
cpu::Tokens engine_tokens(const PromptTokens& prompt, std::size_t first, std::size_t end,
                          std::size_t width);

// "f32", and of "bf16" and "int8" those that differ for a checkpoint: bf16 where it stores bf16,
// int8 where it stores what ggml's kernels round their input for.
std::vector<std::string> distinct_engine_precisions(const std::string& checkpoint);

}  // namespace assay::conformance
