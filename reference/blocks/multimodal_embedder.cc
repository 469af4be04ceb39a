// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/multimodal_embedder.h"

#include "reference/ops/linear.h"
#include "reference/ops/rms_norm.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> multimodal_embedder(const Tensor<R, D>& x, const Tensor<O, I>& projection, double eps,
                                 EmbedOrder order, const TapScope& tap) {
  if (order == EmbedOrder::kProjectThenNorm) {
    auto normed = rms_norm_unscaled(linear(x, projection), eps);  // [R, Dtext]
    tap.whole("embed.out", normed);
    return normed;
  }
  auto normed = rms_norm_unscaled(x, eps);  // [R, D]
  tap.whole("embed.pre_norm", normed);
  auto projected = linear(normed, projection);  // [R, Dtext]
  tap.whole("embed.out", projected);
  return projected;
}

}  // namespace assay::ASSAY_REFERENCE
