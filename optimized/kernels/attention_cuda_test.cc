// SPDX-License-Identifier: Apache-2.0
// Attention of a device in every order of execution, against a plain softmax in fp64: head
// dimensions, groups, rings, windows, masks, pieces of keys, keys kept in bf16.
#include "optimized/kernels/attention_cuda.h"

#include <stdexcept>

#include "optimized/testing/attention_cases.h"
#include "optimized/testing/every_order.h"

namespace assay::cuda {
namespace {

using namespace attention_cases;

class AttentionCuda : public EveryOrder {};
ASSAY_IN_EVERY_ORDER(AttentionCuda);

constexpr double kLimit = 1e-6;

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
  return noted(s.tokens == 1 ? "attention, decoding" : "attention, prefill",
               worst(out.values(), expected(s, holes, q, c)), kLimit,
               s.type == KeyType::kF32 ? "f32 cache" : "bf16 cache");
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
