// SPDX-License-Identifier: Apache-2.0
// What adapter, session and benchmark of the CPU engine share: a class of precision by name,
// threads by number, a model from its files.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "conformance/doors/prompt_tokens.h"
#include "optimized/engine/engine.h"
#include "optimized/engine/media_encoder.h"

namespace assay::conformance {

// Of every engine that is made from now on.
void use_cpu_threads(int threads);
int cpu_threads();

// "f32", "bf16" or "int8".
cpu::Arithmetic arithmetic_of(const std::string& precision);

// Those of the three that differ for a checkpoint: bf16 where it stores bf16, int8 where it stores
// what ggml's kernels round their input for.
std::vector<std::string> distinct_cpu_precisions(const std::string& checkpoint);

// Tokens [first, end) of a prompt as the engine takes them.
cpu::Tokens engine_tokens(const PromptTokens& prompt, std::size_t first, std::size_t end,
                          std::size_t width);

// A model, and what it needs to run, with a drafter or without; not to be moved.
struct CpuModel {
  CpuModel(const std::string& path, const std::string& drafter, const cpu::Options& options);

  cpu::Threads threads;
  Checkpoint checkpoint;
  cpu::Model model;
  cpu::Engine engine;
  cpu::MediaEncoder media;
  std::optional<Checkpoint> drafter_checkpoint;
  std::optional<cpu::Model> drafter;
};

}  // namespace assay::conformance
