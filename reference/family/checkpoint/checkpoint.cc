// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/encoder_tensors.h"
#include "reference/family/checkpoint/shards.h"
#include "reference/family/checkpoint/tensor_table.h"
#include "reference/family/config/load_config.h"

namespace assay {
namespace {

// Elements that are widened and looked at together: both arrays stay in the first cache.
constexpr std::size_t kBlock = 4096;

bool has_encoder(const ModelConfig& config, EncoderHalf half) {
  return half == EncoderHalf::kVision ? config.vision || config.unified_vision
                                      : config.audio || config.unified_audio;
}

struct Place {
  const Container* shard = nullptr;
  const StoredTensor* tensor = nullptr;
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

void check_stored(const Place& place, const ExpectedTensor& expected) {
  const std::string where = place.shard->label() + ": " + printable(place.tensor->name) + ": ";
  if (!is_shape_of(place.tensor->shape, expected)) {
    throw Error(where + "shape: got " + shape_string(place.tensor->shape) + ", expected " +
                shape_string(expected.shape));
  }
  const DType dtype = place.tensor->dtype;
  const bool integer = expected.use == TensorUse::kInteger;
  if (integer ? dtype != DType::kI64 : !is_floating(dtype)) {
    const auto floating = [](const DTypeInfo& row) { return row.floating && row.in_safetensors; };
    throw Error(where + "dtype: got " + std::string(dtype_name(dtype)) + ", expected " +
                (integer ? "I64" : "one of " + dtype_names(floating)));
  }
}

}  // namespace

struct Checkpoint::Impl {
  std::filesystem::path directory;
  ModelConfig config;
  std::vector<Container> shards;
  std::map<std::string, Place, std::less<>> places;  // readable tensors by their short name

