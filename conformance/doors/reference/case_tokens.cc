// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/case_tokens.h"

#include <algorithm>

#include "conformance/doors/prompt_tokens.h"

namespace assay::ASSAY_REFERENCE {
namespace {

std::vector<TokenType> as_types(const std::vector<std::int32_t>& numbers) {
  std::vector<TokenType> types;
  for (const std::int32_t number : numbers) {
    types.push_back(static_cast<TokenType>(number));
  }
  return types;
}

std::vector<std::int32_t> as_numbers(const std::vector<TokenType>& types) {
  std::vector<std::int32_t> numbers;
  for (const TokenType type : types) {
    numbers.push_back(static_cast<std::int32_t>(type));
  }
  return numbers;
}

}  // namespace

TokenChunk tokens_of(const conformance::CaseInput& input, const TextConfig& config) {
  conformance::PromptTokens prompt = conformance::prompt_tokens(input, config);
  TokenChunk tokens;
  tokens.ids = std::move(prompt.ids);
  tokens.types = as_types(prompt.types);
  tokens.positions = std::move(prompt.positions);
  tokens.valid = std::move(prompt.valid);
  tokens.soft = make_tensor<T, D>({tokens.ids.size(), config.hidden_size});
  std::transform(prompt.soft.begin(), prompt.soft.end(), tokens.soft.begin(),
                 [](double value) { return static_cast<Real>(value); });
  return tokens;
}

void emit_prompt(TokenChunk& tokens, Taps& taps) {
  const TapScope tap(taps, "text.");
  IntTensor<T> ids = IntTensor<T>::from_shape({tokens.ids.size()});
  std::copy(tokens.ids.begin(), tokens.ids.end(), ids.begin());
  tap("ids_expanded", ids);
  std::copy(ids.begin(), ids.end(), tokens.ids.begin());
  IntTensor<T> types = IntTensor<T>::from_shape({tokens.types.size()});
  std::transform(tokens.types.begin(), tokens.types.end(), types.begin(),
                 [](TokenType type) { return static_cast<std::int32_t>(type); });
  tap("mm_type", types);
  std::transform(types.begin(), types.end(), tokens.types.begin(),
                 [](std::int32_t type) { return static_cast<TokenType>(type); });
}

std::vector<std::pair<std::size_t, std::size_t>> calls_of(const TokenChunk& tokens,
                                                          std::size_t chunk, bool vision_blocks) {
  return conformance::calls_of(as_numbers(tokens.types), chunk, vision_blocks);
}

}  // namespace assay::ASSAY_REFERENCE
