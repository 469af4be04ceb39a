// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/visible.h"

#include <algorithm>

namespace assay::conformance {
namespace {

bool fits(const Tap& mask, const std::vector<std::size_t>& shape) {
  return shape.size() == 3 && mask.shape.size() == 2 && mask.shape[0] == shape[0] &&
         mask.shape[1] == shape[2];
}

}  // namespace

std::vector<char> visible_from_probabilities(const Tap& probabilities) {
  std::vector<char> visible(probabilities.values.size());
  std::ranges::transform(probabilities.values, visible.begin(),
                         [](double p) { return static_cast<char>(p != 0); });
  return visible;
}

std::vector<char> visible_from_masks(std::span<const Tap* const> masks,
                                     const std::vector<std::size_t>& shape) {
  std::vector<char> visible;
  for (const Tap* mask : masks) {
    if (mask == nullptr || !fits(*mask, shape)) {
      continue;
    }
    const std::size_t keys = shape[2];
    visible.resize(mask->values.size() * shape[1], 1);
    for (std::size_t i = 0; i < visible.size(); ++i) {
      const std::size_t query = i / (shape[1] * keys);
      if (mask->values[query * keys + i % keys] == 0) {
        visible[i] = 0;
      }
    }
  }
  return visible;
}

}  // namespace assay::conformance
