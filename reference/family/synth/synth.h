// SPDX-License-Identifier: Apache-2.0
// Checkpoints of any width from the closed-form generator, streamed to disk in the released form.
//
// A size alone gives the released hyper-parameters (spec text 1.1, 3.1): true shapes, nothing
// shipped. Every width can be set, so that wide and tiny checkpoints come from the same call.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/checkpoint/dtype.h"
#include "reference/family/config/config.h"

namespace assay {

enum class SynthForm { kMultimodal, kTextOnly };  // a drafter has one form only

// The encoders of a multimodal checkpoint. What is not set is the size's own, so that one layer of
// true width is one option; a width of 0 leaves an encoder out.
struct SynthEncoders {
  std::optional<std::size_t> vision_width;  // hidden_size; 12B: mm_embed_dim
  std::optional<std::size_t> vision_layers;
  std::optional<std::size_t> vision_heads;
  std::optional<std::size_t> vision_head_dim;
  std::optional<std::size_t> vision_ffn;
  std::optional<std::size_t> vision_positions;  // rows of the position table, per axis
  std::optional<std::size_t> audio_width;       // hidden_size; 12B: samples of a token
  std::optional<std::size_t> audio_layers;
  std::optional<std::size_t> audio_heads;
  std::optional<std::size_t> audio_output;       // output_proj_dims
  std::optional<std::size_t> image_soft_tokens;  // the budget in processor_config.json
};

// What is not set is the size's own. Fewer layers keep the size's pattern, with a full layer last,
// and its share of KV-sharing layers.
struct SynthOptions {
  std::optional<std::size_t> hidden_size;
  std::optional<std::size_t> num_hidden_layers;
  std::optional<std::size_t> num_attention_heads;
  std::optional<std::size_t> num_key_value_heads;
  std::optional<std::size_t> num_global_key_value_heads;  // only where attention_k_eq_v
  std::optional<std::size_t> head_dim;
  std::optional<std::size_t> global_head_dim;
  std::optional<std::size_t> intermediate_size;
  std::optional<std::size_t> vocab_size;
  std::optional<std::size_t> sliding_window;
  std::optional<std::size_t> hidden_size_per_layer_input;
  std::optional<std::size_t> num_kv_shared_layers;
  std::optional<std::size_t> num_experts;  // 0: no experts
  std::optional<std::size_t> top_k_experts;
  std::optional<std::size_t> moe_intermediate_size;
  std::optional<std::size_t> backbone_hidden_size;  // drafters, from here
  std::optional<std::size_t> num_centroids;
  std::optional<std::size_t> centroid_intermediate_top_k;
  std::vector<LayerKind> layer_types;  // empty: the size's pattern

  DType dtype = DType::kBf16;  // or kF16, kF32
  std::size_t shard_bytes = std::size_t{4} << 30;
  SynthForm form = SynthForm::kMultimodal;
  std::optional<SynthEncoders> encoders;  // none: vision_config and audio_config are null
  bool store_shared_kv = true;            // as released: keys and values that nobody reads
};

struct SynthProgress {
  std::string_view tensor;  // being written
  std::size_t bytes_done = 0;
  std::size_t bytes_total = 0;
};

struct SynthSummary {
  std::size_t tensors = 0;
  std::size_t parameters = 0;
  std::size_t bytes = 0;  // of the tensors
  std::size_t files = 0;  // that hold tensors
};

// "e2b", "e4b", "12b", "26b", "31b", "e2b-drafter", …
std::vector<std::string> synthetic_sizes();

// What the call below would write.
SynthSummary plan_synthetic_checkpoint(std::string_view size, const SynthOptions& options);

// Writes config.json, the weights, and processor_config.json beside encoders. `directory` must be
// absent or empty; it is made under another name beside it and renamed when complete. Throws Error
// for a size or option that makes no model, and when the disk has no room. `progress` may be empty.
SynthSummary write_synthetic_checkpoint(
    std::string_view size, const std::filesystem::path& directory, const SynthOptions& options = {},
    const std::function<void(const SynthProgress&)>& progress = {});

}  // namespace assay
