// SPDX-License-Identifier: Apache-2.0
// Attention of a device in every order of execution, against a plain softmax in fp64: head
// dimensions, groups, rings, windows, masks, pieces of keys, keys kept in bf16.
#include "optimized/kernels/attention_cuda.h"

#include <cstring>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "optimized/kernels/attention_mma_cuda.h"
#include "optimized/testing/every_order.h"

namespace assay::cuda {
namespace {

class AttentionCuda : public EveryOrder {};
ASSAY_IN_EVERY_ORDER(AttentionCuda);

constexpr double kLimit = 1e-6;

struct Shape {
  std::size_t tokens, start, heads, kv_heads, head_dim, window, slots;
  int pieces = 1;
  KeyType type = KeyType::kF32;
};

float kept(float value, KeyType type) {
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

// What token t sees: a window, and where `holes` is set only keys that are no multiple of 3.
bool sees(const Shape& s, bool holes, std::size_t t, std::size_t key) {
  const std::size_t q = s.start + t;
  return key <= q && (s.window == 0 || key + s.window > q) && (!holes || key % 3 != 0);
}

std::vector<double> expected(const Shape& s, bool holes, const std::vector<float>& q,
                             const TestCache& c) {
  std::vector<double> y(q.size());
  const std::size_t group = s.heads / s.kv_heads;
  for (std::size_t t = 0; t < s.tokens; ++t) {
    for (std::size_t n = 0; n < s.heads; ++n) {
      const float* query = q.data() + (t * s.heads + n) * s.head_dim;
      std::vector<double> scores;
      std::vector<std::size_t> seen;
      double most = -INFINITY;
      for (std::size_t key = 0; key <= s.start + t; ++key) {
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

Visible visible_of(const Shape& s, bool holes) {
  Visible visible;
  visible.first_key = s.window == 0 || s.start + 1 < s.window ? 0 : s.start + 1 - s.window;
  for (std::size_t t = 0; t < s.tokens; ++t) {
    const std::size_t q = s.start + t;
    const std::size_t first = s.window == 0 || q + 1 < s.window ? 0 : q + 1 - s.window;
    QueryKeys row{static_cast<int>(first), static_cast<int>(q), -1};
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

double error_of(const Shape& s, bool holes) {
  const TestCache c(s, 21);
  auto q = normal_values(s.tokens * s.heads * s.head_dim, 20);
  for (float& value : q) {
    value *= 2 / std::sqrt(static_cast<float>(s.head_dim));
  }
  const Visible visible = visible_of(s, holes);
  Stream stream;
  Floats queries(q), out(q.size());
  OnDevice<QueryKeys> rows(visible.rows);
  OnDevice<std::uint8_t> masks(visible.masks);
  Floats parts(std::max<std::size_t>(
      1, attention_parts(static_cast<int>(s.tokens), static_cast<int>(s.heads),
                         static_cast<int>(s.head_dim), s.pieces)));
  attention(stream,
            {queries.rows(s.tokens), static_cast<int>(s.heads), c.cache, rows.data(), masks.data(),
             static_cast<int>(visible.first_key), out.rows(s.tokens), s.pieces, parts.data()});
  return worst(out.values(), expected(s, holes, q, c));
}

// What tensor cores may be off: 2^-8 of each share (bf16 has 8 bits), exp of what they cut from
// scores, f32 sums. The largest error in units of that.
double mma_error_of(const Shape& s, bool holes) {
  const TestCache c(s, 21);
  auto q = normal_values(s.tokens * s.heads * s.head_dim, 20);
  double norms[2] = {0, 0};  // the largest of a query and of a key
  for (float& value : q) {
    value = kept(value * 2 / std::sqrt(static_cast<float>(s.head_dim)), KeyType::kBf16);
  }
  const auto longest = [&](const std::vector<float>& rows) {
    double most = 0;
    for (std::size_t r = 0; r < rows.size(); r += s.head_dim) {
      most = std::max(most, std::inner_product(&rows[r], &rows[r] + s.head_dim, &rows[r], 0.0));
    }
    return std::sqrt(most);
  };
  norms[0] = longest(q);
  norms[1] = longest(c.keys);
  const Visible visible = visible_of(s, holes);
  Stream stream;
  Floats queries(q), out(q.size());
  OnDevice<QueryKeys> rows(visible.rows);
  OnDevice<std::uint8_t> masks(visible.masks);
  attention_mma(
      stream, {queries.rows(s.tokens), static_cast<int>(s.heads), c.cache, rows.data(),
               masks.data(), static_cast<int>(visible.first_key), out.rows(s.tokens), 1, nullptr});
  const auto want = expected(s, holes, q, c);
  TestCache sizes(s, 21);  // shares of them add up to the unit
  for (float& value : sizes.values) {
    value = std::abs(value);
  }
  const auto spread = expected(s, holes, q, sizes);
  const double steps = static_cast<double>(s.head_dim) / 8;
  const double scores = steps * (9 * 0x1p-24 + 0x1p-23) * norms[0] * norms[1];
  const double relative = 0x1p-8 + 2.01 * scores + 0x1p-18;
  const auto got = out.values();
  double most = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double off = std::abs(double(got[i]) - want[i]) / (relative * spread[i] + 1e-30);
    most = std::isnan(off) ? INFINITY : std::max(most, off);
  }
  return most;
}

TEST_P(AttentionCuda, MmaIsWithinTheBound) {
  constexpr KeyType kBf16 = KeyType::kBf16;
  for (const std::size_t head_dim : {64, 128, 256, 512}) {
    EXPECT_LE(mma_error_of({37, 0, 4, 2, head_dim, 0, 64, 1, kBf16}, false), 1.0) << head_dim;
  }
  EXPECT_LE(mma_error_of({9, 50, 8, 1, 64, 0, 64, 1, kBf16}, false), 1.0);
  EXPECT_LE(mma_error_of({70, 0, 3, 3, 64, 0, 80, 1, kBf16}, false), 1.0);
}

TEST_P(AttentionCuda, MmaWithWindowsRingsAndMasks) {
  constexpr KeyType kBf16 = KeyType::kBf16;
  for (const std::size_t start : {0, 70, 201}) {
    for (const std::size_t window : {1, 4, 33}) {
      EXPECT_LE(mma_error_of({9, start, 4, 2, 64, window, window + 9, 1, kBf16}, false), 1.0)
          << start << " " << window;
    }
  }
  EXPECT_LE(mma_error_of({9, 50, 4, 2, 64, 0, 64, 1, kBf16}, true), 1.0);
  EXPECT_LE(mma_error_of({40, 30, 4, 2, 256, 20, 80, 1, kBf16}, true), 1.0);
}

TEST(AttentionMma, RefusesWhatItCannotTake) {
  Stream stream;
  AttentionCall call;
  call.cache.type = KeyType::kBf16;
  call.cache.head_dim = 96;
  EXPECT_THROW(attention_mma(stream, call), std::invalid_argument);
  call.cache.head_dim = 64;
  call.cache.type = KeyType::kF32;
  EXPECT_THROW(attention_mma(stream, call), std::invalid_argument);
}

TEST_P(AttentionCuda, HeadDimensionsAndGroups) {
  for (const std::size_t head_dim : {8, 12, 32, 40, 128, 256, 512}) {
    for (const auto& [heads, kv_heads] : {std::pair{4, 2}, {8, 1}, {3, 3}}) {
      const Shape s{
          11, 0, static_cast<std::size_t>(heads), static_cast<std::size_t>(kv_heads), head_dim,
          0,  64};
      EXPECT_LE(error_of(s, false), kLimit) << head_dim << " " << heads << " " << kv_heads;
    }
  }
}

TEST_P(AttentionCuda, WindowsAndRings) {
  for (const std::size_t start : {0, 5, 70, 201}) {
    for (const std::size_t window : {1, 4, 33}) {
      const Shape s{9, start, 4, 2, 12, window, window + 9};
      EXPECT_LE(error_of(s, false), kLimit) << start << " " << window;
      EXPECT_LE(error_of({9, start, 4, 2, 12, window, window + 9, 1, KeyType::kBf16}, false),
                kLimit)
          << start << " " << window;
    }
  }
}

TEST_P(AttentionCuda, Masks) {
  EXPECT_LE(error_of({9, 0, 4, 2, 12, 0, 64}, true), kLimit);
  EXPECT_LE(error_of({9, 50, 4, 2, 12, 0, 64}, true), kLimit);
  EXPECT_LE(error_of({9, 50, 4, 2, 12, 7, 20}, true), kLimit);
}

TEST_P(AttentionCuda, PiecesOfKeys) {
  for (const std::size_t start : {0, 255, 256, 700}) {
    for (const KeyType type : {KeyType::kF32, KeyType::kBf16}) {
      EXPECT_LE(error_of({1, start, 4, 1, 40, 0, 800, 4, type}, false), kLimit) << start;
    }
  }
  EXPECT_LE(error_of({2, 600, 8, 2, 256, 300, 800, 3}, true), kLimit);
}

TEST_P(AttentionCuda, AQueryThatSeesNothingGetsZeros) {
  const Shape s{2, 0, 2, 1, 8, 0, 8};
  const TestCache c(s, 5);
  Stream stream;
  Floats queries(normal_values(2 * 2 * 8, 6)), out(2 * 2 * 8), parts(attention_parts(2, 2, 8, 2));
  OnDevice<QueryKeys> rows(std::vector<QueryKeys>{{1, 0, -1}, {0, 1, -1}});
  for (const int pieces : {1, 2}) {
    attention(stream, {queries.rows(2), 2, c.cache, rows.data(), nullptr, 0, out.rows(2), pieces,
                       parts.data()});
    const auto y = out.values();
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_EQ(y[i] == 0, i < 16) << i;
    }
  }
}

TEST_P(AttentionCuda, StoresWhatItReads) {
  const std::size_t tokens = 5, heads = 3, half = 6, slots = 8;
  for (const KeyType type : {KeyType::kF32, KeyType::kBf16}) {
    const std::size_t bytes = slots * heads * 2 * half * (type == KeyType::kF32 ? 4 : 2);
    OnDevice<unsigned char> keys(bytes), values(bytes);
    const LayerCache cache{type,
                           static_cast<int>(slots),
                           static_cast<int>(heads),
                           static_cast<int>(2 * half),
                           keys.data(),
                           values.data()};
    const std::size_t count = tokens * heads * 2 * half;
    Floats k(normal_values(count, 1)), v(normal_values(count, 2)), scale(normal_values(12, 3));
    Floats cos(normal_values(tokens * half, 4)), sin(normal_values(tokens * half, 5));
    Floats normed(count), turned(count), v_normed(count), again(count), v_again(count);
    Ints start(std::vector<int>{6});  // wraps around
    Stream stream;
    store_keys(stream,
               {k.rows(tokens),
                v.rows(tokens),
                scale.data(),
                {cos.data(), sin.data(), static_cast<int>(half)},
                start.data(),
                cache,
                normed.data(),
                turned.data(),
                v_normed.data()},
               1e-6F);
    load_cached(stream, cache, false, 6, static_cast<int>(tokens), again.data());
    load_cached(stream, cache, true, 6, static_cast<int>(tokens), v_again.data());
    norm_rope(stream, k.rows(tokens), scale.data(),
              {cos.data(), sin.data(), static_cast<int>(half)}, 1e-6F, nullptr);
    auto want = k.values();
    EXPECT_EQ(turned.values(), want);
    std::ranges::transform(want, want.begin(), [&](float x) { return kept(x, type); });
    EXPECT_EQ(again.values(), want);
    want = v_normed.values();
    std::ranges::transform(want, want.begin(), [&](float x) { return kept(x, type); });
    EXPECT_EQ(v_again.values(), want);
  }
}

TEST(AttentionCudaLimits, RefusesHeadsThatAreTooWide) {
  Stream stream;
  AttentionCall call;
  call.cache.head_dim = 513;
  EXPECT_THROW(attention(stream, call), std::invalid_argument);
}

}  // namespace
}  // namespace assay::cuda
