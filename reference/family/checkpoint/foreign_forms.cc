// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/foreign_forms.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace assay {
namespace {

struct Mark {
  std::string_view part;  // of a tensor's name
  bool at_end;
  std::string_view form;
};

// The first that matches: g_idx tells GPTQ from AWQ, and stands before what they have in common.
constexpr Mark kMarks[] = {
    {".quant_state.bitsandbytes", false, "bitsandbytes, 4 bits"},
    {".weight.absmax", false, "bitsandbytes, 4 bits"},
    {".weight.quant_map", false, "bitsandbytes, 4 bits"},
    {".weight.nested_", false, "bitsandbytes, 4 bits"},
    {".SCB", true, "bitsandbytes, 8 bits"},
    {".weight_format", true, "bitsandbytes, 8 bits"},
    {".g_idx", true, "GPTQ"},
    {".qweight", true, "AWQ"},
    {".qzeros", true, "AWQ"},
    {".W_q", true, "HQQ"},
    {".codebooks", true, "AQLM"},
    {".codes", true, "AQLM"},
    {".weight._data", false, "quanto"},
    {".weight._scale", false, "quanto"},
    {"_blocks", true, "MXFP4"},
    {".weight_scales", true, "EETQ"},
    {"_qdata", true, "torchao"},
    {":qdata", true, "torchao"},
    {".weight_sf", true, "NVFP4 of transformers"},
    {".biases", true, "MLX"},
    {".qvalues", true, "HIGGS"},
    {".tables2", true, "HIGGS"},
    {".dense_weights", true, "SpQR"},
    {".oft_scales", false, "FP-Quant"},
    {".forward_hadamard_matrix", true, "FP-Quant"},
    {".res_indices", true, "VPTQ"},
    {".weight_zero_point", true, "compressed-tensors, with weight_zero_point"},
    {".weight_packed", true, "compressed-tensors"},
    {".weight_scale", true, "scaled weights"},
    {"_scale_inv", true, "fp8"},
    {".weight_scale_2", true, "NVFP4 of modelopt"},
};

bool matches(const Mark& mark, std::string_view name) {
  return mark.at_end ? name.ends_with(mark.part) : name.find(mark.part) != std::string_view::npos;
}

struct Found {
  TensorPart part;
  std::string_view form;
};

std::optional<Found> find_mark(const TensorParts& parts) {
  for (const Mark& mark : kMarks) {
    for (const auto& [name, part] : parts) {
      if (matches(mark, name)) {
        return Found{part, mark.form};
      }
    }
  }
  return std::nullopt;
}

// Weights whose type is no number's, or one of a byte: what a form packs its codes into.
std::optional<TensorPart> find_packed(const TensorParts& parts) {
  for (const auto& [name, part] : parts) {
    const DType dtype = part.tensor->dtype;
    if (name.ends_with(".weight") && (!is_floating(dtype) || dtype.info().block_bytes == 1)) {
      return part;
    }
  }
  return std::nullopt;
}

}  // namespace

void refuse_form(const TensorPart& part, const std::string& form) {
  throw Error(part.place() + ": got weights quantised by " + form +
              ", not supported, expected plain ones or those of compressed-tensors, fp8, NVFP4 or "
              "gemma");
}

bool is_foreign_method(const QuantizationConfig& config) {
  constexpr std::string_view kRead[] = {"compressed-tensors", "fp8",   "fbgemm_fp8",  "mxfp8",
                                        "modelopt",           "gemma", "modelopt_fp4"};
  return !config.method.empty() && std::ranges::find(kRead, config.method) == std::end(kRead);
}

void refuse_foreign_forms(const QuantizationConfig& config, const TensorParts& parts) {
  if (const auto found = find_mark(parts)) {
    refuse_form(found->part, config.method.empty() ? std::string(found->form) : config.name);
  }
  const auto packed = find_packed(parts);
  if (packed && config.is_said()) {
    refuse_form(*packed, config.name);
  }
}

}  // namespace assay
