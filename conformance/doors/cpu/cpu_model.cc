// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/cpu/cpu_model.h"

#include <algorithm>
#include <atomic>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/input_rounding.h"
#include "reference/family/config/drafter_target.h"

namespace assay::conformance {
namespace {

std::atomic<int> threads_of_engines{1};

Checkpoint open_target(const std::string& path) {
  Checkpoint checkpoint = Checkpoint::open(path);
  if (checkpoint.config().drafter) {
    throw Error(path + ": got a drafter, expected the target model");
  }
  return checkpoint;
}

}  // namespace

void use_cpu_threads(int threads) {
  threads_of_engines = threads;
}
int cpu_threads() {
  return threads_of_engines;
}

cpu::Arithmetic arithmetic_of(const std::string& precision) {
  if (precision == "bf16") {
    return cpu::Arithmetic::kBf16;
  }
  return precision == "int8" ? cpu::Arithmetic::kInt8 : cpu::Arithmetic::kF32;
}

std::vector<std::string> distinct_cpu_precisions(const std::string& checkpoint) {
  bool bf16 = false;
  bool int8 = false;
  for (const TensorInfo& tensor : Checkpoint::open(checkpoint).tensors()) {
    const InputRounding rounding = input_rounding(tensor.dtype);
    const bool matrix = tensor.shape.size() > 1;
    bf16 = bf16 || (matrix && rounding == InputRounding::kBf16);
    int8 = int8 || (matrix && rounding != InputRounding::kBf16 && rounding != InputRounding::kNone);
  }
  std::vector<std::string> names = {"f32"};
  if (bf16) {
    names.emplace_back("bf16");
  }
  if (int8) {
    names.emplace_back("int8");
  }
  return names;
}

cpu::Tokens engine_tokens(const PromptTokens& prompt, std::size_t first, std::size_t end,
                          std::size_t width) {
  const auto at = [](auto& list, std::size_t i) {
    return list.begin() + static_cast<std::ptrdiff_t>(i);
  };
  cpu::Tokens tokens;
  tokens.ids.assign(at(prompt.ids, first), at(prompt.ids, end));
  tokens.positions.assign(at(prompt.positions, first), at(prompt.positions, end));
  tokens.valid.assign(at(prompt.valid, first), at(prompt.valid, end));
  for (std::size_t t = first; t < end; ++t) {
    tokens.types.push_back(static_cast<cpu::TokenType>(prompt.types[t]));
  }
  if (!prompt.soft.empty()) {
    tokens.soft.resize((end - first) * width);
    std::transform(at(prompt.soft, first * width), at(prompt.soft, end * width),
                   tokens.soft.begin(), [](double value) { return static_cast<float>(value); });
  }
  return tokens;
}

CpuModel::CpuModel(const std::string& path, const std::string& drafter_path,
                   const cpu::Options& options)
    : threads(cpu_threads()),
      checkpoint(open_target(path)),
      model(checkpoint, threads),
      engine(model, options, threads),
      media(checkpoint, threads) {
  if (!drafter_path.empty()) {
    drafter_checkpoint.emplace(Checkpoint::open(drafter_path));
    check_drafter_fits(drafter_checkpoint->config(), drafter_checkpoint->path().string(),
                       model.config());
    drafter.emplace(*drafter_checkpoint, threads);
  }
}

}  // namespace assay::conformance
