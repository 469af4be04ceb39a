// SPDX-License-Identifier: Apache-2.0
// For tests: the vision miniature of spec multimodal A.2 as a checkpoint on disk, and its images.
#pragma once

#include <string_view>

#include "reference/family/checkpoint/safetensors_writer.h"
#include "reference/family/checkpoint/tensor_table.h"
#include "reference/family/config/load_config.h"
#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_fill.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {

inline std::string vision_miniature_config(bool clipped = true, bool standardize = true) {
  const auto text = [](bool value) { return std::string(value ? "true" : "false"); };
  return R"({
 "model_type": "gemma4", "audio_config": null, "tie_word_embeddings": true,
 "vision_config": {
  "model_type": "gemma4_vision", "hidden_size": 24, "intermediate_size": 40,
  "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 12,
  "hidden_activation": "gelu_pytorch_tanh", "attention_bias": false, "rms_norm_eps": 1e-6,
  "rope_parameters": {"rope_type": "default", "rope_theta": 100.0},
  "patch_size": 16, "pooling_kernel_size": 3, "position_embedding_size": 16,
  "use_clipped_linears": )" +
         text(clipped) + ", \"standardize\": " + text(standardize) + "},\n" + miniature_text(20) +
         "}";
}

// The end of a tensor's name, its seed (in a layer: after the layer's base), scale and offset; for
// a clipped map the group of its bounds.
struct VisionMiniatureTensor {
  std::string_view suffix;
  std::uint32_t seed;
  double scale;
  double offset = 0;
  int bounds = 0;
};

// clang-format off
constexpr std::array kVisionMiniatureLayer = {
    VisionMiniatureTensor{"input_layernorm.weight", 1, 0.3, 1},
    VisionMiniatureTensor{"self_attn.q_proj.", 2, 0.35, 0, 0},
    VisionMiniatureTensor{"self_attn.k_proj.", 3, 0.35, 0, 0},
    VisionMiniatureTensor{"self_attn.v_proj.", 4, 0.35, 0, 0},
    VisionMiniatureTensor{"self_attn.q_norm.weight", 5, 0.3, 1},
    VisionMiniatureTensor{"self_attn.k_norm.weight", 6, 0.3, 1},
    VisionMiniatureTensor{"self_attn.o_proj.", 7, 0.35, 0, 1},
    VisionMiniatureTensor{"post_attention_layernorm.weight", 8, 0.3, 1},
    VisionMiniatureTensor{"pre_feedforward_layernorm.weight", 9, 0.3, 1},
    VisionMiniatureTensor{"mlp.gate_proj.", 10, 0.35, 0, 2},
    VisionMiniatureTensor{"mlp.up_proj.", 11, 0.35, 0, 2},
    VisionMiniatureTensor{"mlp.down_proj.", 12, 0.35, 0, 3},
    VisionMiniatureTensor{"post_feedforward_layernorm.weight", 13, 0.3, 1}};

constexpr std::array kVisionMiniatureOnce = {
    VisionMiniatureTensor{"patch_embedder.input_proj.weight", 2, 0.06},
    VisionMiniatureTensor{"position_embedding_table", 3, 0.3},
    VisionMiniatureTensor{"std_bias", 50, 0.4},
    VisionMiniatureTensor{"std_scale", 51, 0.3, 1},
    VisionMiniatureTensor{"embed_vision.embedding_projection.weight", 60, 0.3}};
// clang-format on

// Stored in fp64: the printed numbers were made with the bounds as they are written in A.2.
inline double vision_miniature_bound(std::string_view name, int group) {
  const double step = 0.1 * group;
  return name.ends_with("input_min")    ? -1.6 - step
         : name.ends_with("input_max")  ? 1.5 + step
         : name.ends_with("output_min") ? -1.2 - step
                                        : 1.1 + step;
}

inline std::vector<double> vision_miniature_fill(const VisionMiniatureTensor& kind,
                                                 std::uint32_t base, std::size_t count) {
  const auto values = filled(base + kind.seed, count, kind.scale, kind.offset);
  return {values.begin(), values.end()};
}

// The values of a tensor under its name in the file.
inline std::vector<double> vision_miniature_values(const std::string& name, std::size_t count) {
  constexpr std::string_view kLayers = "model.vision_tower.encoder.layers.";
  if (name.starts_with(kLayers)) {
    const auto base = static_cast<std::uint32_t>(100 * (name[kLayers.size()] - '0' + 1));
    const std::string_view rest = std::string_view(name).substr(kLayers.size() + 2);
    for (const auto& kind : kVisionMiniatureLayer) {
      if (rest.starts_with(kind.suffix)) {
        return count == 1 ? std::vector<double>{vision_miniature_bound(name, kind.bounds)}
                          : vision_miniature_fill(kind, base, count);
      }
    }
  }
  for (const auto& kind : kVisionMiniatureOnce) {
    if (name.ends_with(kind.suffix)) {
      return vision_miniature_fill(kind, 0, count);
    }
  }
  return std::vector<double>(count, 0.0);  // the text model is not looked at
}

inline void write_vision_miniature(const TestDirectory& directory,
                                   const std::string& config = vision_miniature_config()) {
  directory.write("config.json", config);
  const ModelConfig model = load_config(directory.path());
  std::vector<StoredTensor> stored;
  for (const ExpectedTensor& expected : expected_tensors(model)) {
    stored.push_back({stored_name(model, expected.name), DType::kF64, expected.shape});
  }
  SafetensorsWriter writer(directory.path() / "model.safetensors", stored);
  for (const StoredTensor& tensor : stored) {
    const auto values = vision_miniature_values(tensor.name, tensor_bytes(tensor) / sizeof(double));
    writer.append(std::as_bytes(std::span(values)));
  }
  writer.finish();
}

// Patches of an image, and zeros at (-1, -1) in its last slots.
struct MiniatureImage {
  Tensor<R, I> patches;
  IntTensor<R, A> positions;
};

inline MiniatureImage miniature_image(std::size_t columns, std::size_t rows,
                                      std::size_t padding = 0) {
  const std::size_t patches = columns * rows;
  MiniatureImage image{make_tensor<R, I>({patches + padding, 768}),
                       IntTensor<R, A>({patches + padding, 2}, -1)};
  const auto pixels = filled(1, patches * 768, 0.5, 0.5);
  std::copy(pixels.begin(), pixels.end(), image.patches.begin());
  for (std::size_t p = 0; p < patches; ++p) {
    image.positions(p, 0) = static_cast<std::int32_t>(p % columns);
    image.positions(p, 1) = static_cast<std::int32_t>(p / columns);
  }
  return image;
}

}  // namespace assay::ASSAY_REFERENCE
