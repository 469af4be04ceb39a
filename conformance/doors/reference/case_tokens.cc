// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/case_tokens.h"

#include <algorithm>

namespace assay::ASSAY_REFERENCE {
namespace {

TokenType type_of_id(std::int32_t id, const SpecialTokens& special) {
  if (id == special.image) {
    return TokenType::kImage;
  }
  if (id == special.video) {
    return TokenType::kVideo;
  }
  return id == special.audio ? TokenType::kAudio : TokenType::kText;
}

void check_length(std::size_t got, std::size_t expected, const char* what) {
  if (got != 0 && got != expected) {
    throw Error(std::string(what) + ": got " + std::to_string(got) + " entries, expected " +
                std::to_string(expected) + ", one for each id");
  }
}

// Padding before or after the tokens: a ring counts tokens, a window counts positions, and padding
// in between would part the two.
void check_padding(const std::vector<bool>& valid) {
  const auto first = std::find(valid.begin(), valid.end(), true);
  const auto end = std::find(first, valid.end(), false);
  const auto later = std::find(end, valid.end(), true);
  if (later != valid.end()) {
    throw Error("valid[" + std::to_string(end - valid.begin()) +
                "]: got padding between tokens, expected it before or after them");
  }
}

// The soft rows of all media, one after another, at the placeholder positions.
Tensor<T, D> soft_rows(const conformance::CaseInput& input, const std::vector<TokenType>& types,
                       std::size_t width) {
  std::vector<Real> values;
  for (const auto& item : input.media) {
    if (item.width != width || item.values.size() != item.rows * item.width) {
      throw Error("soft-token embeddings: got width " + std::to_string(item.width) + ", expected " +
                  std::to_string(width));
    }
    std::transform(item.values.begin(), item.values.end(), std::back_inserter(values),
                   [](double value) { return static_cast<Real>(value); });
  }
  const auto placeholders = static_cast<std::size_t>(
      std::count_if(types.begin(), types.end(), [](TokenType t) { return t != TokenType::kText; }));
  if (placeholders * width != values.size()) {
    throw Error("soft-token embeddings: got " + std::to_string(values.size() / width) +
                " rows, expected " + std::to_string(placeholders) +
                ", one for each placeholder token");
  }
  auto rows = make_tensor<T, D>({types.size(), width});
  std::size_t next = 0;
  for (std::size_t t = 0; t < types.size(); ++t) {
    if (types[t] != TokenType::kText) {
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(next), width,
                  row(rows, t, width).begin());
      next += width;
    }
  }
  return rows;
}

}  // namespace

std::vector<TokenType> types_of(const conformance::CaseInput& input, const TextConfig& config) {
  std::vector<TokenType> types;
  for (const std::int32_t id : input.ids) {
    types.push_back(type_of_id(id, config.special));
  }
  check_length(input.token_types.size(), types.size(), "token_types");
  for (std::size_t t = 0; t < input.token_types.size(); ++t) {
    const std::int32_t type = input.token_types[t];
    if (type < 0 || type > 3) {
      throw Error("token_types[" + std::to_string(t) + "]: got " + std::to_string(type) +
                  ", expected 0 (text), 1 (image), 2 (video) or 3 (audio)");
    }
    types[t] = static_cast<TokenType>(type);
  }
  return types;
}

TokenChunk tokens_of(const conformance::CaseInput& input, const TextConfig& config) {
  const std::size_t count = input.ids.size();
  if (count == 0) {
    throw Error("ids: got none, expected at least one");
  }
  check_length(input.positions.size(), count, "positions");
  check_length(input.valid.size(), count, "valid");

  TokenChunk tokens;
  tokens.ids = input.ids;
  tokens.types = types_of(input, config);
  std::int32_t seen = 0;  // max(0, cumsum(valid) - 1)
  for (std::size_t t = 0; t < count; ++t) {
    tokens.valid.push_back(input.valid.empty() || input.valid[t] != 0);
    seen += tokens.valid[t] ? 1 : 0;
    tokens.positions.push_back(input.positions.empty() ? std::max(0, seen - 1)
                                                       : input.positions[t]);
  }
  check_padding(tokens.valid);
  tokens.soft = soft_rows(input, tokens.types, config.hidden_size);
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
  const std::size_t count = tokens.ids.size();
  const auto in_block = [&tokens](std::size_t t) {
    return tokens.types[t] == TokenType::kImage || tokens.types[t] == TokenType::kVideo;
  };
  std::vector<std::pair<std::size_t, std::size_t>> calls;
  for (std::size_t first = 0; first < count;) {
    std::size_t end = chunk == 0 ? count : std::min(count, first + chunk);
    while (vision_blocks && end < count && in_block(end - 1) && in_block(end)) {
      ++end;
    }
    calls.emplace_back(first, end);
    first = end;
  }
  return calls;
}

}  // namespace assay::ASSAY_REFERENCE
