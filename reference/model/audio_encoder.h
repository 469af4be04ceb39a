// SPDX-License-Identifier: Apache-2.0
// The audio encoder of E2B and E4B: log-mel frames in, one row per 40 ms out.
//
//   h0 = input_proj( flatten( relu(LN(conv( relu(LN(conv(mel))) )) ) ) )        T -> n = ceil(T/4)
//   h  = conformer_{L-1}( ... conformer_0(h0) )        causal attention over 12 or 13 keys
//   (DIV-M04) y  = h W_out^T + bias
//
// Spec: multimodal 5.4 to 5.7, RC-1 to RC-20.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/profile.h"
#include "reference/weights/load_weights.h"

namespace assay::ASSAY_REFERENCE {

class AudioEncoder {
 public:
  // The reader must outlive the encoder; its config must have an audio encoder.
  AudioEncoder(const WeightReader& reader, const AudioConfig& config, const Profile& profile);

  // mel [T, 128], valid frames only, at least one. Returns audio.tower_out [n, output_proj_dims].
  // Taps subsample.* … tower_out below `tap` ("audio.").
  Tensor<T, D> encode(const Tensor<T, F>& mel, const TapScope& tap) const;

 private:
  const WeightReader& reader_;
  const AudioConfig& config_;
  Profile profile_;
};

}  // namespace assay::ASSAY_REFERENCE
