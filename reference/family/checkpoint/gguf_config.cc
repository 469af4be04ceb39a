// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_config.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/family/base/error.h"

namespace assay {
namespace {

constexpr std::size_t kMaxLayers = 1u << 12;
constexpr std::size_t kMaxTokens = 1u << 20;
constexpr double kSoftcap = 30;  // llama.cpp's, where the file has none
constexpr double kSlidingTheta = 10000;
constexpr std::size_t kCentroidTopK = 32;  // of every released drafter; the file has no key

// A model's metadata, its keys without the architecture.
class Keys {
 public:
  Keys(const GgufMetadata& metadata, std::string prefix)
      : metadata_(&metadata), prefix_(std::move(prefix)) {}

  bool has(const std::string& key) const { return metadata_->find(prefix_ + key) != nullptr; }
  std::uint64_t integer(const std::string& key) const { return metadata_->integer(prefix_ + key); }
  std::uint64_t integer_or(const std::string& key, std::uint64_t fallback) const {
    return metadata_->integer_or(prefix_ + key, fallback);
  }
  double number(const std::string& key) const { return metadata_->number(prefix_ + key); }
  double number_or(const std::string& key, double fallback) const {
    return metadata_->number_or(prefix_ + key, fallback);
  }
  [[noreturn]] void fail(const std::string& key, const std::string& got,
                         const std::string& expected) const {
    metadata_->fail(prefix_ + key, got, expected);
  }

  // Of a tensor, named in full.
  [[noreturn]] void fail_tensor(const std::string& name, const std::string& got,
                                const std::string& expected) const {
    metadata_->fail(name, got, expected);
  }

  // One value for each of `layers`; a single one stands for all.
  std::vector<std::uint64_t> for_layers(const std::string& key, std::size_t layers) const {
    auto values = metadata_->integers(prefix_ + key, kMaxLayers);
    if (values.size() == 1) {
      values.resize(layers, values[0]);
    }
    if (values.size() != layers) {
      fail(key, std::to_string(values.size()) + " values",
           "one for each of " + std::to_string(layers) + " layers");
    }
    return values;
  }

