// SPDX-License-Identifier: Apache-2.0
// The weights of a Gemma 4 in GGUF files: one table of names, Hugging Face's and GGUF's, for
// reading and writing.
//
//   architecture      file                   weights
//   gemma4            the model              blk.N.*, token_embd, output_norm, per_layer_*
//   gemma4-assistant  its drafter            the same without keys and values; nextn.*,
//   masked_embd_* clip              its encoders           v.*, a.*, mm.*  (the "multimodal
//   projector")
//
// Ollama keeps a model and its encoders in one file and calls some tensors of the audio encoder
// otherwise. Sources: llama.cpp's gguf-py/gguf/tensor_mapping.py and conversion/gemma.py, Ollama's
// convert/convert_gemma4.go.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace assay {

// How the elements lie in the file, against Hugging Face's tensor.
enum class GgufLayout {
  kSame,     // in the same order; axes of extent 1 may be missing
  kPatches,  // rows of pixels, [..., y, x, channel] there, are [..., channel, y, x] here
  kAxes,     // [positions, axes, width] there, [axes, positions, width] here
  // log(1 + e^x) of every element; read back, x is exact to the rounding of the file's type.
  kSoftplus
};

enum class GgufDialect { kLlamaCpp, kOllama };

struct GgufName {
  std::string name;
  GgufLayout layout = GgufLayout::kSame;
};

// `name` as Checkpoint has it: "layers.0.mlp.up_proj.weight" -> "blk.0.ffn_up.weight",
// "model.vision_tower.std_bias" -> "v.std_bias". Nothing for a weight that GGUF has no name for.
std::optional<GgufName> gguf_name(std::string_view name,
                                  GgufDialect dialect = GgufDialect::kLlamaCpp);

// Of a plain tensor name's stem and its factor: "blk.3.attn_q.weight" -> "blk.3.attn_q.scale".
// NVFP4 tensors may have one, of one element or one for each expert.
std::string gguf_factor_name(std::string_view name);

}  // namespace assay
