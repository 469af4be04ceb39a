// SPDX-License-Identifier: Apache-2.0
// Every number of the encoders and of the preprocessing before them, as config.json and
// processor_config.json give them. Field names are the checkpoint's own.
#pragma once

#include <array>
#include <cstddef>

#include "reference/family/config/soft_tokens.h"

namespace assay {

// vision_config of E2B, E4B, 26B-A4B and 31B.
struct VisionConfig {
  std::size_t hidden_size = 768;
  std::size_t intermediate_size = 3072;
  std::size_t num_hidden_layers = 16;
  std::size_t num_attention_heads = 12;  // also the number of key and value heads
  std::size_t head_dim = 64;             // a multiple of 4: two axes of rotating pairs
  double rms_norm_eps = 1e-6;
  double rope_theta = 100;
  std::size_t patch_size = kPatchSize;  // pixels
  std::size_t pooling_kernel_size = kPoolingKernelSize;
  std::size_t position_embedding_size = 10240;  // rows per axis
  bool use_clipped_linears = false;             // bounds are in the checkpoint
  bool standardize = false;                     // std_bias and std_scale are in the checkpoint

  std::size_t patch_width() const { return 3 * patch_size * patch_size; }
};

// audio_config of E2B and E4B.
struct AudioConfig {
  std::size_t hidden_size = 1024;
  std::size_t num_hidden_layers = 12;
  std::size_t num_attention_heads = 8;
  std::array<std::size_t, 2> subsampling_conv_channels = {128, 32};
  std::size_t conv_kernel_size = 5;
  double residual_weight = 0.5;
  std::size_t attention_chunk_size = 12;
  std::size_t attention_context_left = 13;  // REF: the query and 11 before it, see Profile
  std::size_t attention_context_right = 0;
  double attention_logit_cap = 50;
  double attention_invalid_logits_value = -1e9;
  bool use_clipped_linears = true;
  double rms_norm_eps = 1e-6;  // of subsampling, light convolution and embedder
  double gradient_clipping = 1e10;
  std::size_t output_proj_dims = 1536;
  static constexpr double kBlockNormEps = 1e-6;  // of the other norms, whatever the config says

  std::size_t head_dim() const { return hidden_size / num_attention_heads; }
};

// vision_config of the 12B, which has no encoder: patches of patch_size * pooling_kernel_size
// pixels are normalised and projected.
struct UnifiedVisionConfig {
  std::size_t patch_size = kPatchSize;
  std::size_t pooling_kernel_size = kPoolingKernelSize;
  std::size_t mm_embed_dim = 3840;
  std::size_t mm_posemb_size = 1120;  // rows per axis
  double rms_norm_eps = 1e-6;
  static constexpr double kLayerNormEps = 1e-5;  // not in the config (DIV-M20)

  std::size_t model_patch_size() const { return patch_size * pooling_kernel_size; }
  std::size_t patch_width() const { return 3 * model_patch_size() * model_patch_size(); }
};

// audio_config of the 12B: one row of raw samples is one token.
struct UnifiedAudioConfig {
  std::size_t audio_embed_dim = 640;  // samples
  double rms_norm_eps = 1e-6;
};

// processor_config.json, with the released values where the file is absent.
struct ProcessorConfig {
  std::size_t image_max_soft_tokens = kImageBudget;
  std::size_t video_max_soft_tokens = kFrameBudget;
  std::size_t num_frames = kVideoFrames;
};

}  // namespace assay