 private:
  const GgufMetadata* metadata_;
  std::string prefix_;
};

std::size_t rows_of(const FindTensor& find, const char* name) {
  const StoredTensor* tensor = find(name).tensor;
  return tensor == nullptr || tensor->shape.empty() ? 0 : tensor->shape.front();
}

std::size_t vocabulary_of(const Keys& keys, const FindTensor& find, const char* table) {
  const std::size_t rows = rows_of(find, table);
  if (rows == 0) {
    keys.fail_tensor(table, find(table).tensor == nullptr ? "nothing" : "no rows",
                     "a tensor with a row for each token");
  }
  return rows;
}

// The value that all layers of one kind have. `sliding` chooses the kind.
std::uint64_t value_of_kind(const Keys& keys, const char* key,
                            const std::vector<std::uint64_t>& values,
                            const std::vector<std::uint64_t>& pattern, bool sliding) {
  std::optional<std::uint64_t> value;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((pattern[i] != 0) == sliding) {
      if (value && *value != values[i]) {
        keys.fail(key, std::to_string(values[i]) + " for layer " + std::to_string(i),
                  std::to_string(*value) + ", as the other layers of its kind have it");
      }
      value = values[i];
    }
  }
  return value.value_or(values.empty() ? 0 : values.front());
}

void add_feed_forward(const Keys& keys, std::size_t layers, std::size_t shared, Json& text) {
  constexpr const char* kKey = "feed_forward_length";
  const auto widths = keys.for_layers(kKey, layers);
  const std::size_t first_shared = layers - std::min(shared, layers);
  const bool double_wide =
      shared > 0 && first_shared > 0 && widths.back() == 2 * widths.front() && widths.back() > 0;
  for (std::size_t i = 0; i < layers; ++i) {
    const std::uint64_t expected = double_wide && i >= first_shared ? 2 * widths[0] : widths[0];
    if (widths[i] != expected) {
      keys.fail(
          kKey, std::to_string(widths[i]) + " for layer " + std::to_string(i),
          std::to_string(expected) + ": one width, twice it where keys are shared or nowhere");
    }
  }
  text["intermediate_size"] = widths[0];
  text["use_double_wide_mlp"] = double_wide;
}

// Whether full layers take their raw keys for values: then they have no attn_v.
bool keys_are_values(const FindTensor& find, const std::vector<std::uint64_t>& pattern,
                     std::size_t first_shared) {
  bool any = false;
  for (std::size_t i = 0; i < first_shared; ++i) {
    const std::string block = "blk." + std::to_string(i) + ".";
    if (pattern[i] == 0 && find(block + "attn_k.weight").tensor != nullptr) {
      any = true;
      if (find(block + "attn_v.weight").tensor != nullptr) {
        return false;
      }
    }
  }
  return any;
}

void add_attention(const Keys& keys, const FindTensor& find, std::size_t layers, std::size_t shared,
                   Json& text) {
  const auto pattern = keys.for_layers("attention.sliding_window_pattern", layers);
  Json::Array kinds;
  for (const std::uint64_t sliding : pattern) {
    kinds.emplace_back(sliding != 0 ? "sliding_attention" : "full_attention");
  }
  text["layer_types"] = kinds;
  constexpr const char* kHeads = "attention.head_count";
  constexpr const char* kKvHeads = "attention.head_count_kv";
  const auto heads = keys.for_layers(kHeads, layers);
  const auto kv_heads = keys.for_layers(kKvHeads, layers);
  if (std::ranges::count(heads, heads.front()) != static_cast<std::ptrdiff_t>(layers)) {
    keys.fail(kHeads, "several values", "one for all layers");
  }
  text["num_attention_heads"] = heads.front();
  const std::uint64_t full = value_of_kind(keys, kKvHeads, kv_heads, pattern, false);
  text["num_key_value_heads"] = value_of_kind(keys, kKvHeads, kv_heads, pattern, true);
  text["num_global_key_value_heads"] = full;
  text["head_dim"] = keys.integer("attention.key_length_swa");
  text["global_head_dim"] = keys.integer("attention.key_length");
  for (const char* suffix : {"", "_swa"}) {
    const std::string value = std::string("attention.value_length") + suffix;
    const std::uint64_t key = keys.integer(std::string("attention.key_length") + suffix);
    if (keys.integer_or(value, key) != key) {
      keys.fail(value, std::to_string(keys.integer(value)), std::to_string(key) + ", as of keys");
    }
  }
  // A drafter has no keys of its own; its full layers have as many heads as their target's.
  const std::size_t first_shared = layers - std::min(shared, layers);
  const bool k_eq_v = first_shared == 0 ? full != text["num_key_value_heads"].get<std::uint64_t>()
                                        : keys_are_values(find, pattern, first_shared);
  text["attention_k_eq_v"] = k_eq_v;
  if (!k_eq_v && full != text["num_key_value_heads"].get<std::uint64_t>()) {
    keys.fail(kKvHeads, std::to_string(full) + " for full layers that have attn_v",
              "the number of sliding layers");
  }
}

// The share of channel pairs that rotate: rope_freqs divides theirs by 1, the others' by 1e30.
double rotary_factor(const Keys& keys, const FindTensor& find, std::uint64_t head_dim) {
  constexpr const char* kName = "rope_freqs.weight";
  const auto [file, tensor] = find(kName);
  if (tensor == nullptr || tensor->elements != head_dim / 2 || head_dim < 2) {
    keys.fail_tensor(kName, tensor == nullptr ? "nothing" : shape_string(tensor->shape),
                     "a tensor [" + std::to_string(head_dim / 2) + "]");
  }
  std::vector<double> divisors(tensor->elements);
  file->read(*tensor, 0, divisors.size(), divisors.data());
  const auto end = std::find_if(divisors.begin(), divisors.end(), [](double d) { return d != 1; });
  const bool rest = std::all_of(end, divisors.end(), [](double d) { return d >= 1e29; });
  if (end == divisors.begin() || !rest) {
    keys.fail_tensor(kName, "other numbers", "ones and then 1e30, in F32 (proportional RoPE)");
  }
  const auto pairs = static_cast<double>(end - divisors.begin());
  double factor = 2 * pairs / static_cast<double>(head_dim);
  // The rule is floor(factor * head_dim / 2): not one pair fewer by rounding.
  while (std::floor(factor * static_cast<double>(head_dim) / 2) < pairs) {
    factor = std::nextafter(factor, 2);
  }
  return factor;
}

void add_ropes(const Keys& keys, const FindTensor& find, Json& text) {
  Json sliding;
  sliding["rope_type"] = "default";
  sliding["rope_theta"] = keys.number_or("rope.freq_base_swa", kSlidingTheta);
  Json full;
  full["rope_type"] = "proportional";
  full["rope_theta"] = keys.number("rope.freq_base");
  full["partial_rotary_factor"] = rotary_factor(keys, find, keys.integer("attention.key_length"));
  text["rope_parameters"]["sliding_attention"] = sliding;
  text["rope_parameters"]["full_attention"] = full;
  for (const char* key : {"rope.scaling.factor", "rope.scale_linear"}) {
    if (keys.has(key) && keys.number(key) != 1) {
      keys.fail(key, std::to_string(keys.number(key)), "1");
    }
  }
}

void add_experts(const Keys& keys, std::size_t layers, Json& text) {
  const std::uint64_t experts = keys.integer_or("expert_count", 0);
  text["enable_moe_block"] = experts > 0;
  if (experts > 0) {
    text["num_experts"] = experts;
    text["top_k_experts"] = keys.integer("expert_used_count");
    text["moe_intermediate_size"] = keys.for_layers("expert_feed_forward_length", layers).front();
  }
}

Json text_config(const Keys& keys, const GgufMetadata& metadata, const FindTensor& find,
                 bool drafter) {
  Json text;
  const std::uint64_t layers = keys.integer("block_count");
  if (layers == 0 || layers > kMaxLayers) {
    keys.fail("block_count", std::to_string(layers), "1 to " + std::to_string(kMaxLayers));
  }
  const std::uint64_t shared = drafter ? layers : keys.integer_or("attention.shared_kv_layers", 0);
  text["vocab_size"] = vocabulary_of(keys, find, "token_embd.weight");
  text["hidden_size"] = keys.integer("embedding_length");
  text["num_hidden_layers"] = layers;
  text["rms_norm_eps"] = keys.number("attention.layer_norm_rms_epsilon");
  text["sliding_window"] = keys.integer("attention.sliding_window");
  text["max_position_embeddings"] = keys.integer("context_length");
  text["num_kv_shared_layers"] = shared;
  add_attention(keys, find, layers, shared, text);
  add_feed_forward(keys, layers, drafter ? 0 : shared, text);
  add_ropes(keys, find, text);
  add_experts(keys, layers, text);
  const std::uint64_t per_layer = keys.integer_or("embedding_length_per_layer_input", 0);
  text["hidden_size_per_layer_input"] = per_layer;
  if (per_layer > 0) {
    text["vocab_size_per_layer_input"] = vocabulary_of(keys, find, "per_layer_token_embd.weight");
  }
  if (!drafter) {
    text["final_logit_softcapping"] = keys.number_or("final_logit_softcapping", kSoftcap);
  }
  // No key says it; of the released models those with per-layer embeddings are always causal.
  text["use_bidirectional_attention"] = per_layer > 0 || drafter ? Json(nullptr) : Json("vision");
  text["pad_token_id"] = metadata.integer_or("tokenizer.ggml.padding_token_id", 0);
  return text;
}

std::size_t extent(const Keys& keys, const FindTensor& find, const std::string& name,
                   std::size_t axis) {
  const StoredTensor* tensor = find(name).tensor;
  if (tensor == nullptr || tensor->shape.size() <= axis) {
    keys.fail_tensor(name, tensor == nullptr ? "nothing" : shape_string(tensor->shape),
                     "a tensor of the encoder, with more than " + std::to_string(axis) + " axes");
  }
  return tensor->shape[axis];
}

Json vision_config(const Keys& keys, const FindTensor& find) {
  Json vision;
  vision["model_type"] = "gemma4_vision";
  const std::uint64_t width = keys.integer("embedding_length");
  const std::uint64_t heads = keys.integer("attention.head_count");
  vision["hidden_size"] = width;
  vision["intermediate_size"] = keys.integer("feed_forward_length");
  vision["num_hidden_layers"] = keys.integer("block_count");
  vision["num_attention_heads"] = heads;
  vision["num_key_value_heads"] = heads;
  vision["head_dim"] = extent(keys, find, "v.blk.0.attn_q_norm.weight", 0);
  vision["rms_norm_eps"] = keys.number_or("attention.layer_norm_epsilon", 1e-6);
  vision["patch_size"] = keys.integer("patch_size");
  vision["pooling_kernel_size"] = keys.integer_or("projector.scale_factor", 3);
  vision["position_embedding_size"] = extent(keys, find, "v.position_embd.weight", 1);
  vision["use_clipped_linears"] = find("v.blk.0.attn_q.input_min").tensor != nullptr ||
                                  find("v.clamp_data").tensor != nullptr;  // Ollama's
  vision["standardize"] = find("v.std_scale").tensor != nullptr;
  return vision;
}

Json unified_vision_config(const Keys& keys, const FindTensor& find) {
  Json vision;
  vision["model_type"] = "gemma4_unified_vision";
  const std::size_t row = extent(keys, find, "v.patch_norm.1.weight", 0);
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(row) / 3)));
  const std::uint64_t patch = std::max<std::uint64_t>(1, keys.integer("patch_size"));
  vision["patch_size"] = patch;
  vision["pooling_kernel_size"] = std::max<std::size_t>(1, side / patch);
  vision["mm_embed_dim"] = extent(keys, find, "v.patch_embd.weight", 0);
  vision["mm_posemb_size"] = extent(keys, find, "v.position_embd.weight", 1);
  return vision;
}

