// SPDX-License-Identifier: Apache-2.0
// The quantised forms of a Hugging Face directory: recognised by the names and types of tensors,
// called by their names, read where they are documented.
//
//   form                                      of a linear map M
//   compressed-tensors pack-quantized         weight_packed int32, weight_scale, weight_shape
//   compressed-tensors int-, float-quantized  weight I8 or F8, weight_scale
//   compressed-tensors nvfp4-pack-quantized   weight_packed U8, weight_scale F8,
//   weight_global_scale compressed-tensors mxfp4-pack-quantized   weight_packed U8, weight_scale U8
//   modelopt NVFP4                            weight U8, weight_scale F8, weight_scale_2
//   fp8, fbgemm_fp8, mxfp8, modelopt FP8      weight F8, weight_scale or weight_scale_inv
//   the same, of all experts in one tensor X  X F8, X_scale_inv or X_scale
//   gemma (mobile QAT)                        weight U8 or I8, weight_scale, activation scales;
//                                             embedding_quantized, embedding_scale
//
// Sources: the packages compressed-tensors 0.20 and transformers 5.22 (integrations/gemma_quant,
// finegrained_fp8), NVIDIA's Model Optimizer. Others are refused: bitsandbytes, GPTQ, AWQ, …
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "reference/family/checkpoint/tensor_parts.h"
#include "reference/family/checkpoint/weight_source.h"
#include "reference/family/config/config.h"

namespace assay {

using WeightMap = std::map<std::string, std::unique_ptr<WeightSource>, std::less<>>;

// Takes the parts of all quantised weights out of `parts` and puts the weights into `weights`,
// under the names of plain ones. Appends what a user should hear of to `notes`. Throws where a form
// is not read, or where its parts do not fit each other.
void take_quantised_weights(const ModelConfig& config, TensorParts& parts, WeightMap& weights,
                            std::vector<std::string>& notes);

}  // namespace assay
