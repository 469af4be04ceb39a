// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/print_encoders.h"

#include <iostream>
#include <string>
#include <string_view>

namespace assay::program {
namespace {

// Elements below `prefix`, clip bounds not counted.
std::size_t parameters(const Checkpoint& checkpoint, std::string_view prefix) {
  std::size_t total = 0;
  for (const TensorInfo& tensor : checkpoint.tensors()) {
    const std::string_view name = tensor.name;
    if (name.starts_with(prefix) && !name.ends_with("_min") && !name.ends_with("_max")) {
      std::size_t count = 1;
      for (const std::size_t extent : tensor.shape) {
        count *= extent;
      }
      total += count;
    }
  }
  return total;
}

std::string layers(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " layer" : " layers");
}

void print_parameters(const Checkpoint& checkpoint, const char* encoder, const char* projection) {
  std::cout << "  ";
  if (*encoder != '\0') {
    std::cout << parameters(checkpoint, encoder) << " parameters, and ";
  }
  std::cout << parameters(checkpoint, projection) << " from there to the text model\n";
}

void print_vision(const Checkpoint& checkpoint, const VisionConfig& vision) {
  std::cout << "vision encoder: width " << vision.hidden_size << ", "
            << layers(vision.num_hidden_layers) << ", " << vision.num_attention_heads
            << " heads of " << vision.head_dim << ", ffn " << vision.intermediate_size
            << "\n  patches of " << vision.patch_size << " pixels, pooled "
            << vision.pooling_kernel_size << " x " << vision.pooling_kernel_size << ", "
            << vision.position_embedding_size << " positions per axis"
            << (vision.use_clipped_linears ? ", clipped" : "")
            << (vision.standardize ? ", standardized" : "") << "\n";
  print_parameters(checkpoint, "model.vision_tower.", "model.embed_vision.");
}

void print_audio(const Checkpoint& checkpoint, const AudioConfig& audio) {
  const auto [first, second] = audio.subsampling_conv_channels;
  std::cout << "audio encoder: width " << audio.hidden_size << ", "
            << layers(audio.num_hidden_layers) << ", " << audio.num_attention_heads << " heads of "
            << audio.head_dim() << ", output " << audio.output_proj_dims << "\n  convolutions of "
            << first << " and " << second << " channels, context " << audio.attention_context_left
            << (audio.use_clipped_linears ? ", clipped" : "") << "\n";
  print_parameters(checkpoint, "model.audio_tower.", "model.embed_audio.");
}

void print_unified_vision(const Checkpoint& checkpoint, const UnifiedVisionConfig& vision) {
  std::cout << "vision embedder: width " << vision.mm_embed_dim << ", patches of "
            << vision.model_patch_size() << " pixels, " << vision.mm_posemb_size
            << " positions per axis\n";
  print_parameters(checkpoint, "model.vision_embedder.", "model.embed_vision.");
}

}  // namespace

void print_encoders(const Checkpoint& checkpoint) {
  const ModelConfig& model = checkpoint.config();
  if (model.vision) {
    print_vision(checkpoint, *model.vision);
  }
  if (model.unified_vision) {
    print_unified_vision(checkpoint, *model.unified_vision);
  }
  if (model.vision || model.unified_vision) {
    std::cout << "  at most " << model.processor.image_max_soft_tokens
              << " soft tokens for an image, " << model.processor.video_max_soft_tokens
              << " for each of " << model.processor.num_frames << " frames of a video\n";
  }
  if (model.audio) {
    print_audio(checkpoint, *model.audio);
  }
  if (model.unified_audio) {
    std::cout << "audio embedder: " << model.unified_audio->audio_embed_dim
              << " samples for a soft token\n";
    print_parameters(checkpoint, "", "model.embed_audio.");
  }
}

}  // namespace assay::program