Json audio_config(const Keys& keys, const FindTensor& find, const char* output) {
  Json audio;
  audio["model_type"] = "gemma4_audio";
  audio["hidden_size"] = keys.integer("embedding_length");
  audio["num_hidden_layers"] = keys.integer("block_count");
  audio["num_attention_heads"] = keys.integer("attention.head_count");
  audio["rms_norm_eps"] = keys.number_or("attention.layer_norm_epsilon", 1e-6);
  audio["subsampling_conv_channels"] = Json::Array{extent(keys, find, "a.conv1d.0.weight", 0),
                                                   extent(keys, find, "a.conv1d.1.weight", 0)};
  const StoredTensor* kernel = find("a.blk.0.conv_dw.weight").tensor;
  if (kernel != nullptr && !kernel->shape.empty()) {
    audio["conv_kernel_size"] = kernel->shape.back();
  }
  audio["output_proj_dims"] = extent(keys, find, output, 0);
  audio["use_clipped_linears"] = find("a.blk.0.attn_q.input_min").tensor != nullptr;
  return audio;
}

Json unified_audio_config(const Keys& keys, const FindTensor& find) {
  Json audio;
  audio["model_type"] = "gemma4_unified_audio";
  audio["audio_embed_dim"] = extent(keys, find, "mm.a.input_projection.weight", 1);
  return audio;
}

