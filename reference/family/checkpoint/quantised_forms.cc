// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/quantised_forms.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/foreign_forms.h"
#include "reference/family/checkpoint/quantised_weight.h"
#include "reference/family/checkpoint/tensor_table.h"

namespace assay {
namespace {

constexpr std::string_view kWeight = ".weight";
constexpr std::array<std::size_t, 2> kDefaultBlock = {128, 128};

std::size_t rounded_up(std::size_t dividend, std::size_t divisor) {
  return dividend / divisor + (dividend % divisor == 0 ? 0 : 1);
}

bool is_type(const TensorPart& part, std::string_view name) {
  return dtype_name(part.tensor->dtype) == name;
}

bool is_f8(const TensorPart& part) {
  return is_type(part, "F8_E4M3") || is_type(part, "F8_E5M2");
}

// Powers of two, one byte each: MXFP4, MXFP8.
bool are_exponents(const TensorPart& scales) {
  return is_type(scales, "U8") || is_type(scales, "F8_E8M0");
}

// The tensors of one module M.
class Module {
 public:
  Module(std::string name, std::vector<std::size_t> shape, const QuantizationConfig& config,
         TensorParts& parts)
      : name_(std::move(name)), shape_(std::move(shape)), config_(&config), parts_(&parts) {}

  const std::string& name() const { return name_; }

  // Null where the weight is not quantised; its tensors are taken where it is.
  std::unique_ptr<WeightSource> take() {
    // They are part of the arithmetic, and no page says what compressed-tensors does with them.
    for (const char* leaf : {"input_scale", "output_scale"}) {
      if (const auto scale = find(leaf); scale && config_->static_integer_inputs) {
        refuse(*scale, "with static integer activations");
      }
    }
    if (const auto packed = find("weight_packed")) {
      return is_type(*packed, "I32") ? packed_integers(*packed) : packed_floats(*packed);
    }
    if (const auto codes = find("embedding_quantized")) {
      return gemma(*codes, need("embedding_scale", *codes), "embedding");
    }
    const auto weight = find("weight");
    const auto inverse = find("weight_scale_inv");
    const auto scale = inverse ? inverse : find("weight_scale");
    if (!weight || !scale) {
      return nullptr;
    }
    if (is_f8(*weight)) {
      return f8(*weight, *scale);
    }
    if (is_type(*weight, "U8") && is_f8(*scale)) {
      return modelopt_nvfp4(*weight, *scale);
    }
    if (is_type(*weight, "U8") || is_type(*weight, "I8")) {
      return gemma(*weight, *scale, "weight");
    }
    return nullptr;
  }

 private:
  std::optional<TensorPart> find(std::string_view leaf) const {
    const auto entry = parts_->find(name_ + "." + std::string(leaf));
    return entry == parts_->end() ? std::nullopt : std::optional(entry->second);
  }

  TensorPart need(std::string_view leaf, const TensorPart& codes) const {
    const auto part = find(leaf);
    if (!part) {
      throw Error(codes.file->label() + ": " + printable(name_) + "." + std::string(leaf) +
                  ": got nothing, expected the tensor beside its quantised values");
    }
    return *part;
  }

  // The factor of a whole tensor: one element of any shape.
  double factor(std::string_view leaf, const TensorPart& codes) const {
    const TensorPart part = need(leaf, codes);
    if (part.tensor->elements != 1 || !is_floating(part.tensor->dtype)) {
      throw Error(part.place() + ": got " + std::string(dtype_name(part.tensor->dtype)) + " " +
                  shape_string(part.tensor->shape) + ", expected one floating-point number");
    }
    double value = 0;
    part.file->read(*part.tensor, 0, 1, &value);
    return value;
  }

  QuantisedLayout layout(std::string name, const TensorPart& codes, const TensorPart& scales,
                         unsigned bits, const CodeValues& values) const {
    QuantisedLayout result;
    result.name = std::move(name);
    result.shape = shape_;
    result.codes = codes;
    result.bits = bits;
    result.values = values;
    result.scales = scales;
    result.scales_are_exponents = are_exponents(scales);
    return result;
  }

