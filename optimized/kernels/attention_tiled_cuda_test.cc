// SPDX-License-Identifier: Apache-2.0
// Attention by tensor cores (attention_mma, attention_wgmma) in every order of execution, against a
// plain softmax in fp64, in units of a computed bound: head dimensions, groups, edges of tiles,
// rings, windows, images, masks.
#include <numeric>
#include <stdexcept>

#include "optimized/kernels/attention_mma_cuda.h"
#include "optimized/kernels/attention_wgmma_cuda.h"
#include "optimized/testing/attention_cases.h"

namespace assay::cuda {
namespace {

using namespace attention_cases;

class AttentionTiled : public EveryOrder {};
ASSAY_IN_EVERY_ORDER(AttentionTiled);

using Function = void (*)(Stream&, const AttentionCall&);
constexpr KeyType kBf16 = KeyType::kBf16;

double longest(const std::vector<float>& rows, std::size_t columns) {
  double most = 0;
  for (std::size_t r = 0; r < rows.size(); r += columns) {
    most = std::max(most, std::inner_product(&rows[r], &rows[r] + columns, &rows[r], 0.0));
  }
  return std::sqrt(most);
}

std::vector<float> queries_of(const Shape& s) {
  auto q = normal_values(s.tokens * s.heads * s.head_dim, 20);
  for (float& value : q) {
    value = kept(value * 2 / std::sqrt(static_cast<float>(s.head_dim)), kBf16);
  }
  return q;
}

std::vector<float> run(Function function, const Shape& s, bool holes, const TestCache& c,
                       const std::vector<float>& q) {
  const Visible visible = visible_of(s, holes);
  Stream stream;
  Floats queries(q), out(q.size());
  OnDevice<QueryKeys> rows(visible.rows);
  OnDevice<std::uint8_t> masks(visible.masks);
  AttentionCall call;
  call.queries = queries.rows(s.tokens);
  call.heads = static_cast<int>(s.heads);
  call.cache = c.cache;
  call.visible = rows.data();
  call.masks = masks.data();
  call.first_key = static_cast<int>(visible.first_key);
  call.out = out.rows(s.tokens);
  call.stored = static_cast<int>(std::min(s.slots, s.start + s.tokens));
  function(stream, call);
  return out.values();
}

// What tensor cores may be off: 2^-8 of each share (bf16 has 8 bits), the exponential of what they
// cut from scores and of scores in units of log2, f32 sums. The largest error in units of that.
double error_of(Function function, Shape s, bool holes = false) {
  s.type = kBf16;
  const TestCache c(s, 21);
  const auto q = queries_of(s);
  const auto got = run(function, s, holes, c, q);
  const auto want = expected(s, holes, q, c);
  TestCache sizes(s, 21);  // shares of them add up to the unit
  for (float& value : sizes.values) {
    value = std::abs(value);
  }
  const auto spread = expected(s, holes, q, sizes);
  const double steps = static_cast<double>(s.head_dim) / 8;
  const double reach = longest(q, s.head_dim) * longest(c.keys, s.head_dim);
  const double scores = (steps * (9 * 0x1p-24 + 0x1p-23) + 2 * 0x1p-24) * reach;
  const double relative = 0x1p-8 + 2.01 * scores + 0x1p-18;
  double most = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double off = std::abs(double(got[i]) - want[i]) / (relative * spread[i] + 1e-30);
    most = std::isnan(off) ? INFINITY : std::max(most, off);
  }
  return noted(function == attention_mma ? "attention_mma" : "attention_wgmma", most, 1,
               "bf16 cache");
}

TEST_P(AttentionTiled, MmaIsWithinTheBound) {
  for (const std::size_t head_dim : {64, 128, 256, 512}) {
    EXPECT_LE(error_of(attention_mma, {37, 0, 4, 2, head_dim, 0, 64}), 1.0) << head_dim;
  }
  EXPECT_LE(error_of(attention_mma, {9, 50, 8, 1, 64, 0, 64}), 1.0);
  EXPECT_LE(error_of(attention_mma, {70, 0, 3, 3, 64, 0, 80}), 1.0);
}

TEST_P(AttentionTiled, MmaWithWindowsRingsAndMasks) {
  for (const std::size_t start : {0, 70, 201}) {
    for (const std::size_t window : {1, 4, 33}) {
      EXPECT_LE(error_of(attention_mma, {9, start, 4, 2, 64, window, window + 9}), 1.0)
          << start << " " << window;
    }
  }
  EXPECT_LE(error_of(attention_mma, {9, 50, 4, 2, 64, 0, 64}, true), 1.0);
  EXPECT_LE(error_of(attention_mma, {40, 30, 4, 2, 256, 20, 80}, true), 1.0);
}

// Of two key heads; several blocks of queries and tiles of keys, none of them full at the end.
TEST_P(AttentionTiled, WgmmaIsWithinTheBound) {
  EXPECT_LE(error_of(attention_wgmma, {70, 0, 4, 2, 256, 0, 75}), 1.0);
  EXPECT_LE(error_of(attention_wgmma, {70, 63, 2, 2, 512, 0, 140}), 1.0);
}

TEST_P(AttentionTiled, WgmmaOfOneRowAndOfEightHeadsOfOneKey) {
  for (const std::size_t head_dim : {256, 512}) {
    EXPECT_LE(error_of(attention_wgmma, {1, 0, 1, 1, head_dim, 0, 9}), 1.0) << head_dim;
    EXPECT_LE(error_of(attention_wgmma, {3, 130, 8, 1, head_dim, 0, 134}), 1.0) << head_dim;
  }
}

// The ring of 80 wraps within a tile, and the first tile begins in its middle.
TEST_P(AttentionTiled, WgmmaWithWindowsAndRings) {
  for (const std::size_t head_dim : {256, 512}) {
    EXPECT_LE(error_of(attention_wgmma, {9, 201, 4, 2, head_dim, 70, 80}), 1.0) << head_dim;
    EXPECT_LE(error_of(attention_wgmma, {9, 3, 2, 1, head_dim, 5, 16}), 1.0) << head_dim;
  }
}

TEST_P(AttentionTiled, WgmmaWithImagesAndMasks) {
  for (const std::size_t head_dim : {256, 512}) {
    Shape s{40, 30, 2, 1, head_dim, 20, 80};
    s.image = 12;
    EXPECT_LE(error_of(attention_wgmma, s), 1.0) << head_dim;
    EXPECT_LE(error_of(attention_wgmma, s, true), 1.0) << head_dim;
  }
}

TEST_P(AttentionTiled, MmaWithImages) {
  Shape s{40, 30, 2, 1, 64, 20, 80};
  s.image = 12;
  EXPECT_LE(error_of(attention_mma, s), 1.0);
}

TEST_P(AttentionTiled, ANanStaysInItsRowAndWhatSeesNothingGetsZeros) {
  for (const std::size_t head_dim : {256, 512}) {
    Shape s{3, 0, 2, 2, head_dim, 0, 4, 1, kBf16};
    const TestCache c(s, 21);
    auto q = queries_of(s);
    q[3 * head_dim + 5] = NAN;  // token 1, head 1
    const auto got = run(attention_wgmma, s, false, c, q);
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(std::isnan(got[i]), i / head_dim == 3) << i;
    }
    Floats queries(q), out(q.size());
    OnDevice<QueryKeys> nothing(std::vector<QueryKeys>(3));
    Stream stream;
    attention_wgmma(stream, {queries.rows(3), 2, c.cache, nothing.data(), nullptr, 0, out.rows(3)});
    EXPECT_EQ(out.values(), std::vector<float>(q.size(), 0.0F));
  }
}

TEST(AttentionTiledLimits, RefuseWhatTheyCannotTake) {
  Stream stream;
  AttentionCall call;
  call.cache.type = kBf16;
  call.cache.head_dim = 96;
  EXPECT_THROW(attention_mma(stream, call), std::invalid_argument);
  EXPECT_THROW(attention_wgmma(stream, call), std::invalid_argument);
  call.cache.head_dim = 256;
  call.queries.data = reinterpret_cast<float*>(std::uintptr_t{8});
  EXPECT_THROW(attention_wgmma(stream, call), std::invalid_argument);
  call.queries.data = nullptr;
  call.pieces = 2;
  EXPECT_THROW(attention_wgmma(stream, call), std::invalid_argument);
  call.pieces = 1;
  call.cache.type = KeyType::kF32;
  EXPECT_THROW(attention_mma(stream, call), std::invalid_argument);
  EXPECT_THROW(attention_wgmma(stream, call), std::invalid_argument);
}

}  // namespace
}  // namespace assay::cuda