// "gemma4v" of "clip.vision.projector_type", or of the key that both kinds share.
std::string projector(const GgufMetadata& metadata, const std::string& key) {
  for (const std::string& name : {key, std::string("clip.projector_type")}) {
    if (metadata.find(name) != nullptr) {
      return metadata.text(name);
    }
  }
  return "";
}

// Of a file of its own. True for the 12B, which has embedders instead.
bool add_clip(const GgufMetadata& clip, const FindTensor& find, Json& root) {
  const bool vision = find("v.patch_embd.weight").tensor != nullptr;
  const bool audio = find("mm.a.input_projection.weight").tensor != nullptr;
  const std::string v = vision ? projector(clip, "clip.vision.projector_type") : "gemma4v";
  const std::string a = audio ? projector(clip, "clip.audio.projector_type") : "gemma4a";
  if ((v != "gemma4v" && v != "gemma4uv") || (a != "gemma4a" && a != "gemma4ua")) {
    clip.fail("clip.vision.projector_type and clip.audio.projector_type",
              "'" + printable(v) + "' and '" + printable(a) + "'",
              "gemma4v and gemma4a, or gemma4uv and gemma4ua");
  }
  const Keys vision_keys(clip, "clip.vision.");
  const Keys audio_keys(clip, "clip.audio.");
  if (vision) {
    root["vision_config"] = v == "gemma4uv" ? unified_vision_config(vision_keys, find)
                                            : vision_config(vision_keys, find);
  }
  if (audio) {
    root["audio_config"] = a == "gemma4ua"
                               ? unified_audio_config(audio_keys, find)
                               : audio_config(audio_keys, find, "a.pre_encode.out.weight");
  }
  return v == "gemma4uv" || a == "gemma4ua";
}

