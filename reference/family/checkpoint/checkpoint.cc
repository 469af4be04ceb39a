// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/checkpoint_files.h"
#include "reference/family/checkpoint/encoder_tensors.h"
#include "reference/family/checkpoint/tensor_table.h"

namespace assay {
namespace {

// Elements that are widened and looked at together: both arrays stay in the first cache.
constexpr std::size_t kBlock = 4096;

bool has_encoder(const ModelConfig& config, EncoderHalf half) {
  return half == EncoderHalf::kVision ? config.vision || config.unified_vision
                                      : config.audio || config.unified_audio;
}

// A weight of the model, and how it is used.
struct Place {
  const WeightSource* weight = nullptr;
  bool bound = false;
};

// A bound that lets everything through: what a model has that was never calibrated.
bool is_open(std::string_view name, double bound) {
  return std::isinf(bound) && (bound < 0) == name.ends_with("min");
}

// A bound was written as a number, or as a list of one.
bool is_shape_of(const std::vector<std::size_t>& shape, const ExpectedTensor& expected) {
  const bool one = expected.use == TensorUse::kBound && shape == std::vector<std::size_t>{1};
  return one || shape == expected.shape;
}

void check_range(const WeightSource& weight, std::size_t first, std::size_t count) {
  const std::size_t elements = num_elements(weight.shape());
  if (first > elements || count > elements - first) {
    throw Error(weight.place() + ": got a read of " + std::to_string(count) +
                " elements from element " + std::to_string(first) +
                ", expected a range within its " + std::to_string(elements));
  }
}

void check_integers(const WeightSource& weight) {
  if (weight.dtype() != dtype_name(DType::kI64) && weight.dtype() != dtype_name(DType::kI32)) {
    throw Error(weight.place() + ": dtype: got " + weight.dtype() + ", expected I64 or I32");
  }
}

void check_weight(const WeightSource& weight, const ExpectedTensor& expected) {
  if (!is_shape_of(weight.shape(), expected)) {
    throw Error(weight.place() + ": shape: got " + shape_string(weight.shape()) + ", expected " +
                shape_string(expected.shape));
  }
  if (expected.use == TensorUse::kInteger) {
    check_integers(weight);
  } else if (!weight.is_floating()) {
    const auto floating = [](const DTypeInfo& row) { return row.floating && row.in_safetensors; };
    throw Error(weight.place() + ": dtype: got " + weight.dtype() + ", expected one of " +
                dtype_names(floating));
  }
}

// The linear maps whose activations can be rounded: all that the quantised releases have.
void check_rounds_activations(std::string_view module, const WeightSource& scale) {
  constexpr std::string_view kParts[] = {"self_attn.",         "mlp.",
                                         "per_layer_",         "lconv1d.linear_",
                                         "feed_forward1.ffw_", "feed_forward2.ffw_"};
  const auto within = [module](std::string_view part) {
    return module.find(part) != std::string_view::npos;
  };
  if (module != "lm_head" && std::ranges::none_of(kParts, within)) {
    throw Error(scale.place() + ": got the scale of activations, expected one only in attention, " +
                "feed-forward networks, per-layer inputs and the head");
  }
}

bool are_equal(const WeightSource& a, const WeightSource& b) {
  if (a.shape() != b.shape()) {
    return false;
  }
  const std::size_t elements = num_elements(a.shape());
  std::vector<double> of_a(std::min(kBlock, elements));
  std::vector<double> of_b(of_a.size());
  for (std::size_t done = 0; done < elements; done += kBlock) {
    const std::size_t size = std::min(kBlock, elements - done);
    a.read(done, size, of_a.data());
    b.read(done, size, of_b.data());
    if (!std::equal(of_a.begin(), of_a.begin() + static_cast<std::ptrdiff_t>(size), of_b.begin())) {
      return false;
    }
  }
  return true;
}

}  // namespace

struct Checkpoint::Impl {
  std::filesystem::path path;
  CheckpointFiles files;
  std::map<std::string, Place, std::less<>> places;  // readable weights by their short name

