// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/attention_mask.h"

namespace assay::ASSAY_REFERENCE {
namespace {

template <class Visible>
IntTensor<T, S> mask_where(const std::vector<TokenPlace>& queries,
                           const std::vector<TokenPlace>& keys, const Visible& visible) {
  IntTensor<T, S> mask = IntTensor<T, S>::from_shape({queries.size(), keys.size()});
  for (std::size_t t = 0; t < queries.size(); ++t) {
    for (std::size_t s = 0; s < keys.size(); ++s) {
      mask(t, s) = queries[t].valid && keys[s].valid && visible(queries[t], keys[s]) ? 1 : 0;
    }
  }
  return mask;
}

}  // namespace

IntTensor<T, S> full_mask(const std::vector<TokenPlace>& queries,
                          const std::vector<TokenPlace>& keys) {
  return mask_where(queries, keys, [](const TokenPlace& q, const TokenPlace& s) {
    return s.position <= q.position;
  });
}

IntTensor<T, S> sliding_mask(const std::vector<TokenPlace>& queries,
                             const std::vector<TokenPlace>& keys, std::size_t window) {
  const auto reach = static_cast<std::int64_t>(window);
  return mask_where(queries, keys, [reach](const TokenPlace& q, const TokenPlace& s) {
    const std::int64_t distance = static_cast<std::int64_t>(q.position) - s.position;
    const bool same_block = q.block >= 0 && q.block == s.block;
    return (distance >= 0 || same_block) && -reach < distance && distance < reach;
  });
}

}  // namespace assay::ASSAY_REFERENCE
