// SPDX-License-Identifier: Apache-2.0
// The tensors that a config asks for: spec text 5.1 for text models, 5.3 for drafters, spec
// multimodal 8.1 for encoders.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/config/config.h"

namespace assay {

enum class TensorUse {
  kWeight,   // floating point, must be there
  kInteger,  // int64, must be there
  kBound,    // floating point, must be there: a clip bound, of rank 0 or one element
  kIgnored,  // keys and values of a layer that shares: may be there, are never read
};

struct ExpectedTensor {
  std::string name;  // without the text model's prefix; a drafter's projections and centroids have
                     // none, an encoder's tensor has its full name
  std::vector<std::size_t> shape;
  TensorUse use = TensorUse::kWeight;
};

// The head, where it is not the table of tokens: [V, D], below no prefix.
constexpr std::string_view kHeadName = "lm_head.weight";

// All tensors in no particular order, but for a head.
std::vector<ExpectedTensor> expected_tensors(const ModelConfig& config);

// The name in the file: with the prefix, but for the drafter's own tensors, the encoders' and the
// head's.
std::string stored_name(const ModelConfig& config, std::string_view name);

}  // namespace assay
