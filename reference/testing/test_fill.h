// SPDX-License-Identifier: Apache-2.0
// For tests: the closed-form tensors of the encoder miniatures (spec multimodal A.1).
//
//   a = (k * 2654435761 + seed * 40503 + 12345) mod 2^32        k: row-major index
//   a = a ^ (a >> 15),  a = a * 2246822519 mod 2^32,  a = a ^ (a >> 13)
//   value = fp32( offset + scale * ( 2 * (a >> 8) / 2^24 - 1 ) )
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace assay {

inline std::vector<float> filled(std::uint32_t seed, std::size_t count, double scale,
                                 double offset = 0) {
  std::vector<float> values;
  values.reserve(count);
  for (std::size_t k = 0; k < count; ++k) {
    std::uint32_t a = static_cast<std::uint32_t>(k) * 2654435761u + seed * 40503u + 12345u;
    a ^= a >> 15;
    a *= 2246822519u;
    a ^= a >> 13;
    const double unit = 2 * static_cast<double>(a >> 8) / 16777216.0 - 1;
    values.push_back(static_cast<float>(offset + scale * unit));
  }
  return values;
}

}  // namespace assay