  // One scale for the tensor, for each row, or for each group of a row's columns.
  void spread_scales(QuantisedLayout& result) const {
    const std::size_t count = result.scales.tensor->elements;
    if (count == 1) {
      result.rows_per_scale = shape_[0];
      result.columns_per_scale = shape_[1];
      return;
    }
    const std::size_t groups = count / shape_[0];
    const auto& extents = result.scales.tensor->shape;
    const bool is_grid = extents.size() == 2 && extents[0] != shape_[0] && extents[0] != 1;
    if (is_grid || count % shape_[0] != 0 || groups == 0 || shape_[1] % groups != 0) {
      throw Error(
          result.scales.place() + ": shape: got " + shape_string(result.scales.tensor->shape) +
          ", expected the same number of equal groups in each of " + std::to_string(shape_[0]) +
          " rows of " + std::to_string(shape_[1]) + ", quantised as " + result.name);
    }
    result.columns_per_scale = shape_[1] / groups;
  }

  // NVFP4 and MXFP4 say nothing of a row that ends within a group.
  void check_whole_groups(const QuantisedLayout& result) const {
    if (shape_[1] % result.columns_per_scale != 0) {
      refuse_form(result.codes, (config_->is_said() ? config_->name : result.name) + ", rows of " +
                                    std::to_string(shape_[1]) + " in groups of " +
                                    std::to_string(result.columns_per_scale));
    }
  }

  std::unique_ptr<WeightSource> finish(QuantisedLayout result) {
    auto weight = quantised_weight(std::move(result));
    for (const char* leaf :
         {"weight", "weight_packed", "weight_scale", "weight_shape", "weight_global_scale",
          "weight_scale_2", "weight_scale_inv", "input_scale", "input_global_scale",
          "activation_scale", "input_scale_ub", "embedding_quantized", "embedding_scale"}) {
      parts_->erase(name_ + "." + leaf);
    }
    return weight;
  }

  [[noreturn]] void refuse(const TensorPart& part, const std::string& detail) const {
    refuse_form(part, (config_->is_said() ? config_->name : "compressed-tensors") + ", " + detail);
  }

  void check_weight_shape() const {
    const auto stored = find("weight_shape");
    if (!stored) {
      return;
    }
    std::array<double, 2> shape{};
    const bool is_pair = stored->tensor->elements == shape.size();
    if (is_pair) {
      stored->file->read(*stored->tensor, 0, shape.size(), shape.data());
    }
    if (!is_pair || shape[0] != double(shape_[0]) || shape[1] != double(shape_[1])) {
      throw Error(stored->place() + ": got another shape, expected " + shape_string(shape_));
    }
  }

  // compressed-tensors: 32-bit words, the first value in the lowest bits, each plus 2^(bits - 1).
  std::unique_ptr<WeightSource> packed_integers(const TensorPart& packed) {
    for (const char* leaf : {"weight_zero_point", "weight_g_idx"}) {
      if (const auto part = find(leaf)) {
        refuse(*part, std::string("with ") + leaf);
      }
    }
    check_weight_shape();
    std::vector<unsigned> fitting;
    for (const unsigned bits : {2u, 4u, 8u}) {
      const auto& said = config_->weight_bits;
      const bool allowed = said.empty() || std::find(said.begin(), said.end(), bits) != said.end();
      const std::size_t words = rounded_up(shape_[1] * bits, 32);
      if (allowed && packed.tensor->shape == std::vector<std::size_t>{shape_[0], words}) {
        fitting.push_back(bits);
      }
    }
    if (fitting.size() != 1) {
      refuse(packed,
             shape_string(packed.tensor->shape) + " words for a weight " + shape_string(shape_));
    }
    auto result = layout("int" + std::to_string(fitting[0]) + " of compressed-tensors", packed,
                         need("weight_scale", packed), fitting[0], offset_integers(fitting[0]));
    spread_scales(result);
    return finish(std::move(result));
  }