// Ollama's: in the model's own file.
void add_inner_encoders(const GgufMetadata& metadata, const FindTensor& find, Json& root) {
  if (find("v.patch_embd.weight").tensor != nullptr) {
    root["vision_config"] = vision_config(Keys(metadata, "gemma4.vision."), find);
  }
  if (find("mm.a.input_projection.weight").tensor != nullptr) {
    const bool ollama = find("mm.a.fc.weight").tensor != nullptr;
    root["audio_config"] = audio_config(Keys(metadata, "gemma4.audio."), find,
                                        ollama ? "mm.a.fc.weight" : "a.pre_encode.out.weight");
  }
}

void add_drafter(const Keys& keys, const FindTensor& find, Json& root) {
  root["backbone_hidden_size"] = keys.integer("embedding_length_out");
  const std::size_t centroids = rows_of(find, "masked_embd_centroids.weight");
  root["use_ordered_embeddings"] = centroids > 0;
  if (centroids > 0) {
    root["num_centroids"] = centroids;
    root["centroid_intermediate_top_k"] = std::min(centroids, kCentroidTopK);
  }
}

void add_suppressed(const GgufMetadata& metadata, Json& root) {
  constexpr const char* kKey = "tokenizer.ggml.suppress_tokens";
  if (metadata.find(kKey) != nullptr) {
    root["suppress_tokens"] = metadata.integers(kKey, kMaxTokens);
  }
}

}  // namespace

Json gguf_config(const GgufFiles& files, const FindTensor& find) {
  const GgufMetadata& metadata = files.model->metadata();
  const std::string& architecture = files.model->architecture();
  const bool drafter = architecture == "gemma4-assistant";
  if (architecture != "gemma4" && !drafter) {
    metadata.fail("general.architecture", "'" + printable(architecture) + "'",
                  "gemma4 or gemma4-assistant");
  }
  const Keys keys(metadata, architecture + ".");
  Json root;
  bool unified = false;
  if (files.encoders != nullptr) {
    unified = add_clip(files.encoders->metadata(), find, root);
  } else if (!drafter) {
    add_inner_encoders(metadata, find, root);
  }
  root["model_type"] = drafter ? "gemma4_assistant" : unified ? "gemma4_unified" : "gemma4";
  root["text_config"] = text_config(keys, metadata, find, drafter);
  if (drafter) {
    add_drafter(keys, find, root);
  }
  add_suppressed(metadata, root);
  return root;
}

}  // namespace assay
