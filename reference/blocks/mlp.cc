// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/mlp.h"

#include "reference/ops/gelu.h"
#include "reference/ops/linear.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> mlp(const MlpWeights& w, const Tensor<T, D>& x, const TapScope& tap) {
  auto gate = linear(x, w.gate_proj);  // [T, F]
  tap("gate", gate);
  auto up = linear(x, w.up_proj);  // [T, F]
  tap("up", up);
  auto act = gelu(gate, w.gelu);  // [T, F]
  tap("act", act);
  Tensor<T, F> product = act * up;  // [T, F]
  tap("mul", product);
  auto down = linear(product, w.down_proj);  // [T, D]
  tap("down", down);
  return down;
}

}  // namespace assay::ASSAY_REFERENCE
