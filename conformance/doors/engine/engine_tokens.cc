// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/engine/engine_tokens.h"

#include <algorithm>

#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/checkpoint/input_rounding.h"

namespace assay::conformance {

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

std::vector<std::string> distinct_engine_precisions(const std::string& checkpoint) {
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

}  // namespace assay::conformance
