// SPDX-License-Identifier: Apache-2.0
#include "reference/family/synth/synth.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "reference/family/base/error.h"
#include "reference/family/base/json.h"
#include "reference/family/base/new_file.h"
#include "reference/family/checkpoint/safetensors_writer.h"
#include "reference/family/checkpoint/tensor_table.h"
#include "reference/family/config/load_config.h"
#include "reference/family/config/load_processor_config.h"
#include "reference/family/synth/synth_config.h"
#include "reference/family/synth/synth_encoders.h"
#include "reference/family/synth/weight_generator.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = std::size_t{1} << 18;  // elements made at a time

struct PlannedTensor {
  StoredTensor stored;
  std::string seed;  // the generator's name; empty for a token ordering
};

using Shard = std::vector<PlannedTensor>;

struct Plan {
  std::string config_text;
  std::string processor_text;  // empty: no such file
  std::vector<Shard> shards;
  SynthSummary summary;
};

PlannedTensor plan_tensor(const ModelConfig& config, const ExpectedTensor& expected, DType dtype) {
  PlannedTensor tensor;
  tensor.stored.name = stored_name(config, expected.name);
  tensor.stored.shape = expected.shape;
  tensor.stored.dtype = expected.use == TensorUse::kInteger ? DType::kI64 : dtype;
  tensor.stored.elements =
      tensor_size(tensor.stored.dtype, tensor.stored.shape, "synth: " + expected.name + ": ")
          .elements;
  if (expected.use != TensorUse::kInteger) {
    tensor.seed = seed_name(config, expected.name);
  }
  return tensor;
}

// In name order; a new file is begun where the next tensor would pass the limit.
std::vector<Shard> split_shards(std::vector<PlannedTensor> tensors, std::size_t limit) {
  std::sort(tensors.begin(), tensors.end(), [](const PlannedTensor& a, const PlannedTensor& b) {
    return a.stored.name < b.stored.name;
  });
  std::vector<Shard> shards(1);
  std::size_t filled = 0;
  for (PlannedTensor& tensor : tensors) {
    const std::size_t bytes = tensor_bytes(tensor.stored);
    if (filled > 0 && filled + bytes > limit) {
      shards.emplace_back();
      filled = 0;
    }
    filled += bytes;
    shards.back().push_back(std::move(tensor));
  }
  return shards;
}

Plan make_plan(std::string_view size, const SynthOptions& options) {
  if (options.dtype != DType::kBf16 && options.dtype != DType::kF16 &&
      options.dtype != DType::kF32) {
    throw Error("synth: dtype: got " + std::string(dtype_name(options.dtype)) +
                ", expected one of BF16, F16, F32");
  }
  Plan plan;
  const std::string label = "synth " + std::string(size);
  plan.config_text = synthetic_config(size, options);
  ModelConfig config = parse_config(plan.config_text, label);
  if (options.encoders) {
    plan.processor_text = synthetic_processor_config(size, *options.encoders);
    parse_processor_config(plan.processor_text, label, config);
  }
  std::vector<PlannedTensor> tensors;
  for (const ExpectedTensor& expected : expected_tensors(config)) {
    if (expected.use != TensorUse::kIgnored || options.store_shared_kv) {
      tensors.push_back(plan_tensor(config, expected, options.dtype));
      plan.summary.parameters += tensors.back().stored.elements;
      plan.summary.bytes += tensor_bytes(tensors.back().stored);
    }
  }
  plan.summary.tensors = tensors.size();
  plan.shards = split_shards(std::move(tensors), options.shard_bytes);
  plan.summary.files = plan.shards.size();
  return plan;
}

// Bytes of elements [first, first + count).
void make_bytes(const PlannedTensor& tensor, std::size_t first, std::size_t count,
                std::vector<std::byte>& out) {
  out.resize(count * tensor.stored.dtype.info().block_bytes);  // a block is one element here
  if (tensor.seed.empty()) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t value = generated_ordering(first + i, tensor.stored.elements);
      std::memcpy(out.data() + i * sizeof(value), &value, sizeof(value));
    }
    return;
  }
  std::vector<float> values(count);
  const WeightRange range = weight_range(tensor.seed, tensor.stored.shape);
  generate_weights(tensor.seed, range, first, count, values.data());
  narrow(tensor.stored.dtype, values, out.data());
}

std::string shard_name(std::size_t index, std::size_t count) {
  if (count == 1) {
    return "model.safetensors";
  }
  const auto digits = [](std::size_t number) {
    const std::string text = std::to_string(number);
    return std::string(text.size() < 5 ? 5 - text.size() : 0, '0') + text;
  };
  return "model-" + digits(index + 1) + "-of-" + digits(count) + ".safetensors";
}

std::string index_text(const Plan& plan) {
  Json::Object weight_map;
  for (std::size_t i = 0; i < plan.shards.size(); ++i) {
    for (const PlannedTensor& tensor : plan.shards[i]) {
      weight_map.emplace_back(tensor.stored.name, shard_name(i, plan.shards.size()));
    }
  }
  const Json index = Json::Object{{"metadata", Json::Object{{"total_size", plan.summary.bytes}}},
                                  {"weight_map", std::move(weight_map)}};
  return json_text(index, {.indent = 2, .sorted = true}) + "\n";
}

void write_shard(const fs::path& path, const Shard& shard, SynthProgress& progress,
                 const std::function<void(const SynthProgress&)>& listener) {
  std::vector<StoredTensor> header;
  for (const PlannedTensor& tensor : shard) {
    header.push_back(tensor.stored);
  }
  SafetensorsWriter writer(path, std::move(header));
  std::vector<std::byte> bytes;
  for (const PlannedTensor& tensor : shard) {
    progress.tensor = tensor.stored.name;
    for (std::size_t first = 0; first < tensor.stored.elements; first += kBlock) {
      make_bytes(tensor, first, std::min(kBlock, tensor.stored.elements - first), bytes);
      writer.append(bytes);
      progress.bytes_done += bytes.size();
      if (listener) {
        listener(progress);
      }
    }
  }
  writer.finish();
}

}  // namespace

SynthSummary plan_synthetic_checkpoint(std::string_view size, const SynthOptions& options) {
  return make_plan(size, options).summary;
}

SynthSummary write_synthetic_checkpoint(std::string_view size, const fs::path& directory,
                                        const SynthOptions& options,
                                        const std::function<void(const SynthProgress&)>& progress) {
  const Plan plan = make_plan(size, options);
  NewDirectory making(directory);
  require_space(making.path(), plan.summary.bytes);
  write_text(making.path() / "config.json", plan.config_text);
  if (!plan.processor_text.empty()) {
    write_text(making.path() / "processor_config.json", plan.processor_text);
  }
  if (plan.shards.size() > 1) {
    write_text(making.path() / "model.safetensors.index.json", index_text(plan));
  }
  SynthProgress state;
  state.bytes_total = plan.summary.bytes;
  for (std::size_t i = 0; i < plan.shards.size(); ++i) {
    write_shard(making.path() / shard_name(i, plan.shards.size()), plan.shards[i], state, progress);
  }
  making.publish();
  return plan.summary;
}

}  // namespace assay
