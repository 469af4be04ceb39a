// SPDX-License-Identifier: Apache-2.0
// For tests of attention on a device: caches, what tokens see of them, and a plain softmax in fp64.
#pragma once

#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "optimized/kernels/attention_cuda.h"
#include "optimized/testing/every_order.h"

namespace assay::cuda::attention_cases {

struct Shape {
  std::size_t tokens, start, heads, kv_heads, head_dim, window, slots;
  int pieces = 1;
  KeyType type = KeyType::kF32;
  std::size_t image = 0;  // every other so many tokens of the call see one another
};

inline float kept(float value, KeyType type) {
  if (type == KeyType::kF32) {
    return value;
  }
  auto bits = std::bit_cast<std::uint32_t>(value);
  bits += 0x7fffU + (bits >> 16 & 1U);
  return std::bit_cast<float>(bits & 0xffff0000U);
}

// A cache whose tokens [0, end) were stored in order; those that the ring has lost are gone.
struct TestCache {
  TestCache(const Shape& s, std::uint64_t seed)
      : keys(normal_values((s.start + s.tokens) * s.kv_heads * s.head_dim, seed)),
        values(normal_values(keys.size(), seed + 1)) {
    const std::size_t row = s.kv_heads * s.head_dim;
    const std::size_t size = s.type == KeyType::kF32 ? 4 : 2;
    std::vector<unsigned char> k(s.slots * row * size, 0xff), v(k);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      keys[i] = kept(keys[i], s.type);
      values[i] = kept(values[i], s.type);
      const std::size_t at = (i / row % s.slots * row + i % row) * size;
      std::memcpy(k.data() + at, reinterpret_cast<const unsigned char*>(&keys[i]) + 4 - size, size);
      std::memcpy(v.data() + at, reinterpret_cast<const unsigned char*>(&values[i]) + 4 - size,
                  size);
    }
    on_keys.emplace(k);
    on_values.emplace(v);
    cache = {s.type,
             static_cast<int>(s.slots),
             static_cast<int>(s.kv_heads),
             static_cast<int>(s.head_dim),
             on_keys->data(),
             on_values->data()};
  }

  std::vector<float> keys, values;
  std::optional<OnDevice<unsigned char>> on_keys, on_values;
  LayerCache cache;
};

// Tokens first … end - 1 of the call are an image; 0, 0: token t is of none.
struct Image {
  std::size_t first = 0, end = 0;
};
inline Image image_of(const Shape& s, std::size_t t) {
  if (s.image == 0 || t / s.image % 2 == 0) {
    return {};
  }
  const std::size_t first = t / s.image * s.image;
  return {first, std::min(first + s.image, s.tokens)};
}

// What token t sees: a window and its image, and where `holes` is set only keys that are no
// multiple of 3.
inline bool sees(const Shape& s, bool holes, std::size_t t, std::size_t key) {
  const std::size_t q = s.start + t;
  const Image image = image_of(s, t);
  const bool own = key >= s.start + image.first && key < s.start + image.end;
  return (own || (key <= q && (s.window == 0 || key + s.window > q))) && (!holes || key % 3 != 0);
}

inline std::vector<double> expected(const Shape& s, bool holes, const std::vector<float>& q,
                                    const TestCache& c) {
  std::vector<double> y(q.size());
  const std::size_t group = s.heads / s.kv_heads;
  for (std::size_t t = 0; t < s.tokens; ++t) {
    for (std::size_t n = 0; n < s.heads; ++n) {
      const float* query = q.data() + (t * s.heads + n) * s.head_dim;
      std::vector<double> scores;
      std::vector<std::size_t> seen;
      double most = -INFINITY;
      for (std::size_t key = 0; key < s.start + s.tokens; ++key) {
        if (!sees(s, holes, t, key)) {
          continue;
        }
        double score = 0;
        for (std::size_t d = 0; d < s.head_dim; ++d) {
          score +=
              double(query[d]) * double(c.keys[(key * s.kv_heads + n / group) * s.head_dim + d]);
        }
        seen.push_back(key);
        scores.push_back(score);
        most = std::max(most, score);
      }
      double sum = 0;
      for (double& score : scores) {
        score = std::exp(score - most);
        sum += score;
      }
      for (std::size_t i = 0; i < seen.size(); ++i) {
        for (std::size_t d = 0; d < s.head_dim; ++d) {
          y[(t * s.heads + n) * s.head_dim + d] +=
              scores[i] / sum *
              double(c.values[(seen[i] * s.kv_heads + n / group) * s.head_dim + d]);
        }
      }
    }
  }
  return y;
}

struct Visible {
  std::vector<QueryKeys> rows;
  std::vector<std::uint8_t> masks = {1};
  std::size_t first_key = 0;
};

inline Visible visible_of(const Shape& s, bool holes) {
  Visible visible;
  visible.first_key = s.window == 0 || s.start + 1 < s.window ? 0 : s.start + 1 - s.window;
  for (std::size_t t = 0; t < s.tokens; ++t) {
    const std::size_t q = s.start + t;
    std::size_t first = s.window == 0 || q + 1 < s.window ? 0 : q + 1 - s.window, last = q;
    if (const Image image = image_of(s, t); image.end > 0) {
      first = std::min(first, s.start + image.first);
      last = s.start + image.end - 1;
    }
    QueryKeys row{static_cast<int>(first), static_cast<int>(last), -1};
    if (holes) {
      row.mask = static_cast<int>(visible.masks.size());
      for (std::size_t key = visible.first_key; key < s.start + s.tokens; ++key) {
        visible.masks.push_back(sees(s, true, t, key) ? 1 : 0);
      }
    }
    visible.rows.push_back(row);
  }
  return visible;
}

}  // namespace assay::cuda::attention_cases
