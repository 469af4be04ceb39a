// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_checkpoint.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/gguf_config.h"
#include "reference/family/checkpoint/gguf_files.h"
#include "reference/family/checkpoint/gguf_names.h"
#include "reference/family/checkpoint/gguf_weights.h"
#include "reference/family/checkpoint/tensor_table.h"
#include "reference/family/config/load_config.h"

namespace assay {
namespace {

constexpr std::string_view kClampData = "v.clamp_data";
constexpr std::string_view kRopeFreqs = "rope_freqs.weight";  // the config has what it says

// The tensors of all files by name; those that have become a weight are marked.
class Tensors {
 public:
  explicit Tensors(const std::vector<Container>& containers) {
    for (const Container& file : containers) {
      for (const StoredTensor& tensor : file.tensors()) {
        if (!found_.emplace(tensor.name, FoundTensor{&file, &tensor}).second) {
          throw Error(file.label() + ": " + printable(tensor.name) +
                      ": got the name in two files, expected it in one");
        }
      }
    }
  }

  FoundTensor find(std::string_view name) const {
    const auto entry = found_.find(name);
    return entry == found_.end() ? FoundTensor{} : entry->second;
  }

  FoundTensor take(std::string_view name) {
    const FoundTensor found = find(name);
    if (found.tensor != nullptr) {
      taken_.insert(found.tensor->name);
    }
    return found;
  }

  // Calls visit(tensor) for those that nobody took.
  template <class Visit>
  void each_left(Visit visit) const {
    for (const auto& [name, found] : found_) {
      if (!taken_.contains(name)) {
        visit(found);
      }
    }
  }

 private:
  std::map<std::string, FoundTensor, std::less<>> found_;
  std::set<std::string, std::less<>> taken_;
};

std::string replaced(std::string name, std::string_view part, std::string_view by) {
  const std::size_t at = name.find(part);
  return at == std::string::npos ? name : name.replace(at, part.size(), by);
}

class Weights {
 public:
  Weights(Tensors& tensors, GgufDialect dialect, const ModelConfig& config)
      : tensors_(&tensors), dialect_(dialect), config_(&config) {}

  // Null where no tensor is the weight's.
  std::unique_ptr<WeightSource> make(const ExpectedTensor& expected) {
    const auto name = gguf_name(expected.name, dialect_);
    if (!name) {
      return nullptr;
    }
    if (const auto [file, tensor] = tensors_->take(name->name); tensor != nullptr) {
      return with_factor(gguf_weight(*file, *tensor, name->layout, expected.shape), *name);
    }
    if (name->name.find("ffn_gate_up_exps") != std::string::npos) {
      return joined_experts(name->name, expected.shape);
    }
    if (expected.use == TensorUse::kBound) {
      return packed_bound(name->name);
    }
    return part_of_qkv(name->name, expected.shape);
  }

 private:
  // "blk.N.ffn_down_exps.scale" is a weight of its own, which make() is asked for by its name.
  std::unique_ptr<WeightSource> with_factor(std::unique_ptr<WeightSource> weight,
                                            const GgufName& name) {
    const std::string factor_name = gguf_factor_name(name.name);
    const bool own = name.name == factor_name || factor_name.ends_with("ffn_gate_inp.scale") ||
                     factor_name.ends_with("ffn_down_exps.scale");
    const auto [file, factor] = own ? FoundTensor{} : tensors_->find(factor_name);
    if (factor == nullptr || weight->shape().empty()) {
      return weight;
    }
    if (factor->elements != 1 && factor->elements != weight->shape().front()) {
      return weight;  // left over, so the checkpoint names it
    }
    tensors_->take(factor_name);
    return times_factor(std::move(weight), stored_weight(*file, *factor));
  }

  std::unique_ptr<WeightSource> joined_experts(const std::string& name,
                                               const std::vector<std::size_t>& shape) {
    const std::vector<std::size_t> half = {shape[0], shape[1] / 2, shape[2]};
    std::array<std::unique_ptr<WeightSource>, 2> halves;
    for (const std::size_t i : {0u, 1u}) {
      const std::string part =
          replaced(name, "ffn_gate_up_exps", i == 0 ? "ffn_gate_exps" : "ffn_up_exps");
      const auto [file, tensor] = tensors_->take(part);
      if (tensor == nullptr) {
        return nullptr;
      }
      halves[i] = gguf_weight(*file, *tensor, GgufLayout::kSame, half);
      if (halves[i]->shape() != half) {
        return std::move(halves[i]);
      }
      halves[i] = with_factor(std::move(halves[i]), {part});
    }
    return joined_rows(std::move(halves[0]), std::move(halves[1]));
  }