  // compressed-tensors NVFP4, whose global scale divides, and MXFP4, which has none.
  std::unique_ptr<WeightSource> packed_floats(const TensorPart& packed) {
    const TensorPart scales = need("weight_scale", packed);
    const bool nvfp4 = is_type(scales, "F8_E4M3");
    if (!is_type(packed, "U8") || !(nvfp4 || are_exponents(scales))) {
      refuse(packed, "packed as " + std::string(dtype_name(packed.tensor->dtype)));
    }
    auto result = layout(nvfp4 ? "NVFP4 of compressed-tensors" : "MXFP4 of compressed-tensors",
                         packed, scales, 4, e2m1_values());
    result.columns_per_scale = nvfp4 ? 16 : 32;
    check_whole_groups(result);
    if (nvfp4) {
      result.divided = factor("weight_global_scale", packed);
    }
    return finish(std::move(result));
  }

  std::unique_ptr<WeightSource> modelopt_nvfp4(const TensorPart& weight, const TensorPart& scale) {
    auto result = layout("NVFP4 of modelopt", weight, scale, 4, e2m1_values());
    result.columns_per_scale = 16;
    check_whole_groups(result);
    result.multiplied = factor("weight_scale_2", weight);
    return finish(std::move(result));
  }

  // A scale for the tensor, a row, a group, or a block; weight_scale_inv multiplies, too.
  std::unique_ptr<WeightSource> f8(const TensorPart& weight, const TensorPart& scale) {
    const bool e4m3 = is_type(weight, "F8_E4M3");
    auto result = layout(e4m3 ? "F8_E4M3" : "F8_E5M2", weight, scale, 8,
                         e4m3 ? e4m3_values() : e5m2_values());
    const auto [rows, columns] = config_->weight_block.value_or(kDefaultBlock);
    const std::vector<std::size_t> blocks = {rounded_up(shape_[0], rows),
                                             rounded_up(shape_[1], columns)};
    const std::vector<std::size_t> by_row = {shape_[0], 1};
    if (scale.tensor->shape == blocks && blocks != by_row && scale.tensor->elements > 1) {
      result.rows_per_scale = rows;
      result.columns_per_scale = columns;
    } else {
      spread_scales(result);
    }
    return finish(std::move(result));
  }

  // Integers of a row, with a scale for the row or for each group of it.
  std::unique_ptr<WeightSource> gemma(const TensorPart& codes, const TensorPart& scales,
                                      const std::string& what) {
    if (is_type(codes, "I8")) {
      auto result = layout("int8", codes, scales, 8, signed_bytes());
      spread_scales(result);
      return finish(std::move(result));
    }
    for (const unsigned bits : {2u, 4u}) {
      const std::size_t bytes = rounded_up(shape_[1] * bits, 8);
      if (codes.tensor->shape == std::vector<std::size_t>{shape_[0], bytes}) {
        auto result =
            layout("int" + std::to_string(bits), codes, scales, bits, offset_integers(bits));
        spread_scales(result);
        return finish(std::move(result));
      }
    }
    throw Error(codes.place() + ": shape: got " + shape_string(codes.tensor->shape) +
                ", expected an " + what + " " + shape_string(shape_) + " in 2 or 4 bits");
  }

