// SPDX-License-Identifier: Apache-2.0
// For tests: the widths that the small synthetic models of reference/io have in common.
#pragma once

#include "reference/io/synth.h"

namespace assay {

inline SynthOptions tiny_widths() {
  SynthOptions options;
  options.vocab_size = 40;
  options.hidden_size = 16;
  options.num_attention_heads = 4;
  options.num_key_value_heads = 2;
  options.head_dim = 8;
  options.global_head_dim = 16;
  options.intermediate_size = 24;
  return options;
}

}  // namespace assay
