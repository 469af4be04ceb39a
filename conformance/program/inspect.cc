// SPDX-License-Identifier: Apache-2.0
// assay inspect: what a checkpoint, golden, dump, image, audio or video holds.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "conformance/program/inspect_media.h"
#include "conformance/program/options.h"
#include "conformance/program/print_encoders.h"
#include "conformance/records/dump.h"
#include "conformance/records/golden.h"
#include "conformance/records/golden_requests.h"
#include "reference/family/base/error.h"
#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/checkpoint/gguf_files.h"
#include "reference/family/checkpoint/tensor_table.h"

namespace assay::program {
namespace {

void print_layers(const TextConfig& text, bool is_drafter) {
  std::cout << "layers   kind     kv heads  head dim  ffn     keys and values\n";
  for (std::size_t i = 0; i < text.layers.size(); ++i) {
    const LayerConfig& layer = text.layers[i];
    const std::string keys = is_drafter          ? "the target's"
                             : text.shares_kv(i) ? "of layer " + std::to_string(layer.kv_source)
                             : layer.k_eq_v      ? "own, value = raw key"
                                                 : "own";
    std::printf("  %-6zu %-8s %-9zu %-9zu %-7zu %s\n", i,
                layer.kind == LayerKind::kSliding ? "sliding" : "full", layer.num_key_value_heads,
                layer.head_dim, layer.intermediate_size, keys.c_str());
  }
  std::fflush(stdout);
}

void print_config(const ModelConfig& model) {
  const TextConfig& text = model.text;
  std::cout << "model_type " << model.model_type << "\nhidden_size " << text.hidden_size
            << ", vocabulary " << text.vocab_size << ", " << text.num_attention_heads
            << " query heads, window " << text.sliding_window << "\nvision blocks "
            << (text.vision_blocks ? "on sliding layers" : "none") << ", per-layer input width "
            << text.hidden_size_per_layer_input << ", layers that share keys "
            << text.num_kv_shared_layers << "\n";
  if (text.moe) {
    std::cout << "experts " << text.moe->num_experts << ", " << text.moe->top_k_experts
              << " per token, width " << text.moe->moe_intermediate_size << "\n";
  }
  if (model.quantization.is_said()) {
    std::cout << model.quantization.key << ": " << model.quantization.name << "\n";
  }
  if (model.drafter) {
    std::cout << "drafter of a target of width " << model.drafter->backbone_hidden_size << ", "
              << (model.drafter->use_ordered_embeddings ? "ordered" : "dense") << " head\n";
  }
  print_layers(text, model.drafter.has_value());
}

void print_tensors(const std::vector<TensorInfo>& tensors) {
  std::size_t elements = 0;
  for (const TensorInfo& tensor : tensors) {
    std::size_t count = 1;
    for (const std::size_t extent : tensor.shape) {
      count *= extent;
    }
    elements += count;
    std::cout << "  " << dtype_name(tensor.dtype) << "  " << tensor.name << "  "
              << shape_string(tensor.shape) << "  " << tensor.file << "\n";
  }
  std::cout << tensors.size() << " tensors, " << elements << " elements\n";
}

int inspect_checkpoint(const std::filesystem::path& path) {
  const auto checkpoint = Checkpoint::open(path);
  for (const std::string& note : checkpoint.notes()) {
    std::cout << "note: " << note << "\n";
  }
  print_config(checkpoint.config());
  if (checkpoint.has(kHeadName)) {
    std::cout << "head " << kHeadName << ", not the table of tokens\n";
  }
  print_encoders(checkpoint);
  print_tensors(checkpoint.tensors());
  return 0;
}

// A model or a drafter is a checkpoint; of another file, as one of encoders, its tensors are shown.
int inspect_gguf(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path) || !std::filesystem::exists(path)) {
    return inspect_checkpoint(path);
  }
  const GgufHead head(path);
  const bool encoders = head.architecture() == "clip";
  const bool vocabulary = head.metadata().num_tensors() == 0;
  if (!encoders && !vocabulary) {
    return inspect_checkpoint(path);
  }
  std::cout << "GGUF, architecture " << printable(head.architecture())
            << (encoders ? ": the encoders of a model, for --mmproj\n"
                         : ": a tokenizer without a model, for --vocab\n");
  std::vector<TensorInfo> tensors;
  const Container file = Container::open(path);
  for (const StoredTensor& tensor : file.tensors()) {
    tensors.push_back({tensor.name, tensor.dtype, tensor.shape, file.label()});
  }
  print_tensors(tensors);
  return 0;
}

void print_taps(const conformance::TapSet& taps, const std::vector<std::string>& unknown = {}) {
  for (const auto& tap : taps) {
    const bool is_tap = std::ranges::find(unknown, tap.name) == unknown.end();
    std::cout << "  " << tap.name << "  " << shape_string(tap.shape)
              << (tap.integer ? "  integers" : "") << (is_tap ? "" : "  no tap of the catalogue")
              << "\n";
  }
  std::cout << taps.size() - unknown.size() << " taps";
  if (!unknown.empty()) {
    std::cout << ", " << unknown.size() << " arrays with names of their own";
  }
  std::cout << "\n";
}

int inspect_golden(const conformance::Golden& golden) {
  for (const auto& [name, value] : golden.attributes) {
    std::cout << name << ": " << value << "\n";
  }
  if (!golden.input.requests.empty()) {
    std::cout << "requests: " << conformance::requests_json(golden.input.requests) << "\n";
    print_taps(golden.truth);
    return 0;
  }
  std::cout << golden.input.ids.size() << " tokens, " << golden.input.media.size() << " media items"
            << (golden.input.draft ? ", drafts" : "") << "\n";
  if (golden.decode_from > 0) {
    std::cout << "decode_from: " << golden.decode_from << ", the oracle fed " << golden.decode_from
              << " tokens at once and the other " << golden.input.ids.size() - golden.decode_from
              << " one at a time\n";
  }
  std::cout << "ids:";
  for (const std::int32_t id : golden.input.ids) {
    std::cout << ' ' << id;
  }
  std::cout << "\n";
  print_taps(golden.truth);
  return 0;
}

}  // namespace

int inspect(const InspectOptions& options) {
  if (is_gguf_checkpoint(options.path)) {
    return inspect_gguf(options.path);
  }
  if (std::filesystem::is_directory(options.path)) {
    return inspect_checkpoint(options.path);
  }
  if (is_media_file(options.path)) {
    return inspect_media(options);
  }
  refuse_media_not_read(options.path);
  if (!options.png.empty()) {
    throw Error(options.path + ": got no image, audio or video, expected one to draw");
  }
  if (conformance::is_golden(options.path)) {
    return inspect_golden(conformance::read_golden(options.path));
  }
  const auto dump = conformance::read_dump(options.path);
  for (const auto& [name, value] : dump.attributes) {
    std::cout << name << ": " << value << "\n";
  }
  print_taps(dump.taps, dump.unknown);
  return 0;
}

}  // namespace assay::program
