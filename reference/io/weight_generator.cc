// SPDX-License-Identifier: Apache-2.0
#include "reference/io/weight_generator.h"

#include <cmath>
#include <numeric>

#include "reference/io/tensor_table.h"

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