  const Place& at(std::string_view name) const;
  void drop_absent_encoders();
  std::map<std::string, Place> model_tensors() const;
  void match_tensors();
  void check_bound(std::string_view name, double value) const;
};

const Place& Checkpoint::Impl::at(std::string_view name) const {
  const auto entry = places.find(name);
  if (entry == places.end()) {
    throw Error(printable(directory.string()) + ": " + printable(name) +
                ": got nothing, expected a tensor of the model");
  }
  return entry->second;
}

// A config may name encoders that a text-only copy of the files has left out.
void Checkpoint::Impl::drop_absent_encoders() {
  bool vision = false;
  bool audio = false;
  for (const Container& shard : shards) {
    for (const StoredTensor& tensor : shard.tensors()) {
      vision |= encoder_half(tensor.name) == EncoderHalf::kVision;
      audio |= encoder_half(tensor.name) == EncoderHalf::kAudio;
    }
  }
  if (!vision) {
    config.vision.reset();
    config.unified_vision.reset();
  }
  if (!audio) {
    config.audio.reset();
    config.unified_audio.reset();
  }
}

// Every stored tensor of the model is expected with its shape; every expected one is stored.
void Checkpoint::Impl::match_tensors() {
  std::map<std::string, Place> stored = model_tensors();
  for (ExpectedTensor& expected : expected_tensors(config)) {
    const std::string name = stored_name(config, expected.name);
    const auto entry = stored.find(name);
    if (entry != stored.end()) {
      check_stored(entry->second, expected);
      entry->second.bound = expected.use == TensorUse::kBound;
      if (expected.use != TensorUse::kIgnored) {
        places.emplace(std::move(expected.name), entry->second);
      }
      stored.erase(entry);
    } else if (expected.use != TensorUse::kIgnored) {
      throw Error((shards.size() == 1 ? shards[0].label() : "model.safetensors.index.json") + ": " +
                  name + ": got nothing, expected a tensor " + shape_string(expected.shape));
    }
  }
  if (!stored.empty()) {
    const auto& [name, place] = *stored.begin();
    throw Error(place.shard->label() + ": " + printable(name) +
                ": got a tensor that is not known, expected those of " + config.model_type);
  }
}

// All but those of encoders that a multimodal config does not know.
std::map<std::string, Place> Checkpoint::Impl::model_tensors() const {
  const bool multimodal = config.weight_prefix != "model.";
  std::map<std::string, Place> stored;
  for (const Container& shard : shards) {
    for (const StoredTensor& tensor : shard.tensors()) {
      const EncoderHalf half = encoder_half(tensor.name);
      if (half == EncoderHalf::kNone || !multimodal || has_encoder(config, half)) {
        stored[tensor.name] = {&shard, &tensor};
      }
    }
  }
  return stored;
}

void Checkpoint::Impl::check_bound(std::string_view name, double value) const {
  const std::string partner = partner_bound(name);
  const auto [shard, tensor, bound] = at(partner);
  double other = 0;
  shard->read(*tensor, 0, 1, &other);
  const bool lower = name.ends_with("min");
  if (lower ? !(value <= other) : !(other <= value)) {
    throw Error(at(name).shard->label() + ": " + printable(name) + ": got " +
                std::to_string(value) + ", expected at " + (lower ? "most " : "least ") +
                std::to_string(other) + ", the value of " + printable(partner));
  }
}

Checkpoint::Checkpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;
Checkpoint::~Checkpoint() = default;

Checkpoint Checkpoint::open(const std::filesystem::path& directory) {
  auto impl = std::make_unique<Impl>();
  impl->directory = directory;
  impl->config = load_config(directory);
  impl->shards = open_shards(directory);
  impl->drop_absent_encoders();
  impl->match_tensors();
  return Checkpoint(std::move(impl));
}

const ModelConfig& Checkpoint::config() const {
  return impl_->config;
}

const std::filesystem::path& Checkpoint::directory() const {
  return impl_->directory;
}

std::vector<TensorInfo> Checkpoint::tensors() const {
  std::vector<TensorInfo> infos;
  for (const Container& shard : impl_->shards) {
    for (const StoredTensor& tensor : shard.tensors()) {
      infos.push_back({tensor.name, tensor.dtype, tensor.shape, shard.label()});
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
  return impl_->at(name).tensor->shape;
}

StoredBytes Checkpoint::stored(std::string_view name) const {
  const auto [shard, tensor, bound] = impl_->at(name);
  return {tensor->dtype, tensor->shape, shard->bytes(*tensor)};
}

template <class Real>
void Checkpoint::read(std::string_view name, std::size_t first, std::size_t count,
                      Real* out) const {
  const auto [shard, tensor, bound] = impl_->at(name);
  shard->check_range(*tensor, first, count);
  for (std::size_t done = 0; done < count; done += kBlock) {
    const std::size_t size = std::min(kBlock, count - done);
    shard->read(*tensor, first + done, size, out + done);
    const std::size_t bad = first_non_finite(out + done, size);
    if (bad != size && !(bound && is_open(name, static_cast<double>(out[done])))) {
      throw Error(shard->label() + ": " + printable(tensor->name) + ": element " +
                  std::to_string(first + done + bad) + ": got " + std::to_string(out[done + bad]) +
                  ", expected a finite number");
    }
  }
  if (bound && count == 1) {
    impl_->check_bound(name, static_cast<double>(*out));
  }
}

std::vector<std::int64_t> Checkpoint::read_integers(std::string_view name) const {
  const auto [dtype, shape, bytes] = stored(name);
  if (dtype != DType::kI64) {
    const auto& [shard, tensor, bound] = impl_->at(name);
    throw Error(shard->label() + ": " + printable(tensor->name) + ": dtype: got " +
                std::string(dtype_name(dtype)) + ", expected I64");
  }
  std::vector<std::int64_t> values(bytes.size() / sizeof(std::int64_t));
  if (!bytes.empty()) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return values;
}

void Checkpoint::release(std::string_view name) const {
  const auto [shard, tensor, bound] = impl_->at(name);
  shard->release(*tensor);
}

template void Checkpoint::read<float>(std::string_view, std::size_t, std::size_t, float*) const;
template void Checkpoint::read<double>(std::string_view, std::size_t, std::size_t, double*) const;

}  // namespace assay
