// SPDX-License-Identifier: Apache-2.0
// Which keys a query sees.
//
//   full layers      s <= q
//   sliding layers   ( s <= q  or  same vision block )  and  q - W < s < q + W
//
// So a sliding layer sees W keys, the query's own among them. A vision block is a maximal run of
// image or video placeholders; it opens the sliding layers only, and the window closes over it
// again on both sides. A padding token is never seen.  Spec, RX-14, RX-15.
//
// Other programs take blocks otherwise (text.vision_mask, DIV-M17, DIV-M39):
//
//   sliding_past_clamped   ( s <= q  or  same block )  and  q - W < s
//   sliding_unclamped      ( q - W < s <= q )  or  same block
//   all_layers             as sliding_unclamped; full layers: s <= q  or  same block
//   all_layers_clamped     as here; full layers: s <= q  or  same block
#pragma once

#include <cstdint>
#include <vector>

#include "reference/core/tensor.h"
#include "reference/family/config/profile.h"

namespace assay::ASSAY_REFERENCE {

// What a mask needs to know of a token.
struct TokenPlace {
  std::size_t index = 0;      // in the sequence, padding included
  std::int32_t position = 0;
  bool valid = true;          // false: padding
  std::int32_t block = -1;    // vision block of this call, -1 outside
};

IntTensor<T, S> full_mask(const std::vector<TokenPlace>& queries,
                          const std::vector<TokenPlace>& keys,
                          VisionMask blocks = VisionMask::kSlidingClamped);

IntTensor<T, S> sliding_mask(const std::vector<TokenPlace>& queries,
                             const std::vector<TokenPlace>& keys, std::size_t window,
                             VisionMask blocks = VisionMask::kSlidingClamped);

}  // namespace assay::ASSAY_REFERENCE
