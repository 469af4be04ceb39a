// SPDX-License-Identifier: Apache-2.0
// Rounding that is legitimate in some precision class and that no tap can show. All off: exact, as
// the reference computes.
#pragma once

#include "reference/family/config/half_way.h"

namespace assay {

enum class GeluForm {
  kExact,
  kF16Table  // looked up: f16(gelu(f16(x))), as ggml's CPU kernels do
};

struct Rounding {
  bool bf16_scales = false;       // sqrt(D), sqrt(P), 2^-1/2 rounded to bf16 (R-12, DIV-30)
  bool fp32_rope_angles = false;  // angles evaluated in fp32
  bool bf16_weights = false;      // weights rounded to bf16 when they are loaded
  bool f16_weights = false;       // or to f16, those that it holds
  // What the text model's matrices are multiplied with is rounded as ggml's CPU kernels do it for
  // the storage type of the matrix (checkpoint/input_rounding.h).
  bool stored_products = false;
  HalfWay half_way = HalfWay::kEven;  // of those, values halfway between two integers
  GeluForm gelu = GeluForm::kExact;   // of the text model
};

}  // namespace assay
