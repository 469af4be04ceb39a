// SPDX-License-Identifier: Apache-2.0
// For tests: the audio miniature of spec multimodal A.3 as a checkpoint on disk, and its audio.
#pragma once

#include <bit>

#include "reference/family/checkpoint/safetensors_writer.h"
#include "reference/family/checkpoint/tensor_table.h"
#include "reference/family/config/load_config.h"
#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_fill.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {

constexpr std::size_t kMiniatureFrames = 62;

inline std::string audio_miniature_config() {
  return R"({
 "model_type": "gemma4", "vision_config": null, "tie_word_embeddings": true,
 "audio_config": {
  "model_type": "gemma4_audio", "hidden_size": 16, "num_hidden_layers": 2,
  "num_attention_heads": 2, "hidden_act": "silu", "subsampling_conv_channels": [128, 32],
  "conv_kernel_size": 5, "residual_weight": 0.5, "attention_chunk_size": 12,
  "attention_context_left": 13, "attention_context_right": 0, "attention_logit_cap": 50.0,
  "attention_invalid_logits_value": -1e9, "use_clipped_linears": true, "rms_norm_eps": 1e-6,
  "gradient_clipping": 1e10, "output_proj_dims": 12},
)" + miniature_text(10) +
         "}";
}

// One kind of tensor: the end of its name, its seed (within a layer: added to the layer's base),
// scale and offset; for a clipped map the group of its bounds.
struct MiniatureTensor {
  std::string_view suffix;
  std::uint32_t seed;
  double scale;
  double offset = 0;
  int bounds = -1;
};

// clang-format off
constexpr std::array kMiniatureLayer = {
    MiniatureTensor{"feed_forward1.pre_layer_norm.weight", 1, 0.3, 1},
    MiniatureTensor{"feed_forward1.ffw_layer_1.", 2, 0.4, 0, 0},
    MiniatureTensor{"feed_forward1.ffw_layer_2.", 3, 0.4, 0, 1},
    MiniatureTensor{"feed_forward1.post_layer_norm.weight", 4, 0.3, 1},
    MiniatureTensor{"norm_pre_attn.weight", 10, 0.3, 1},
    MiniatureTensor{"self_attn.q_proj.", 11, 0.4, 0, 2},
    MiniatureTensor{"self_attn.k_proj.", 12, 0.4, 0, 2},
    MiniatureTensor{"self_attn.v_proj.", 13, 0.4, 0, 2},
    MiniatureTensor{"self_attn.per_dim_scale", 14, 1.5, -1},
    MiniatureTensor{"self_attn.relative_k_proj.weight", 15, 0.4},
    MiniatureTensor{"self_attn.post.", 16, 0.4, 0, 3},
    MiniatureTensor{"norm_post_attn.weight", 17, 0.3, 1},
    MiniatureTensor{"lconv1d.pre_layer_norm.weight", 20, 0.3, 1},
    MiniatureTensor{"lconv1d.linear_start.", 21, 0.4, 0, 4},
    MiniatureTensor{"lconv1d.depthwise_conv1d.weight", 22, 0.5},
    MiniatureTensor{"lconv1d.conv_norm.weight", 23, 0.3, 1},
    MiniatureTensor{"lconv1d.linear_end.", 24, 0.4, 0, 5},
    MiniatureTensor{"feed_forward2.pre_layer_norm.weight", 30, 0.3, 1},
    MiniatureTensor{"feed_forward2.ffw_layer_1.", 31, 0.4, 0, 0},
    MiniatureTensor{"feed_forward2.ffw_layer_2.", 32, 0.4, 0, 1},
    MiniatureTensor{"feed_forward2.post_layer_norm.weight", 33, 0.3, 1},
    MiniatureTensor{"norm_out.weight", 40, 0.3, 1}};

constexpr std::array kMiniatureOnce = {
    MiniatureTensor{"layer0.conv.weight", 10, 0.3},
    MiniatureTensor{"layer0.norm.weight", 20, 0.3, 1},
    MiniatureTensor{"layer1.conv.weight", 11, 0.04},
    MiniatureTensor{"layer1.norm.weight", 21, 0.3, 1},
    MiniatureTensor{"input_proj_linear.weight", 30, 0.05},
    MiniatureTensor{"output_proj.weight", 90, 0.4},
    MiniatureTensor{"output_proj.bias", 91, 0.5},
    MiniatureTensor{"embed_audio.embedding_projection.weight", 92, 0.4}};
// clang-format on

inline float miniature_bound(std::string_view name, int group) {
  const double step = 0.1 * group;
  const double bound = name.ends_with("input_min")    ? -1.9 - step
                       : name.ends_with("input_max")  ? 1.8 + step
                       : name.ends_with("output_min") ? -1.5 - step
                                                      : 1.4 + step;
  return static_cast<float>(bound);
}

inline std::vector<float> miniature_values(const std::string& name, std::size_t count) {
  constexpr std::string_view kLayers = "model.audio_tower.layers.";
  if (name.starts_with(kLayers)) {
    const auto base = static_cast<std::uint32_t>(1000 + 100 * (name[kLayers.size()] - '0'));
    const std::string_view rest = std::string_view(name).substr(kLayers.size() + 2);
    for (const MiniatureTensor& kind : kMiniatureLayer) {
      if (rest.starts_with(kind.suffix)) {
        return count == 1 ? std::vector<float>{miniature_bound(name, kind.bounds)}
                          : filled(base + kind.seed, count, kind.scale, kind.offset);
      }
    }
  }
  for (const MiniatureTensor& kind : kMiniatureOnce) {
    if (name.ends_with(kind.suffix)) {
      return filled(kind.seed, count, kind.scale, kind.offset);
    }
  }
  return std::vector<float>(count, 0.0F);  // the text model is not looked at
}

// config.json and model.safetensors. `config` may differ from the miniature's in its numbers.
inline void write_miniature(const TestDirectory& directory,
                            const std::string& config = audio_miniature_config()) {
  directory.write("config.json", config);
  const ModelConfig model = load_config(directory.path());
  std::vector<StoredTensor> stored;
  for (const ExpectedTensor& expected : expected_tensors(model)) {
    stored.push_back({stored_name(model, expected.name), DType::kF32, expected.shape});
  }
  SafetensorsWriter writer(directory.path() / "model.safetensors", stored);
  for (const StoredTensor& tensor : stored) {
    const auto values = miniature_values(tensor.name, tensor_bytes(tensor) / sizeof(float));
    writer.append(std::as_bytes(std::span(values)));
  }
  writer.finish();
}

inline Tensor<T, F> miniature_mel(std::size_t frames = kMiniatureFrames) {
  const auto values = filled(7, frames * 128, 3, -2);
  return tensor_of<T, F>({frames, 128}, {values.begin(), values.end()});
}

}  // namespace assay::ASSAY_REFERENCE
