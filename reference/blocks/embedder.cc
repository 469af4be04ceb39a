// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/embedder.h"

#include <algorithm>
#include <cmath>

#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/tensor_table.h"
#include "reference/ops/linear.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> embedding_rows(const WeightReader& reader, const std::string& table,
                            const std::vector<std::int32_t>& ids) {
  const auto& shape = reader.checkpoint().shape(table);  // [V, D]
  auto rows = make_tensor<T, D>({ids.size(), shape[1]});
  for (std::size_t t = 0; t < ids.size(); ++t) {
    if (ids[t] < 0 || static_cast<std::size_t>(ids[t]) >= shape[0]) {
      throw Error("token id at index " + std::to_string(t) + ": got " + std::to_string(ids[t]) +
                  ", expected 0 to " + std::to_string(shape[0] - 1) + " (" + table + ")");
    }
    const auto one = reader.matrix_rows(table, static_cast<std::size_t>(ids[t]), 1);
    std::copy(one.begin(), one.end(), row(rows, t, shape[1]).begin());
  }
  return rows;
}

std::string head_table(const WeightReader& reader) {
  return reader.checkpoint().has(kHeadName) ? std::string(kHeadName) : "embed_tokens.weight";
}

Tensor<T, V> unembed(const WeightReader& reader, const std::string& table, const Tensor<T, D>& n) {
  constexpr std::size_t kBlock = 8192;  // rows of the table widened at a time: 84 MB at D = 2560
  const std::size_t queries = n.shape()[0];
  const std::size_t vocabulary = reader.checkpoint().shape(table)[0];
  const ActivationScales scales =
      reader.activation_scales(table.substr(0, table.size() - std::string(".weight").size()));
  auto logits = make_tensor<T, V>({queries, vocabulary});
  for (std::size_t first = 0; first < vocabulary; first += kBlock) {
    const std::size_t count = std::min(kBlock, vocabulary - first);
    const auto block = linear(n, reader.matrix_rows(table, first, count), scales);  // [T, block]
    for (std::size_t t = 0; t < queries; ++t) {
      const auto from = row(block, t, count);
      std::copy(from.begin(), from.end(),
                row(logits, t, vocabulary).begin() + static_cast<std::ptrdiff_t>(first));
    }
  }
  reader.checkpoint().release(table);
  return logits;
}

Real embedding_scale(std::size_t width, bool bf16_scales) {
  const Real root = std::sqrt(static_cast<Real>(width));
  return bf16_scales ? static_cast<Real>(round_to_bf16(static_cast<float>(root))) : root;
}

}  // namespace assay::ASSAY_REFERENCE