  const Place& at(std::string_view name) const;
  void drop_absent_encoders();
  void match_head();
  bool belongs_to_model(std::string_view name) const;
  void match_activation_scales(std::set<std::string_view>& names);
  void match_tensors();
  void check_bound(std::string_view name, double value) const;
};

const Place& Checkpoint::Impl::at(std::string_view name) const {
  const auto entry = places.find(name);
  if (entry == places.end()) {
    throw Error(printable(path.string()) + ": " + printable(name) +
                ": got nothing, expected a tensor of the model");
  }
  return entry->second;
}

// A config may name encoders that a text-only copy of the files has left out.
void Checkpoint::Impl::drop_absent_encoders() {
  bool vision = false;
  bool audio = false;
  for (const auto& [name, weight] : files.weights) {
    vision |= encoder_half(name) == EncoderHalf::kVision;
    audio |= encoder_half(name) == EncoderHalf::kAudio;
  }
  const auto note = [this](const char* key) {
    files.notes.push_back(std::string(key) + ": got an encoder, expected its tensors as well: " +
                          "without them it is left out");
  };
  if (!vision && has_encoder(files.config, EncoderHalf::kVision)) {
    note("vision_config");
    files.config.vision.reset();
    files.config.unified_vision.reset();
  }
  if (!audio && has_encoder(files.config, EncoderHalf::kAudio)) {
    note("audio_config");
    files.config.audio.reset();
    files.config.unified_audio.reset();
  }
}

// Which matrix makes the logits: the table of tokens, or a head of its own. As in transformers a
// head that equals the table is the table, and one that stands alone is both, where the config ties
// them.
void Checkpoint::Impl::match_head() {
  const TextConfig& text = files.config.text;
  const bool tied = files.config.tie_word_embeddings;
  const std::vector<std::size_t> shape = {text.vocab_size, text.hidden_size};
  auto head = files.weights.extract(std::string(kHeadName));
  if (head.empty()) {
    if (!tied) {
      throw Error(files.place_of(kHeadName) + ": got nothing, expected a tensor " +
                  shape_string(shape) + ", because tie_word_embeddings is false");
    }
    return;
  }
  check_weight(*head.mapped(), {std::string(kHeadName), shape});
  const std::string table = stored_name(files.config, "embed_tokens.weight");
  const auto entry = files.weights.find(table);
  if (tied && entry == files.weights.end()) {
    head.key() = table;
  } else if (tied && are_equal(*head.mapped(), *entry->second)) {
    return;
  }
  const auto place = files.weights.insert(std::move(head)).position;
  if (place->first == kHeadName) {
    places.emplace(kHeadName, Place{place->second.get(), false});
  }
}

// The scales of a linear map's activations, of one element each, are there or not.
void Checkpoint::Impl::match_activation_scales(std::set<std::string_view>& names) {
  constexpr std::string_view kWeight = ".weight";
  std::map<std::string, Place, std::less<>> scales;
  for (const auto& [name, place] : places) {
    if (!name.ends_with(kWeight)) {
      continue;
    }
    const std::string module = name.substr(0, name.size() - kWeight.size());
    for (const char* side : {".input_activation_scale", ".output_activation_scale"}) {
      const auto entry = files.weights.find(stored_name(files.config, module + side));
      if (entry != files.weights.end()) {
        check_rounds_activations(module, *entry->second);
        names.insert(entry->first);
        scales.emplace(module + side, Place{entry->second.get(), false});
      }
    }
  }
  places.merge(scales);
}

// Every stored tensor of the model is expected with its shape; every expected one is stored.
void Checkpoint::Impl::match_tensors() {
  const ModelConfig& config = files.config;
  std::set<std::string_view> expected_names;
  for (ExpectedTensor& expected : expected_tensors(config)) {
    const std::string name = stored_name(config, expected.name);
    const auto entry = files.weights.find(name);
    if (entry != files.weights.end()) {
      expected_names.insert(entry->first);
      check_weight(*entry->second, expected);
      if (expected.use != TensorUse::kIgnored) {
        const bool bound = expected.use == TensorUse::kBound;
        places.emplace(std::move(expected.name), Place{entry->second.get(), bound});
      }
    } else if (expected.use != TensorUse::kIgnored) {
      throw Error(files.place_of(name) + ": got nothing, expected a tensor " +
                  shape_string(expected.shape));
    }
  }
  match_activation_scales(expected_names);
  for (const auto& [name, weight] : files.weights) {
    if (!expected_names.contains(name) && name != kHeadName && belongs_to_model(name)) {
      throw Error(weight->place() + ": got a tensor that is not known, expected those of " +
                  config.model_type);
    }
  }
}

// All but those of encoders that a multimodal config does not know.
bool Checkpoint::Impl::belongs_to_model(std::string_view name) const {
  const EncoderHalf half = encoder_half(name);
  const bool multimodal = files.config.weight_prefix != "model.";
  return half == EncoderHalf::kNone || !multimodal || has_encoder(files.config, half);
}

void Checkpoint::Impl::check_bound(std::string_view name, double value) const {
  const std::string partner = partner_bound(name);
  double other = 0;
  at(partner).weight->read(0, 1, &other);
  const bool lower = name.ends_with("min");
  if (lower ? !(value <= other) : !(other <= value)) {
    throw Error(at(name).weight->place() + ": got " + std::to_string(value) + ", expected at " +
                (lower ? "most " : "least ") + std::to_string(other) + ", the value of " +
                printable(partner));
  }
}

Checkpoint::Checkpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;
Checkpoint::~Checkpoint() = default;

Checkpoint Checkpoint::open(const std::filesystem::path& path) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->files = open_checkpoint_files(path);
  impl->drop_absent_encoders();
  impl->match_head();
  impl->match_tensors();
  return Checkpoint(std::move(impl));
}

