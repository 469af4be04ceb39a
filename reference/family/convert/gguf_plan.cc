// SPDX-License-Identifier: Apache-2.0
#include "reference/family/convert/gguf_plan.h"

#include <algorithm>
#include <cmath>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/encoder_tensors.h"
#include "reference/family/checkpoint/tensor_table.h"

namespace assay {
namespace {

constexpr float kNoRotation = 1e30f;  // a divisor that leaves a frequency of nothing

// llama.cpp computes with these in fp32.
bool is_always_f32(const std::string& name, const std::string& weight, std::size_t axes) {
  if (axes <= 1 || !name.ends_with(".weight") || name.ends_with("_norm.weight")) {
    return true;
  }
  const bool audio_convolution = weight.starts_with("model.audio_tower.") &&
                                 (weight.find(".subsample_conv_projection.") != std::string::npos ||
                                  weight.ends_with(".depthwise_conv1d.weight"));
  return audio_convolution || name.ends_with(".ffn_gate_inp.weight") ||
         name == "v.position_embd.weight";
}

// The type of a tensor, and whether it is not the one asked for because of its rows.
struct ChosenType {
  DType dtype;
  bool in_halves = false;
};

ChosenType choose_type(const GgufName& target, const std::string& weight,
                       const std::vector<std::size_t>& shape, DType type) {
  if (is_always_f32(target.name, weight, shape.size())) {
    return {DType::kF32};
  }
  if (target.name == "v.patch_embd.weight") {
    return {type == DType::kF16 ? DType::kF16 : DType::kF32};
  }
  const bool whole = shape.back() % type.info().block_elements == 0;
  return {whole ? type : DType::kF16, !whole};
}

// What the file has of [E, 3 P P], [N, 2, W], [W, 1, K] and a number.
std::vector<std::size_t> target_shape(const GgufName& target, std::vector<std::size_t> shape) {
  if (shape.empty()) {
    return {1};
  }
  if (target.layout == GgufLayout::kAxes) {
    std::swap(shape[0], shape[1]);
  }
  if (target.name.ends_with(".conv_dw.weight")) {
    shape.erase(shape.begin() + 1);
  }
  return shape;
}

// The 12B's patches stay flat; those of an encoder are the kernel of a convolution.
std::vector<std::size_t> patch_shape(const ModelConfig& config, std::vector<std::size_t> shape) {
  if (config.vision) {
    const std::size_t side = config.vision->patch_size;
    return {shape.front(), 3, side, side};
  }
  return shape;
}

// Divisors of the frequencies of full layers: 1 where a pair of channels rotates.
PlannedTensor rope_divisors(const TextConfig& text) {
  PlannedTensor tensor;
  const std::size_t pairs = text.layers.back().head_dim / 2;  // the last layer is full
  const double rotating =
      text.rope_full.partial_rotary_factor * static_cast<double>(text.layers.back().head_dim) / 2;
  tensor.made.assign(pairs, kNoRotation);
  std::fill_n(tensor.made.begin(), static_cast<std::size_t>(rotating), 1.0f);
  tensor.stored = {
      .name = "rope_freqs.weight", .dtype = DType::kF32, .shape = {pairs}, .elements = pairs};
  return tensor;
}

PlannedTensor plan_tensor(const ModelConfig& config, const GgufName& target,
                          const ExpectedTensor& expected, ChosenType chosen) {
  PlannedTensor tensor;
  tensor.weight = expected.name;
  tensor.layout = target.layout;
  tensor.stored.name = target.name;
  tensor.stored.dtype = chosen.dtype;
  tensor.stored.shape = target.name == "v.patch_embd.weight" ? patch_shape(config, expected.shape)
                                                             : target_shape(target, expected.shape);
  tensor.stored.elements =
      tensor_size(chosen.dtype, tensor.stored.shape, target.name + ": ").elements;
  return tensor;
}

bool belongs(GgufPart part, const ExpectedTensor& expected) {
  const bool encoder = encoder_half(expected.name) != EncoderHalf::kNone;
  return encoder == (part == GgufPart::kProjector);
}

}  // namespace

GgufPlan plan_gguf(const Checkpoint& checkpoint, GgufPart part, DType type) {
  const ModelConfig& config = checkpoint.config();
  GgufPlan plan;
  if (part == GgufPart::kModel) {
    plan.tensors.push_back(rope_divisors(config.text));
  }
  for (const ExpectedTensor& expected : weights_of(checkpoint)) {
    if (!belongs(part, expected)) {
      continue;
    }
    const auto target = gguf_name(expected.name);
    if (!target || expected.name.starts_with("masked_embedding.")) {
      plan.left_out.push_back(stored_name(config, expected.name));
      continue;
    }
    const ChosenType chosen = choose_type(*target, expected.name, expected.shape, type);
    plan.tensors.push_back(plan_tensor(config, *target, expected, chosen));
    if (chosen.in_halves) {
      plan.in_halves.push_back(target->name);
    }
  }
  return plan;
}

}  // namespace assay
