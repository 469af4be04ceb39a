// SPDX-License-Identifier: Apache-2.0
#include "reference/model/generate.h"

#include <algorithm>

namespace assay::ASSAY_REFERENCE {

TokenChunk text_chunk(const std::vector<std::int32_t>& ids, std::size_t first) {
  TokenChunk chunk;
  chunk.ids = ids;
  chunk.types.assign(ids.size(), TokenType::kText);
  chunk.valid.assign(ids.size(), true);
  for (std::size_t t = 0; t < ids.size(); ++t) {
    chunk.positions.push_back(static_cast<std::int32_t>(first + t));
  }
  return chunk;
}

TokenChunk slice(const TokenChunk& chunk, std::size_t first, std::size_t end) {
  const auto cut = [first, end](const auto& values) {
    using Values = std::decay_t<decltype(values)>;
    return Values(values.begin() + static_cast<std::ptrdiff_t>(first),
                  values.begin() + static_cast<std::ptrdiff_t>(end));
  };
  TokenChunk part{cut(chunk.ids), cut(chunk.types), cut(chunk.positions), cut(chunk.valid), {}};
  const std::size_t width = chunk.soft.shape()[1];
  if (chunk.soft.shape()[0] == chunk.ids.size()) {
    part.soft = make_tensor<T, D>({end - first, width});
    std::copy_n(chunk.soft.data() + first * width, part.soft.size(), part.soft.data());
  }
  return part;
}

Tensor<T, D> one_row(const Tensor<T, D>& x, std::size_t r) {
  auto only = make_tensor<T, D>({1, x.shape()[1]});
  const auto from = row(x, r, x.shape()[1]);
  std::copy(from.begin(), from.end(), only.begin());
  return only;
}

std::int32_t greedy_token(std::span<const Real> logits,
                          const std::vector<std::int32_t>& suppressed) {
  std::int32_t best = -1;
  for (std::size_t v = 0; v < logits.size(); ++v) {
    const auto id = static_cast<std::int32_t>(v);
    const bool allowed = std::find(suppressed.begin(), suppressed.end(), id) == suppressed.end();
    if (allowed && (best < 0 || logits[v] > logits[static_cast<std::size_t>(best)])) {
      best = id;
    }
  }
  if (best < 0) {
    throw Error("greedy_token: got every token suppressed, expected at least one allowed");
  }
  return best;
}

std::vector<std::int32_t> generate_greedy(const Transformer& model, const TokenChunk& prompt,
                                          std::size_t count) {
  Taps silent;
  KvCache cache = model.new_cache();
  std::vector<std::int32_t> tokens;
  auto result = model.forward(prompt, cache, silent);
  std::int32_t position = prompt.positions.back();
  while (tokens.size() < count) {
    const std::size_t vocabulary = result.logits.shape()[1];
    const std::size_t last = result.logits.shape()[0] - 1;
    tokens.push_back(
        greedy_token(row(result.logits, last, vocabulary), model.config().suppress_tokens));
    if (tokens.size() < count) {
      ++position;
      result = model.forward(text_chunk({tokens.back()}, static_cast<std::size_t>(position)), cache,
                             silent);
    }
  }
  return tokens;
}

}  // namespace assay::ASSAY_REFERENCE
