// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/audio_weights.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

namespace assay::cpu {
namespace {

const std::string kEncoder = "model.audio_tower.";

double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

void plan_conv(WeightPacker& packer, const std::string& at, AudioConvWeights& w) {
  const std::string name = at + "conv.weight";
  const auto& shape = packer.checkpoint().shape(name);  // [out, in, time, frequency]
  const std::size_t outputs = shape[0];
  const std::size_t points = shape[2] * shape[3];
  w.inputs = shape[1];
  const Vector stored = packer.values(name);
  Vector values(stored.size());
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t i = 0; i < w.inputs; ++i) {
      for (std::size_t p = 0; p < points; ++p) {
        values[(o * points + p) * w.inputs + i] = stored[(o * w.inputs + i) * points + p];
      }
    }
  }
  packer.floats(std::move(values), outputs, w.conv);
  w.norm = packer.values(at + "norm.weight");
}

void plan_feed_forward(WeightPacker& packer, const std::string& at, bool clipped,
                       AudioFeedForwardWeights& w) {
  w.pre_layer_norm = packer.values(at + "pre_layer_norm.weight");
  packer.clipped(at + "ffw_layer_1.", clipped, w.ffw_layer_1);
  packer.clipped(at + "ffw_layer_2.", clipped, w.ffw_layer_2);
  w.post_layer_norm = packer.values(at + "post_layer_norm.weight");
}

void plan_attention(WeightPacker& packer, const std::string& at, bool clipped,
                    AudioAttentionWeights& w) {
  packer.clipped(at + "q_proj.", clipped, w.q_proj);
  packer.clipped(at + "k_proj.", clipped, w.k_proj);
  packer.clipped(at + "v_proj.", clipped, w.v_proj);
  packer.clipped(at + "post.", clipped, w.post);
  packer.linear(at + "relative_k_proj", w.relative_k_proj);
  w.query_scale = packer.values(at + "per_dim_scale");
  const auto width = static_cast<double>(w.query_scale.size());
  for (float& scale : w.query_scale) {
    const double fixed = 1 / (std::sqrt(width) * std::numbers::ln2);
    scale = static_cast<float>(softplus(static_cast<double>(scale)) * fixed);
  }
}

void plan_light_conv(WeightPacker& packer, const std::string& at, bool clipped,
                     AudioLightConvWeights& w) {
  w.pre_layer_norm = packer.values(at + "pre_layer_norm.weight");
  packer.clipped(at + "linear_start.", clipped, w.linear_start);
  packer.clipped(at + "linear_end.", clipped, w.linear_end);
  w.conv_norm = packer.values(at + "conv_norm.weight");
  const std::string name = at + "depthwise_conv1d.weight";
  const auto& shape = packer.checkpoint().shape(name);  // [D, 1, points]
  const Vector stored = packer.values(name);
  w.depthwise_conv1d.resize(stored.size());
  for (std::size_t d = 0; d < shape[0]; ++d) {
    for (std::size_t j = 0; j < shape[2]; ++j) {
      w.depthwise_conv1d[j * shape[0] + d] = stored[d * shape[2] + j];
    }
  }
}

void plan_layer(WeightPacker& packer, const std::string& at, bool clipped, ConformerWeights& w) {
  plan_feed_forward(packer, at + "feed_forward1.", clipped, w.feed_forward1);
  w.norm_pre_attn = packer.values(at + "norm_pre_attn.weight");
  plan_attention(packer, at + "self_attn.", clipped, w.self_attn);
  w.norm_post_attn = packer.values(at + "norm_post_attn.weight");
  plan_light_conv(packer, at + "lconv1d.", clipped, w.lconv1d);
  plan_feed_forward(packer, at + "feed_forward2.", clipped, w.feed_forward2);
  w.norm_out = packer.values(at + "norm_out.weight");
}

}  // namespace

AudioWeights::AudioWeights(const Checkpoint& checkpoint, const Threads& threads) {
  const AudioConfig& config = *checkpoint.config().audio;
  WeightPacker packer(checkpoint, threads);
  const std::string front = kEncoder + "subsample_conv_projection.";
  for (std::size_t s = 0; s < subsample.size(); ++s) {
    plan_conv(packer, front + "layer" + std::to_string(s) + ".", subsample[s]);
  }
  packer.matrix(front + "input_proj_linear.weight", input_proj_linear);
  layers.resize(config.num_hidden_layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    plan_layer(packer, kEncoder + "layers." + std::to_string(i) + ".", config.use_clipped_linears,
               layers[i]);
  }
  packer.matrix(kEncoder + "output_proj.weight", output_proj);
  output_proj_bias = packer.values(kEncoder + "output_proj.bias");
  packer.matrix("model.embed_audio.embedding_projection.weight", embedding_projection);
  memory = packer.pack();
}

}  // namespace assay::cpu