  std::string name_;
  std::vector<std::size_t> shape_;
  const QuantizationConfig* config_;
  TensorParts* parts_;
};

// fp8 of experts, which are one tensor: a scale for each block of an expert, or for each expert.
std::unique_ptr<WeightSource> take_experts(const std::string& name,
                                           const std::vector<std::size_t>& shape,
                                           const QuantizationConfig& config, TensorParts& parts) {
  const auto codes = parts.find(name);
  auto scales = parts.find(name + "_scale_inv");
  scales = scales == parts.end() ? parts.find(name + "_scale") : scales;
  if (codes == parts.end() || scales == parts.end() || !is_f8(codes->second)) {
    return nullptr;
  }
  const bool e4m3 = is_type(codes->second, "F8_E4M3");
  QuantisedLayout result;
  result.name = e4m3 ? "F8_E4M3" : "F8_E5M2";
  result.shape = shape;
  result.codes = codes->second;
  result.values = e4m3 ? e4m3_values() : e5m2_values();
  result.scales = scales->second;
  result.scales_are_exponents = are_exponents(scales->second);
  const auto [rows, columns] = config.weight_block.value_or(kDefaultBlock);
  const bool by_expert = result.scales.tensor->elements == shape[0];
  if (!by_expert && shape[1] % rows != 0) {
    refuse_form(result.codes, "fp8, experts of " + std::to_string(shape[1]) +
                                  " rows in blocks of " + std::to_string(rows));
  }
  result.rows_per_scale = by_expert ? shape[1] : rows;
  result.columns_per_scale = by_expert ? shape[2] : columns;
  auto weight = quantised_weight(std::move(result));
  parts.erase(scales);
  parts.erase(name);
  return weight;
}

// Static scales of a map's activations (gemma). 0 says that there was no calibration, as does none.
void take_activation_scales(const std::string& module, bool quantised, TensorParts& parts,
                            WeightMap& weights) {
  for (const char* side : {".input_activation_scale", ".output_activation_scale"}) {
    const auto entry = parts.find(module + side);
    if (entry == parts.end() || !quantised) {
      continue;
    }
    const TensorPart part = entry->second;
    if (part.tensor->elements != 1 || !is_floating(part.tensor->dtype)) {
      throw Error(part.place() + ": got " + std::string(dtype_name(part.tensor->dtype)) + " " +
                  shape_string(part.tensor->shape) + ", expected one floating-point number");
    }
    double scale = 0;
    part.file->read(*part.tensor, 0, 1, &scale);
    if (scale != 0) {
      weights.emplace(module + side, stored_weight(*part.file, *part.tensor));
    }
    parts.erase(entry);
  }
}

// Scales of a quantised cache: a matter of engines.
void drop_cache_scales(TensorParts& parts) {
  std::erase_if(parts, [](const auto& entry) {
    const std::string& name = entry.first;
    return name.ends_with(".k_cache_scale") || name.ends_with(".v_cache_scale") ||
           name.ends_with(".k_scale") || name.ends_with(".v_scale") || name.ends_with(".q_scale");
  });
}

void note_what_config_says(const QuantizationConfig& config, bool quantised,
                           std::vector<std::string>& notes) {
  const std::string place = config.file + ": " + config.key + ": got " + config.name;
  if (config.is_said() && !quantised) {
    notes.push_back(place + ", expected quantised tensors: these are plain and taken as they are");
  }
  if (!config.is_said() && quantised) {
    notes.emplace_back(
        "config.json: got no quantization_config, expected one for quantised tensors");
  }
  if (config.quantizes_inputs && quantised) {
    notes.push_back(
        place + ", expected its weights alone: the inputs of linear maps are not quantised here");
  }
}

}  // namespace

void take_quantised_weights(const ModelConfig& config, TensorParts& parts, WeightMap& weights,
                            std::vector<std::string>& notes) {
  std::vector<ExpectedTensor> expected = expected_tensors(config);
  expected.push_back({std::string(kHeadName), {config.text.vocab_size, config.text.hidden_size}});
  drop_cache_scales(parts);
  const std::size_t plain = weights.size();
  const bool foreign = is_foreign_method(config.quantization);
  for (const ExpectedTensor& tensor : expected) {
    const std::string name = stored_name(config, tensor.name);
    if (tensor.shape.size() == 3 && !foreign) {
      if (auto experts = take_experts(name, tensor.shape, config.quantization, parts)) {
        weights.emplace(name, std::move(experts));
      }
    }
    if (tensor.shape.size() != 2 || !name.ends_with(kWeight) || foreign) {
      continue;
    }
    Module module(name.substr(0, name.size() - kWeight.size()), tensor.shape, config.quantization,
                  parts);
    auto weight = module.take();
    take_activation_scales(module.name(), weight != nullptr, parts, weights);
    if (weight) {
      weights.emplace(name, std::move(weight));
    }
  }
  refuse_foreign_forms(config.quantization, parts);
  note_what_config_says(config.quantization, weights.size() > plain, notes);
}

}  // namespace assay
