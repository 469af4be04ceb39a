// SPDX-License-Identifier: Apache-2.0
// Weights of a GGUF file in Hugging Face's order of elements: gguf_names.h says how they lie there.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "reference/family/checkpoint/gguf_names.h"
#include "reference/family/checkpoint/weight_source.h"

namespace assay {

// The weight of `shape` that `tensor` holds in `layout`. Where the tensor's own shape cannot be
// that weight's, it is given as it is stored, for the checkpoint to refuse.
std::unique_ptr<WeightSource> gguf_weight(const Container& file, const StoredTensor& tensor,
                                          GgufLayout layout, const std::vector<std::size_t>& shape);

// [E, A, H] and [E, B, H] as [E, A + B, H]: of each expert the rows of the first, then those of the
// second. The caller has checked that E and H are the same.
std::unique_ptr<WeightSource> joined_rows(std::unique_ptr<WeightSource> first,
                                          std::unique_ptr<WeightSource> second);

// The weight times a factor of one element, or of one for each slice of its first axis.
std::unique_ptr<WeightSource> times_factor(std::unique_ptr<WeightSource> weight,
                                           std::unique_ptr<WeightSource> factor);

}  // namespace assay
