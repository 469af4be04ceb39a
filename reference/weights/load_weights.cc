// SPDX-License-Identifier: Apache-2.0
#include "reference/weights/load_weights.h"

#include <cmath>
#include <cstring>

#include "reference/family/base/number_formats.h"

namespace assay::ASSAY_REFERENCE {

void WeightReader::read(const std::string& name, std::size_t first, std::size_t count,
                        Real* out) const {
  checkpoint_->read(name, first, count, out);
  if (rounding_.bf16_weights) {
    for (std::size_t i = 0; i < count; ++i) {
      out[i] = static_cast<Real>(round_to_bf16(static_cast<float>(out[i])));
    }
  }
  if (rounding_.f16_weights) {
    for (std::size_t i = 0; i < count; ++i) {
      const float rounded = float_from_f16(f16_from_float(static_cast<float>(out[i])));
      out[i] = std::isfinite(rounded) ? static_cast<Real>(rounded) : out[i];
    }
  }
}

Real WeightReader::scalar(const std::string& name) const {
  Real value = 0;
  read(name, 0, 1, &value);
  return value;
}

Tensor<D> WeightReader::vector(const std::string& name) const {
  Tensor<D> values = Tensor<D>::from_shape({checkpoint_->shape(name)[0]});
  read(name, 0, values.size(), values.data());
  return values;
}

Tensor<O, I> WeightReader::matrix(const std::string& name) const {
  auto values = matrix_rows(name, 0, checkpoint_->shape(name)[0]);
  checkpoint_->release(name);
  return values;
}

ActivationScales WeightReader::activation_scales(const std::string& module) const {
  const auto scale = [&](const char* side) {
    const std::string name = module + side;
    return checkpoint_->has(name) ? scalar(name) : Real(0);
  };
  ActivationScales scales = stored_product(module + ".weight");
  scales.input = scale(".input_activation_scale");
  scales.output = scale(".output_activation_scale");
  return scales;
}

ActivationScales WeightReader::stored_product(const std::string& name) const {
  ActivationScales scales;
  if (rounding_.stored_products) {
    const auto stored = checkpoint_->stored(name);
    scales.stored = stored ? input_rounding(stored->dtype) : InputRounding::kNone;
    scales.half_way = rounding_.half_way;
  }
  return scales;
}

Tensor<O, I> WeightReader::block_minima(const std::string& name, std::size_t first,
                                        std::size_t count) const {
  const auto stored = checkpoint_->stored(name);
  const auto minimum_at = stored ? rounded_minimum(stored->dtype) : std::nullopt;
  if (!rounding_.stored_products || !minimum_at) {
    return {};
  }
  const DTypeInfo& type = stored->dtype.info();
  const std::size_t blocks = checkpoint_->shape(name).back() / type.block_elements;
  auto minima = make_tensor<O, I>({count, blocks});
  for (std::size_t i = 0; i < minima.size(); ++i) {
    const std::size_t block = first * blocks + i;
    std::uint16_t bits = 0;
    std::memcpy(&bits, stored->bytes.data() + block * type.block_bytes + *minimum_at, sizeof bits);
    minima.data()[i] = float_from_f16(bits);
  }
  return minima;
}

LinearWeights WeightReader::linear(const std::string& module) const {
  const std::string name = module + ".weight";
  LinearWeights weights(matrix(name), activation_scales(module));
  weights.minima = block_minima(name, 0, weights.weight.shape()[0]);
  return weights;
}

LinearWeights WeightReader::linear_slice(const std::string& name, std::size_t slice) const {
  LinearWeights weights(matrix_slice(name, slice), stored_product(name));
  const std::size_t rows = weights.weight.shape()[0];
  weights.minima = block_minima(name, slice * rows, rows);
  return weights;
}

Tensor<O, I> WeightReader::matrix_rows(const std::string& name, std::size_t first,
                                       std::size_t count) const {
  const std::size_t width = checkpoint_->shape(name)[1];
  Tensor<O, I> values = Tensor<O, I>::from_shape({count, width});
  read(name, first * width, values.size(), values.data());
  return values;
}

Tensor<O, I> WeightReader::matrix_slice(const std::string& name, std::size_t slice) const {
  const auto& shape = checkpoint_->shape(name);  // [slices, rows, in]
  Tensor<O, I> values = Tensor<O, I>::from_shape({shape[1], shape[2]});
  read(name, slice * values.size(), values.size(), values.data());
  return values;
}

namespace {

SelfAttentionWeights load_self_attention(const WeightReader& reader, const LayerConfig& layer,
                                         bool own_keys, const std::string& at) {
  SelfAttentionWeights w;
  w.q_proj = reader.linear(at + "q_proj");
  w.q_norm = reader.vector(at + "q_norm.weight");
  w.o_proj = reader.linear(at + "o_proj");
  if (own_keys) {
    w.k_proj = reader.linear(at + "k_proj");
    w.k_norm = reader.vector(at + "k_norm.weight");
    if (!layer.k_eq_v) {
      w.v_proj = reader.linear(at + "v_proj");
    }
  }
  return w;
}

MoeWeights load_moe(const WeightReader& reader, const std::string& at) {
  MoeWeights w;
  w.router_proj = reader.matrix(at + "router.proj.weight");
  w.router_scale = reader.vector(at + "router.scale");
  w.per_expert_scale = reader.vector(at + "router.per_expert_scale");
  w.post_feedforward_layernorm_1 = reader.vector(at + "post_feedforward_layernorm_1.weight");
  w.pre_feedforward_layernorm_2 = reader.vector(at + "pre_feedforward_layernorm_2.weight");
  w.post_feedforward_layernorm_2 = reader.vector(at + "post_feedforward_layernorm_2.weight");
  w.gate_up_proj = [reader, at](std::size_t e) {
    return reader.linear_slice(at + "experts.gate_up_proj", e);
  };
  w.down_proj = [reader, at](std::size_t e) {
    return reader.linear_slice(at + "experts.down_proj", e);
  };
  w.gelu = reader.rounding().gelu;
  return w;
}

}  // namespace

DecoderLayerWeights load_decoder_layer(const WeightReader& reader, const TextConfig& config,
                                       const std::string& prefix, std::size_t layer) {
  const std::string at = prefix + std::to_string(layer) + ".";
  DecoderLayerWeights w;
  w.input_layernorm = reader.vector(at + "input_layernorm.weight");
  w.self_attn = load_self_attention(reader, config.layers[layer], !config.shares_kv(layer),
                                    at + "self_attn.");
  w.post_attention_layernorm = reader.vector(at + "post_attention_layernorm.weight");
  w.pre_feedforward_layernorm = reader.vector(at + "pre_feedforward_layernorm.weight");
  w.mlp.gate_proj = reader.linear(at + "mlp.gate_proj");
  w.mlp.up_proj = reader.linear(at + "mlp.up_proj");
  w.mlp.down_proj = reader.linear(at + "mlp.down_proj");
  w.mlp.gelu = reader.rounding().gelu;
  if (config.moe) {
    w.moe = load_moe(reader, at);
  }
  w.post_feedforward_layernorm = reader.vector(at + "post_feedforward_layernorm.weight");
  if (config.hidden_size_per_layer_input > 0) {
    w.per_layer_input = PerLayerInputWeights{
        reader.linear(at + "per_layer_input_gate"), reader.linear(at + "per_layer_projection"),
        reader.vector(at + "post_per_layer_input_norm.weight"), reader.rounding().gelu};
  }
  w.layer_scalar = reader.scalar(at + "layer_scalar");
  return w;
}

}  // namespace assay::ASSAY_REFERENCE
