// SPDX-License-Identifier: Apache-2.0
#include "reference/weights/load_audio_weights.h"

#include <string>

#include "reference/weights/load_clipped_linear.h"

namespace assay::ASSAY_REFERENCE {
namespace {

const std::string kEncoder = "model.audio_tower.";

AudioFeedForwardWeights load_feed_forward(const WeightReader& reader, bool clipped,
                                          const std::string& at) {
  AudioFeedForwardWeights w;
  w.pre_layer_norm = reader.vector(at + "pre_layer_norm.weight");
  w.ffw_layer_1 = load_clipped_linear(reader, at + "ffw_layer_1.", clipped);
  w.ffw_layer_2 = load_clipped_linear(reader, at + "ffw_layer_2.", clipped);
  w.post_layer_norm = reader.vector(at + "post_layer_norm.weight");
  return w;
}

AudioAttentionWeights load_attention(const WeightReader& reader, bool clipped,
                                     const std::string& at) {
  AudioAttentionWeights w;
  w.q_proj = load_clipped_linear(reader, at + "q_proj.", clipped);
  w.k_proj = load_clipped_linear(reader, at + "k_proj.", clipped);
  w.v_proj = load_clipped_linear(reader, at + "v_proj.", clipped);
  w.per_dim_scale = reader.vector(at + "per_dim_scale");
  w.relative_k_proj = reader.linear(at + "relative_k_proj");
  w.post = load_clipped_linear(reader, at + "post.", clipped);
  return w;
}

AudioLightConvWeights load_light_conv(const WeightReader& reader, bool clipped,
                                      const std::string& at) {
  AudioLightConvWeights w;
  w.pre_layer_norm = reader.vector(at + "pre_layer_norm.weight");
  w.linear_start = load_clipped_linear(reader, at + "linear_start.", clipped);
  const std::string kernel = at + "depthwise_conv1d.weight";
  const auto& shape = reader.checkpoint().shape(kernel);  // [D, 1, J]
  w.depthwise_conv1d = reader.tensor<D, J>(kernel, {shape[0], shape[2]});
  w.conv_norm = reader.vector(at + "conv_norm.weight");
  w.linear_end = load_clipped_linear(reader, at + "linear_end.", clipped);
  return w;
}

}  // namespace

AudioSubsampleWeights load_audio_subsample(const WeightReader& reader) {
  const std::string at = kEncoder + "subsample_conv_projection.";
  AudioSubsampleWeights w;
  for (std::size_t s = 0; s < w.layers.size(); ++s) {
    const std::string layer = at + "layer" + std::to_string(s) + ".";
    const auto& shape = reader.checkpoint().shape(layer + "conv.weight");
    w.layers[s].conv =
        reader.tensor<O, I, J, J>(layer + "conv.weight", {shape[0], shape[1], shape[2], shape[3]});
    w.layers[s].norm = reader.vector(layer + "norm.weight");
  }
  w.input_proj_linear = reader.matrix(at + "input_proj_linear.weight");
  return w;
}

ConformerLayerWeights load_conformer_layer(const WeightReader& reader, const AudioConfig& config,
                                           std::size_t layer) {
  const std::string at = kEncoder + "layers." + std::to_string(layer) + ".";
  const bool clipped = config.use_clipped_linears;
  ConformerLayerWeights w;
  w.feed_forward1 = load_feed_forward(reader, clipped, at + "feed_forward1.");
  w.norm_pre_attn = reader.vector(at + "norm_pre_attn.weight");
  w.self_attn = load_attention(reader, clipped, at + "self_attn.");
  w.norm_post_attn = reader.vector(at + "norm_post_attn.weight");
  w.lconv1d = load_light_conv(reader, clipped, at + "lconv1d.");
  w.feed_forward2 = load_feed_forward(reader, clipped, at + "feed_forward2.");
  w.norm_out = reader.vector(at + "norm_out.weight");
  return w;
}

AudioOutputWeights load_audio_output(const WeightReader& reader) {
  return {reader.matrix(kEncoder + "output_proj.weight"),
          reader.vector(kEncoder + "output_proj.bias")};
}

Tensor<O, I> load_audio_projection(const WeightReader& reader) {
  return reader.matrix("model.embed_audio.embedding_projection.weight");
}

}  // namespace assay::ASSAY_REFERENCE
