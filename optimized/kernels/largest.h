// SPDX-License-Identifier: Apache-2.0
// The largest of a row of scores: experts, centroids.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace assay::cpu {

// Where the `most` largest of `count` scores stand, largest first, ties to the lower index.
inline std::vector<std::int32_t> largest(const float* scores, std::size_t count, std::size_t most) {
  std::vector<std::int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(most), order.end(),
                    [scores](std::int32_t a, std::int32_t b) {
                      return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
                    });
  order.resize(most);
  return order;
}

}  // namespace assay::cpu
