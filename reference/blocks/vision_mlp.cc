// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/vision_mlp.h"

#include "reference/ops/clipped_linear.h"
#include "reference/ops/gelu.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> vision_mlp(const VisionMlpWeights& w, const Tensor<T, D>& x, const TapScope& tap) {
  auto gate = clipped_linear(x, w.gate_proj);  // [T, F]
  tap.whole("gate", gate);
  auto up = clipped_linear(x, w.up_proj);  // [T, F]
  tap.whole("up", up);
  Tensor<T, F> product = gelu(gate) * up;  // [T, F]
  tap.whole("act", product);
  auto down = clipped_linear(product, w.down_proj);  // [T, D]
  tap.whole("down", down);
  return down;
}

}  // namespace assay::ASSAY_REFERENCE
