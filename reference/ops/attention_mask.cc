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

bool same_block(const TokenPlace& q, const TokenPlace& s) {
  return q.block >= 0 && q.block == s.block;
}

}  // namespace

IntTensor<T, S> full_mask(const std::vector<TokenPlace>& queries,
                          const std::vector<TokenPlace>& keys, VisionMask blocks) {
  const bool open = opens_full_layers(blocks);
  return mask_where(queries, keys, [open](const TokenPlace& q, const TokenPlace& s) {
    return s.position <= q.position || (open && same_block(q, s));
  });
}

IntTensor<T, S> sliding_mask(const std::vector<TokenPlace>& queries,
                             const std::vector<TokenPlace>& keys, std::size_t window,
                             VisionMask blocks) {
  const auto reach = static_cast<std::int64_t>(window);
  return mask_where(queries, keys, [reach, blocks](const TokenPlace& q, const TokenPlace& s) {
    const std::int64_t distance = static_cast<std::int64_t>(q.position) - s.position;
    const bool block = same_block(q, s);
    switch (blocks) {
      case VisionMask::kSlidingPastClamped:
        return (distance >= 0 || block) && distance < reach;
      case VisionMask::kSlidingUnclamped:
      case VisionMask::kAllLayers:
        return (0 <= distance && distance < reach) || block;
      case VisionMask::kSlidingClamped:
      case VisionMask::kAllLayersClamped:
        break;
    }
    return (distance >= 0 || block) && -reach < distance && distance < reach;
  });
}

}  // namespace assay::ASSAY_REFERENCE