const ModelConfig& Checkpoint::config() const {
  return impl_->files.config;
}

const std::filesystem::path& Checkpoint::path() const {
  return impl_->path;
}

const std::vector<std::string>& Checkpoint::notes() const {
  return impl_->files.notes;
}

std::vector<TensorInfo> Checkpoint::tensors() const {
  std::vector<TensorInfo> infos;
  for (const Container& file : impl_->files.containers) {
    for (const StoredTensor& tensor : file.tensors()) {
      infos.push_back({tensor.name, tensor.dtype, tensor.shape, file.label()});
    }
  }
  std::sort(infos.begin(), infos.end(),
            [](const TensorInfo& a, const TensorInfo& b) { return a.name < b.name; });
  return infos;
}

bool Checkpoint::has(std::string_view name) const {
  return impl_->places.find(name) != impl_->places.end();
}

const std::vector<std::size_t>& Checkpoint::shape(std::string_view name) const {
  return impl_->at(name).weight->shape();
}

std::optional<StoredBytes> Checkpoint::stored(std::string_view name) const {
  return impl_->at(name).weight->stored();
}

template <class Real>
void Checkpoint::read(std::string_view name, std::size_t first, std::size_t count,
                      Real* out) const {
  const auto [weight, bound] = impl_->at(name);
  check_range(*weight, first, count);
  for (std::size_t done = 0; done < count; done += kBlock) {
    const std::size_t size = std::min(kBlock, count - done);
    weight->read(first + done, size, out + done);
    const std::size_t bad = first_non_finite(out + done, size);
    if (bad != size && !(bound && is_open(name, static_cast<double>(out[done])))) {
      throw Error(weight->place() + ": element " + std::to_string(first + done + bad) + ": got " +
                  std::to_string(out[done + bad]) + ", expected a finite number");
    }
  }
  if (bound && count == 1) {
    impl_->check_bound(name, static_cast<double>(*out));
  }
}

std::vector<std::int64_t> Checkpoint::read_integers(std::string_view name) const {
  const WeightSource& weight = *impl_->at(name).weight;
  check_integers(weight);
  // A double holds every integer that could be of use here.
  std::vector<double> values(num_elements(weight.shape()));
  weight.read(0, values.size(), values.data());
  return {values.begin(), values.end()};
}

void Checkpoint::release(std::string_view name) const {
  impl_->at(name).weight->release();
}

template void Checkpoint::read<float>(std::string_view, std::size_t, std::size_t, float*) const;
template void Checkpoint::read<double>(std::string_view, std::size_t, std::size_t, double*) const;

}  // namespace assay
