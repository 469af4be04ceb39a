// SPDX-License-Identifier: Apache-2.0
// The audio encoder of E2B and E4B on a device, and the 12B's audio embedder.
//
// optimized/engine/audio_encoder.h and unified_embedders.h have the formulas. A convolution is a
// product of gathered points. Channels lie last, as the product writes them.  Spec: multimodal 5.4
// to 5.8, RC-1 to RC-21, RU-5 to RU-7.
#pragma once

#include "optimized/engine/audio_encoder.h"
#include "optimized/engine/cuda/encoder_ops.h"
#include "optimized/kernels/encoder_rows_cuda.h"

namespace assay::cuda {

class AudioEncoder {
 public:
  // Keeps references to both; the checkpoint must have an audio encoder.
  AudioEncoder(const Checkpoint& checkpoint, const cpu::Threads& threads, Stream& stream);

  // mel [T, 128], valid frames only. Returns [n, Dtext] on the host, in memory that holds until the
  // next call. Throws Error for no frames. Taps subsample.* … embed.out below `tap` ("audio.").
  cpu::Rows encode(const cpu::Rows& mel, const Profile& profile, const cpu::TapScope& tap);

 private:
  // What every layer of a clip shares.
  struct Window {
    LocalWindow local;
    DeviceRows positions;  // [distances, D], the farthest first
  };
  Points halved(const cpu::AudioConvWeights& w, const Points& x, Room& room,
                const cpu::TapScope& tap);
  DeviceRows subsampled(const cpu::Rows& mel, const cpu::TapScope& tap);
  void feed_forward(const cpu::AudioFeedForwardWeights& w, const DeviceRows& h,
                    const cpu::TapScope& tap);
  DeviceRows attend(const cpu::AudioAttentionWeights& w, const Window& window, const DeviceRows& x,
                    const cpu::TapScope& tap);
  DeviceRows local_attention(const Window& window, const DeviceRows& places, const DeviceRows& q,
                             const DeviceRows& k, const DeviceRows& v, const cpu::TapScope& tap);
  void light_conv(const cpu::AudioLightConvWeights& w, const DeviceRows& h,
                  const cpu::TapScope& tap);
  void layer(const cpu::ConformerWeights& w, const Window& window, const DeviceRows& h,
             const cpu::TapScope& tap);
  void clamp(const DeviceRows& x, const DeviceRows& y);
  void emit_points(const cpu::TapScope& tap, const char* name, const Points& points);
  void emit_scores(const cpu::TapScope& tap, const char* name, const DeviceRows& scores,
                   std::size_t keys);

  const AudioConfig& config_;
  cpu::AudioWeights weights_;
  EncoderOps ops_;
  Room mel_, points_, conv_first_, conv_second_, h_, positions_, places_;
  Room norm_, q_, k_, v_, mix_, out_, wide_, scores_, projected_;
};

class UnifiedAudioEmbedder {
 public:
  UnifiedAudioEmbedder(const Checkpoint& checkpoint, const cpu::Threads& threads, Stream& stream);

  // rows [n, 640]. Taps unified.audio.frames and audio.embed.* below `tap`.
  cpu::Rows encode(const cpu::Rows& rows, EmbedOrder order, const cpu::TapScope& tap);

 private:
  const UnifiedAudioConfig& config_;
  cpu::WeightView embedding_projection_;
  cpu::Pages memory_;
  EncoderOps ops_;
  Room rows_;
};

}  // namespace assay::cuda
