// SPDX-License-Identifier: Apache-2.0
// The audio encoder of E2B and E4B: log-mel frames in, a soft-token embedding per 40 ms out.
//
//   h0   = input_proj( flatten( relu(LN(conv( relu(LN(conv(mel))) )) ) ) )      T -> n = ceil(T/4)
//   h    = conformer_{L-1}( ... conformer_0(h0) )      causal attention over 12 keys, or 13
//   y    = h W_out^T + bias
//   soft = rms_norm(y) W^T
//
// reference/model/audio_encoder.h and its blocks have the formulas. A convolution is a product of
// gathered points, some time steps at once. Channels lie last, as the product writes them.
// Spec: multimodal 5.4 to 5.7, RC-1 to RC-21.
#pragma once

#include <vector>

#include "optimized/engine/audio_weights.h"
#include "optimized/engine/encoder_ops.h"
#include "optimized/engine/taps.h"
#include "reference/family/config/profile.h"

namespace assay::cpu {

class AudioEncoder {
 public:
  // Packs the weights. Keeps references to both; the checkpoint must have an audio encoder.
  AudioEncoder(const Checkpoint& checkpoint, const Threads& threads);

  // mel [T, 128], valid frames only. Returns [n, Dtext] in memory that holds until the next call.
  // Throws Error for no frames. Taps subsample.* … embed.out below `tap` ("audio.").
  Rows encode(const Rows& mel, const Profile& profile, const TapScope& tap);

  double operations() const { return ops_.operations(); }

 private:
  // Points [times * frequencies, channels].
  struct Points {
    Rows rows;
    std::size_t times = 0;
    std::size_t frequencies = 0;
  };
  // What every layer of a clip shares.
  struct Window {
    std::size_t keys = 0;  // the row itself and those before it
    Rows positions;        // [distances, D], the farthest first
  };
  Points halved(const AudioConvWeights& w, const Points& x, RowBuffer& buffer, const TapScope& tap);
  Rows subsampled(const Rows& mel, const TapScope& tap);
  void feed_forward(const AudioFeedForwardWeights& w, const Rows& h, const TapScope& tap);
  void scale_queries_keys(const AudioAttentionWeights& w, const Rows& q, const Rows& k) const;
  // `places` [distances, D]: the keys of distances.
  Rows local_attention(const Window& window, const Rows& places, const Rows& q, const Rows& k,
                       const Rows& v, const TapScope& tap);
  Rows attend(const AudioAttentionWeights& w, const Window& window, const Rows& x,
              const TapScope& tap);
  void light_conv(const AudioLightConvWeights& w, const Rows& h, const TapScope& tap);
  void layer(const ConformerWeights& w, const Window& window, const Rows& h, const TapScope& tap);

  const AudioConfig& config_;
  AudioWeights weights_;
  EncoderOps ops_;
  RowBuffer points_, conv_first_, conv_second_, flat_, h_, positions_, places_;
  RowBuffer norm_, q_, k_, v_, mix_, out_, wide_, scores_, projected_;
};

// Sinusoids for the distances rows - 1 … 0: sines, then cosines. y [rows, width].
void relative_positions(const Rows& y);

}  // namespace assay::cpu