  // "blk.N.attn_qkv.weight": rows of queries, keys and values.
  std::unique_ptr<WeightSource> part_of_qkv(const std::string& name,
                                            const std::vector<std::size_t>& shape) {
    constexpr std::array<std::string_view, 3> kParts = {".attn_q.", ".attn_k.", ".attn_v."};
    const auto part = std::ranges::find_if(
        kParts, [&](std::string_view p) { return name.find(p) != std::string::npos; });
    if (part == kParts.end() || !name.starts_with("blk.") || shape.size() != 2) {
      return nullptr;
    }
    const auto [file, tensor] = tensors_->take(replaced(name, *part, ".attn_qkv."));
    if (tensor == nullptr || tensor->shape.size() != 2 || tensor->shape[1] != shape[1]) {
      return nullptr;
    }
    const LayerConfig& layer = config_->text.layers.at(std::stoul(name.substr(4)));
    const std::size_t queries = config_->text.num_attention_heads * layer.head_dim;
    const std::size_t keys = layer.num_key_value_heads * layer.head_dim;
    if (tensor->shape[0] != queries + 2 * keys) {
      return stored_weight(*file, *tensor);
    }
    const std::array<std::size_t, 3> first = {0, queries, queries + keys};
    return stored_part(*file, *tensor,
                       first[static_cast<std::size_t>(part - kParts.begin())] * shape[1], shape);
  }

  // Ollama's, of vision layers: four bounds for each of seven maps.
  std::unique_ptr<WeightSource> packed_bound(const std::string& name) {
    constexpr std::array<std::string_view, 7> kMaps = {"attn_q",   "attn_k", "attn_v",  "attn_out",
                                                       "ffn_gate", "ffn_up", "ffn_down"};
    constexpr std::array<std::string_view, 4> kBounds = {"input_min", "input_max", "output_min",
                                                         "output_max"};
    const auto [file, tensor] = tensors_->find(kClampData);
    if (tensor == nullptr || !name.starts_with("v.blk.")) {
      return nullptr;
    }
    const std::string_view rest = std::string_view(name).substr(name.find('.', 6) + 1);
    const std::size_t dot = rest.find('.');
    const auto map = std::ranges::find(kMaps, rest.substr(0, dot));
    const auto bound = std::ranges::find(kBounds, rest.substr(dot + 1));
    const std::size_t index = (std::stoul(name.substr(6)) * kMaps.size() +
                               static_cast<std::size_t>(map - kMaps.begin())) *
                                  kBounds.size() +
                              static_cast<std::size_t>(bound - kBounds.begin());
    if (map == kMaps.end() || bound == kBounds.end() || index >= tensor->elements) {
      return nullptr;
    }
    return stored_part(*file, *tensor, index, {});
  }

  Tensors* tensors_;
  GgufDialect dialect_;
  const ModelConfig* config_;
};

// Under the name that the checkpoint will find unknown, and tell.
void add_left_over(const Tensors& tensors, CheckpointFiles& files) {
  tensors.each_left([&](const FoundTensor& found) {
    files.weights.emplace(found.tensor->name, stored_weight(*found.file, *found.tensor));
  });
}

}  // namespace

CheckpointFiles open_gguf_checkpoint(const std::filesystem::path& checkpoint) {
  const GgufFiles heads = open_gguf_heads(checkpoint);
  CheckpointFiles files;
  files.containers = open_gguf_containers(heads);
  Tensors tensors(files.containers);
  const FindTensor find = [&](std::string_view name) { return tensors.find(name); };
  const std::string label = heads.model->path().filename().string();
  files.config = parse_config_json(gguf_config(heads, find), label);
  const GgufDialect dialect =
      find("mm.a.fc.weight").tensor != nullptr ? GgufDialect::kOllama : GgufDialect::kLlamaCpp;
  const TextConfig& text = files.config.text;
  Weights weights(tensors, dialect, files.config);
  for (const ExpectedTensor& expected : expected_tensors(files.config)) {
    if (auto weight = weights.make(expected)) {
      files.weights.emplace(stored_name(files.config, expected.name), std::move(weight));
    }
  }
  const ExpectedTensor head{std::string(kHeadName), {text.vocab_size, text.hidden_size}};
  if (auto weight = weights.make(head)) {
    files.weights.emplace(kHeadName, std::move(weight));
  }
  tensors.take(kRopeFreqs);
  tensors.take(kClampData);
  add_left_over(tensors, files);
  const std::string prefix = files.config.weight_prefix;
  files.place_of = [label, prefix, dialect](std::string_view name) {
    const bool prefixed = !prefix.empty() && name.starts_with(prefix);
    const auto found = gguf_name(prefixed ? name.substr(prefix.size()) : name, dialect);
    return label + ": " + (found ? found->name : std::string(name));
  };
  return files;
}

}  // namespace assay
