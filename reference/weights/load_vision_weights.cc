// SPDX-License-Identifier: Apache-2.0
#include "reference/weights/load_vision_weights.h"

#include <algorithm>

#include "reference/weights/load_clipped_linear.h"

namespace assay::ASSAY_REFERENCE {
namespace {

const std::string kEncoder = "model.vision_tower.";
const std::string kEmbedder = "model.vision_embedder.";

LayerNormWeights load_layer_norm(const WeightReader& reader, const std::string& at) {
  return {reader.vector(at + "weight"), reader.vector(at + "bias")};
}

VisionAttentionWeights load_attention(const WeightReader& reader, bool clipped,
                                      const std::string& at) {
  VisionAttentionWeights w;
  w.q_proj = load_clipped_linear(reader, at + "q_proj.", clipped);
  w.k_proj = load_clipped_linear(reader, at + "k_proj.", clipped);
  w.v_proj = load_clipped_linear(reader, at + "v_proj.", clipped);
  w.o_proj = load_clipped_linear(reader, at + "o_proj.", clipped);
  w.q_norm = reader.vector(at + "q_norm.weight");
  w.k_norm = reader.vector(at + "k_norm.weight");
  return w;
}

// The 12B's table is [row, axis, D].
PositionTable load_table_by_row(const WeightReader& reader, const std::string& name) {
  const auto& shape = reader.checkpoint().shape(name);
  const std::size_t rows = shape[0];
  const std::size_t width = shape[2];
  PositionTable table{make_tensor<R, D>({rows, width}), make_tensor<R, D>({rows, width})};
  for (std::size_t r = 0; r < rows; ++r) {
    const auto pair = reader.matrix_slice(name, r);  // [axis, D]
    std::copy_n(pair.data(), width, row(table.x, r, width).begin());
    std::copy_n(pair.data() + width, width, row(table.y, r, width).begin());
  }
  reader.checkpoint().release(name);
  return table;
}

}  // namespace

PatchEmbedderWeights load_patch_embedder(const WeightReader& reader) {
  const std::string table = kEncoder + "patch_embedder.position_embedding_table";  // [axis, row, D]
  PatchEmbedderWeights w;
  w.input_proj = reader.matrix(kEncoder + "patch_embedder.input_proj.weight");
  w.position_embedding_table = {reader.matrix_slice(table, 0), reader.matrix_slice(table, 1)};
  reader.checkpoint().release(table);
  return w;
}

VisionLayerWeights load_vision_layer(const WeightReader& reader, const VisionConfig& config,
                                     std::size_t layer) {
  const std::string at = kEncoder + "encoder.layers." + std::to_string(layer) + ".";
  const bool clipped = config.use_clipped_linears;
  VisionLayerWeights w;
  w.input_layernorm = reader.vector(at + "input_layernorm.weight");
  w.self_attn = load_attention(reader, clipped, at + "self_attn.");
  w.post_attention_layernorm = reader.vector(at + "post_attention_layernorm.weight");
  w.pre_feedforward_layernorm = reader.vector(at + "pre_feedforward_layernorm.weight");
  w.mlp.gate_proj = load_clipped_linear(reader, at + "mlp.gate_proj.", clipped);
  w.mlp.up_proj = load_clipped_linear(reader, at + "mlp.up_proj.", clipped);
  w.mlp.down_proj = load_clipped_linear(reader, at + "mlp.down_proj.", clipped);
  w.post_feedforward_layernorm = reader.vector(at + "post_feedforward_layernorm.weight");
  return w;
}

StandardizeWeights load_standardize(const WeightReader& reader) {
  return {reader.vector(kEncoder + "std_bias"), reader.vector(kEncoder + "std_scale")};
}

UnifiedVisionWeights load_unified_vision(const WeightReader& reader) {
  UnifiedVisionWeights w;
  w.patch_ln1 = load_layer_norm(reader, kEmbedder + "patch_ln1.");
  w.patch_dense = reader.matrix(kEmbedder + "patch_dense.weight");
  w.patch_dense_bias = reader.vector(kEmbedder + "patch_dense.bias");
  w.patch_ln2 = load_layer_norm(reader, kEmbedder + "patch_ln2.");
  w.pos_embedding = load_table_by_row(reader, kEmbedder + "pos_embedding");
  w.pos_norm = load_layer_norm(reader, kEmbedder + "pos_norm.");
  return w;
}

Tensor<O, I> load_vision_projection(const WeightReader& reader) {
  return reader.matrix("model.embed_vision.embedding_projection.weight");
}

}  // namespace assay::ASSAY_REFERENCE
