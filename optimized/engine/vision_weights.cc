// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/vision_weights.h"

#include <string>

namespace assay::cpu {
namespace {

const std::string kEncoder = "model.vision_tower.";
const std::string kEmbedder = "model.vision_embedder.";
const std::string kProjection = "model.embed_vision.embedding_projection.weight";

void plan_layer(WeightPacker& packer, const std::string& at, bool clipped, VisionLayerWeights& w) {
  w.input_layernorm = packer.values(at + "input_layernorm.weight");
  packer.clipped(at + "self_attn.q_proj.", clipped, w.q_proj);
  packer.clipped(at + "self_attn.k_proj.", clipped, w.k_proj);
  packer.clipped(at + "self_attn.v_proj.", clipped, w.v_proj);
  packer.clipped(at + "self_attn.o_proj.", clipped, w.o_proj);
  w.q_norm = packer.values(at + "self_attn.q_norm.weight");
  w.k_norm = packer.values(at + "self_attn.k_norm.weight");
  w.post_attention_layernorm = packer.values(at + "post_attention_layernorm.weight");
  w.pre_feedforward_layernorm = packer.values(at + "pre_feedforward_layernorm.weight");
  packer.clipped(at + "mlp.gate_proj.", clipped, w.gate_proj);
  packer.clipped(at + "mlp.up_proj.", clipped, w.up_proj);
  packer.clipped(at + "mlp.down_proj.", clipped, w.down_proj);
  w.post_feedforward_layernorm = packer.values(at + "post_feedforward_layernorm.weight");
}

}  // namespace

VisionWeights::VisionWeights(const Checkpoint& checkpoint, const Threads& threads) {
  const VisionConfig& config = *checkpoint.config().vision;
  WeightPacker packer(checkpoint, threads);
  packer.matrix(kEncoder + "patch_embedder.input_proj.weight", input_proj);
  layers.resize(config.num_hidden_layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    plan_layer(packer, kEncoder + "encoder.layers." + std::to_string(i) + ".",
               config.use_clipped_linears, layers[i]);
  }
  if (config.standardize) {
    std_bias = packer.values(kEncoder + "std_bias");
    std_scale = packer.values(kEncoder + "std_scale");
  }
  packer.matrix(kProjection, embedding_projection);
  memory = packer.pack();
}

UnifiedVisionWeights::UnifiedVisionWeights(const Checkpoint& checkpoint, const Threads& threads) {
  WeightPacker packer(checkpoint, threads);
  patch_ln1_weight = packer.values(kEmbedder + "patch_ln1.weight");
  patch_ln1_bias = packer.values(kEmbedder + "patch_ln1.bias");
  packer.matrix(kEmbedder + "patch_dense.weight", patch_dense);
  patch_dense_bias = packer.values(kEmbedder + "patch_dense.bias");
  patch_ln2_weight = packer.values(kEmbedder + "patch_ln2.weight");
  patch_ln2_bias = packer.values(kEmbedder + "patch_ln2.bias");
  pos_norm_weight = packer.values(kEmbedder + "pos_norm.weight");
  pos_norm_bias = packer.values(kEmbedder + "pos_norm.bias");
  packer.matrix(kProjection, embedding_projection);
  memory = packer.pack();
}

Positions::Positions(const Checkpoint& checkpoint, PositionTable kind, std::size_t columns,
                     std::size_t rows) {
  const std::string name = kind == PositionTable::kAxisFirst
                               ? kEncoder + "patch_embedder.position_embedding_table"
                               : kEmbedder + "pos_embedding";
  const auto& shape = checkpoint.shape(name);
  width_ = shape[2];
  for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {
    Vector& table = axis == 0 ? x_ : y_;
    const std::size_t count = axis == 0 ? columns : rows;
    table.resize(count * width_);
    for (std::size_t r = 0; r < count; ++r) {
      const std::size_t row =
          kind == PositionTable::kAxisFirst ? axis * shape[1] + r : 2 * r + axis;
      checkpoint.read(name, row * width_, width_, table.data() + r * width_);
    }
  }
}

void Positions::embed(std::int32_t x, std::int32_t y, float* out) const {
  const float* const by_x = x_.data() + static_cast<std::size_t>(x) * width_;
  const float* const by_y = y_.data() + static_cast<std::size_t>(y) * width_;
  for (std::size_t d = 0; d < width_; ++d) {
    out[d] = by_x[d] + by_y[d];
  }
}

}  // namespace assay::cpu
