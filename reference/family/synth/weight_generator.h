// SPDX-License-Identifier: Apache-2.0
// Weights from a closed form (spec text B.1): the same bits wherever they are computed.
//
//   s = FNV-1a(name)                     64 bits
//   z = splitmix64(s + (j+1) * 0x9E3779B97F4A7C15)
//   u = floor(z / 2^11) * 2^-53          in [0, 1)
//   w[j] = fp32(lo + (hi - lo) * u)      j: row-major index, fp64 inside
//
// Names are those of spec text 5.1 with the prefix "model.", whatever the file's prefix is; a
// drafter's begin with "drafter."; an encoder's are those of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "reference/family/config/config.h"

namespace assay {

struct WeightRange {
  double lo = 0;
  double hi = 0;
};

std::uint64_t generator_seed(std::string_view name);

double generator_uniform(std::uint64_t seed, std::uint64_t index);

// The table of B.1; `name` needs only its last parts. An encoder's tensor is known by its full name
// and is in no table: norms 0.5 to 1.5, matrices and convolutions -+ sqrt(3 / inputs), clip bounds
// asymmetric and near 2, so that some values are clipped.
WeightRange weight_range(std::string_view name, std::span<const std::size_t> shape);

// The name that seeds the tensor which ExpectedTensor calls `name`.
std::string seed_name(const ModelConfig& config, std::string_view name);

// Elements [first, first + count). Soft-token embeddings of B.1: name "soft.{p}", range
// {-1.7, 1.7}.
void generate_weights(std::string_view name, WeightRange range, std::size_t first,
                      std::size_t count, float* out);

// token_ordering[j] = (step * j + 3) mod size; step is 7, or the next number after 7 that shares
// no factor with size, so that the result is a permutation.
std::int64_t generated_ordering(std::size_t index, std::size_t size);

}  // namespace assay
