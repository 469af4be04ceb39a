// SPDX-License-Identifier: Apache-2.0
#include "reference/family/synth/weight_generator.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "reference/family/checkpoint/encoder_tensors.h"

namespace assay {
namespace {

constexpr std::uint64_t kFnvOffset = 0xCBF29CE484222325u;
constexpr std::uint64_t kFnvPrime = 0x100000001B3u;
constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15u;

std::uint64_t splitmix64(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

WeightRange around_zero(double half) {
  return {-half, half};
}

// What a name of an encoder's tensor ends with, where norm or matrix it is not.
constexpr std::pair<std::string_view, WeightRange> kEncoderRanges[] = {
    {".input_min", {-2.6, -2.2}},
    {".input_max", {2.0, 2.4}},
    {".output_min", {-2.2, -1.8}},
    {".output_max", {1.6, 2.0}},
    {".per_dim_scale", {-5.0, -2.0}},
    {".std_bias", {-20.0, 20.0}},
    {".std_scale", {0.8, 1.2}},
    {".bias", {-0.5, 0.5}},
    {".position_embedding_table", {-0.25, 0.25}},
    {".pos_embedding", {-0.25, 0.25}},
    {".self_attn.q_norm.weight", {0.25, 0.75}},
};

// What comes out of a mean over many values, or out of an activation, is small.
double bound_scale(std::string_view name) {
  const auto is_of = [&](std::string_view module) {
    return name.find(module) != std::string_view::npos;
  };
  if (is_of(".o_proj.") || is_of(".post.")) {
    return 0.25;
  }
  return is_of(".down_proj.") || is_of(".ffw_layer_2.") || is_of(".linear_end.") ? 0.5 : 1.0;
}

WeightRange encoder_range(std::string_view name, std::span<const std::size_t> shape) {
  for (const auto& [end, range] : kEncoderRanges) {
    if (name.ends_with(end)) {
      const double scale = bound_scale(name);
      return {scale * range.lo, scale * range.hi};
    }
  }
  if (shape.size() == 1) {
    return {0.5, 1.5};
  }
  double inputs = 1;
  for (const std::size_t extent : shape.subspan(1)) {
    inputs *= static_cast<double>(extent);
  }
  return around_zero(std::sqrt(3.0 / inputs));
}

}  // namespace

std::uint64_t generator_seed(std::string_view name) {
  std::uint64_t hash = kFnvOffset;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * kFnvPrime;
  }
  return hash;
}

double generator_uniform(std::uint64_t seed, std::uint64_t index) {
  // Below 2^53, so the conversion from the signed type, which is the fast one, is exact.
  const auto bits = static_cast<std::int64_t>(splitmix64(seed + (index + 1) * kGolden) >> 11);
  return static_cast<double>(bits) * 0x1p-53;
}

WeightRange weight_range(std::string_view name, std::span<const std::size_t> shape) {
  if (encoder_half(name) != EncoderHalf::kNone) {
    return encoder_range(name, shape);
  }
  if (name.ends_with("layer_scalar")) {
    return {0.3, 0.9};
  }
  if (shape.size() == 1) {  // every norm, router.scale, router.per_expert_scale
    return {0.5, 1.5};
  }
  if (name.ends_with("embed_tokens.weight") || name.ends_with("embed_tokens_per_layer.weight")) {
    return around_zero(0.5);
  }
  const double unit = std::sqrt(3.0 / static_cast<double>(shape.back()));
  return around_zero(name.ends_with("router.proj.weight") ? 6.0 * unit : unit);
}

std::string seed_name(const ModelConfig& config, std::string_view name) {
  if (encoder_half(name) != EncoderHalf::kNone) {
    return std::string(name);
  }
  return config.drafter ? "drafter." + stored_name(config, name) : "model." + std::string(name);
}

void generate_weights(std::string_view name, WeightRange range, std::size_t first,
                      std::size_t count, float* out) {
  const std::uint64_t seed = generator_seed(name);
  const double span = range.hi - range.lo;
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(range.lo + span * generator_uniform(seed, first + i));
  }
}

std::int64_t generated_ordering(std::size_t index, std::size_t size) {
  std::size_t step = 7;
  while (std::gcd(step, size) != 1) {
    ++step;
  }
  return static_cast<std::int64_t>((step * index + 3) % size);
}

}  // namespace assay
