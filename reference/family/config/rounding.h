// SPDX-License-Identifier: Apache-2.0
// Rounding that is legitimate in some precision class and that no tap can show. All off: exact, as
// the reference computes.
#pragma once

namespace assay {

struct Rounding {
  bool bf16_scales = false;       // sqrt(D), sqrt(P), 2^-1/2 rounded to bf16 (R-12, DIV-30)
  bool fp32_rope_angles = false;  // angles evaluated in fp32
  bool bf16_weights = false;      // weights rounded to bf16 when they are loaded
};

}  // namespace assay
