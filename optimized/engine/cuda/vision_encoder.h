// SPDX-License-Identifier: Apache-2.0
// The vision encoder of E2B, E4B, 26B-A4B and 31B on a device, and the 12B's vision embedder.
//
// optimized/engine/vision_encoder.h and unified_embedders.h have the formulas. The keys and values
// of an image are read where their projection left them.  Spec: multimodal 3, RV-1 to RV-21, RU-1
// to RU-4.
#pragma once

#include "optimized/engine/cuda/encoder_ops.h"
#include "optimized/engine/vision_encoder.h"
#include "optimized/kernels/attention_cuda.h"

namespace assay::cuda {

class VisionEncoder {
 public:
  // Keeps references to both; the checkpoint must have a vision encoder.
  VisionEncoder(const Checkpoint& checkpoint, const cpu::Threads& threads, Stream& stream);

  // The soft-token embeddings [n, Dtext], on the host, in memory that holds until the next call.
  // Throws Error when the patches do not fill the grid or pools do not tile it. Taps pixels_pm1 …
  // embed.out below `tap` ("vision.").
  cpu::Rows encode(const cpu::ImagePatches& image, const cpu::TapScope& tap);

 private:
  // What the layers of one call share: cosines and sines [T, 2, H/4], of x and of y.
  struct Call {
    int pairs = 0;
    const float* cos = nullptr;
    const float* sin = nullptr;
    const QueryKeys* visible = nullptr;
  };
  DeviceRows embed_patches(const cpu::ImagePatches& image, const cpu::TapScope& tap);
  Call begin_call(const cpu::ImagePatches& image, const cpu::TapScope& tap);
  DeviceRows attend(const cpu::VisionLayerWeights& w, const DeviceRows& x, const Call& call,
                    const cpu::TapScope& tap);
  DeviceRows mlp(const cpu::VisionLayerWeights& w, const DeviceRows& x, const cpu::TapScope& tap);
  void layer(const cpu::VisionLayerWeights& w, const DeviceRows& h, const Call& call,
             const cpu::TapScope& tap);
  DeviceRows pooled(const DeviceRows& h, const cpu::ImagePatches& image, const cpu::TapScope& tap);

  const Checkpoint& checkpoint_;
  const VisionConfig& config_;
  cpu::VisionWeights weights_;
  EncoderOps ops_;
  Buffer<float> cos_, sin_;
  Buffer<QueryKeys> visible_;
  Buffer<int> members_;
  Room pixels_, h_, norm_, q_, k_, v_, mix_, out_, gate_, up_, pool_;
};

class UnifiedVisionEmbedder {
 public:
  UnifiedVisionEmbedder(const Checkpoint& checkpoint, const cpu::Threads& threads, Stream& stream);

  // Taps unified.vision.* and vision.embed.* below `tap`.
  cpu::Rows encode(const cpu::ImagePatches& image, const cpu::TapScope& tap);

 private:
  const Checkpoint& checkpoint_;
  const UnifiedVisionConfig& config_;
  cpu::UnifiedVisionWeights weights_;
  EncoderOps ops_;
  Room pixels_, h_, places_;
};

}  // namespace assay::cuda
