// SPDX-License-Identifier: Apache-2.0
// Spec.
#include "reference/blocks/kv_cache.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr std::size_t kHeads = 2;
constexpr std::size_t kWidth = 3;

// Tokens [first, end), each with values of its own.
KeyValues tokens(std::size_t first, std::size_t end) {
  KeyValues both{make_tensor<S, K, H>({end - first, kHeads, kWidth}),
                 make_tensor<S, K, H>({end - first, kHeads, kWidth})};
  const std::size_t width = kHeads * kWidth;
  for (std::size_t t = first; t < end; ++t) {
    for (std::size_t i = 0; i < width; ++i) {
      row(both.k, t - first, width)[i] = static_cast<Real>(10 * t + i);
      row(both.v, t - first, width)[i] = -static_cast<Real>(10 * t + i);
    }
  }
  return both;
}

void expect_tokens(const KeyValues& got, std::size_t first, std::size_t end) {
  EXPECT_EQ(values_of(got.k), values_of(tokens(first, end).k)) << first << " to " << end;
  EXPECT_EQ(values_of(got.v), values_of(tokens(first, end).v)) << first << " to " << end;
}

LayerCache cache_of(std::size_t capacity) {
  return {kHeads, kWidth, capacity};
}

TEST(LayerCache, KeepsEverythingWithoutCapacity) {
  auto cache = cache_of(0);
  cache.store(tokens(0, 3));
  cache.store(tokens(3, 40));
  EXPECT_EQ(cache.oldest(), 0u);
  EXPECT_EQ(cache.end(), 40u);
  expect_tokens(cache.tokens(0, 40), 0, 40);
  expect_tokens(cache.tokens(7, 9), 7, 9);
}

// after every call a ring shows the same last tokens as a cache that forgets nothing.
TEST(LayerCache, ARingShowsWhatAFullCacheShows) {
  for (const std::size_t capacity : {1u, 2u, 3u, 7u}) {
    for (const std::size_t step : {1u, 2u, 3u, 5u, 11u}) {
      auto ring = cache_of(capacity);
      auto full = cache_of(0);
      for (std::size_t first = 0; first < 40; first += step) {
        const std::size_t past = first - std::min(first, capacity);
        const auto fresh = tokens(first, first + step);
        expect_tokens(ring.with_new(past, fresh), past, first + step);
        ring.store(fresh);
        full.store(fresh);
        EXPECT_EQ(ring.end(), full.end());
        EXPECT_EQ(ring.oldest(), ring.end() - std::min(ring.end(), capacity));
        EXPECT_EQ(values_of(ring.tokens(ring.oldest(), ring.end()).k),
                  values_of(full.tokens(ring.oldest(), ring.end()).k));
      }
    }
  }
}

// tokens taken back are overwritten; those before them stay.
TEST(LayerCache, RollsBackAcrossTheWrap) {
  auto ring = cache_of(6);
  ring.store(tokens(0, 4));
  ring.store(tokens(4, 8));  // slots 4, 5, 0, 1
  ring.forget_from(5);
  EXPECT_EQ(ring.end(), 5u);
  EXPECT_EQ(ring.oldest(), 2u);
  expect_tokens(ring.tokens(2, 5), 2, 5);
  ring.store(tokens(5, 7));
  expect_tokens(ring.tokens(2, 7), 2, 7);
  ring.store(tokens(7, 10));
  EXPECT_EQ(ring.oldest(), 4u);
  expect_tokens(ring.tokens(4, 10), 4, 10);
}

TEST(LayerCache, RollsBackToNothing) {
  auto cache = cache_of(4);
  cache.store(tokens(0, 3));
  cache.forget_from(0);
  cache.store(tokens(0, 2));
  expect_tokens(cache.tokens(0, 2), 0, 2);
}

TEST(LayerCache, RefusesTokensItHasNot) {
  auto ring = cache_of(3);
  ring.store(tokens(0, 5));
  EXPECT_EQ(error_of([&] { ring.with_new(1, tokens(5, 6)); }),
            "kv cache: got first token 1, expected 2 to 5");
  EXPECT_EQ(error_of([&] { ring.with_new(6, tokens(6, 7)); }),
            "kv cache: got first token 6, expected 2 to 5");
  EXPECT_EQ(error_of([&] { ring.tokens(2, 6); }),
            "kv cache: got tokens up to 6, expected at most 5");
  EXPECT_EQ(error_of([&] { ring.forget_from(1); }),
            "kv cache: got rollback to token 1, expected 2 to 5");
  EXPECT_EQ(error_of([&] { ring.forget_from(6); }),
            "kv cache: got rollback to token 6, expected 2 to 5");
  expect_tokens(ring.with_new(5, tokens(5, 6)), 5, 6);
}

// M-91: what a rollback pushed out of the ring cannot come back, so it must not be shown.
TEST(LayerCache, DoesNotShowWhatWasOverwritten) {
  auto ring = cache_of(3);
  ring.store(tokens(0, 3));
  ring.store(tokens(3, 5));
  ring.forget_from(3);
  EXPECT_THROW(ring.tokens(0, 3), Error);
  EXPECT_THROW(ring.with_new(1, tokens(3, 4)), Error);
}

// The oldest token never gets older again, though the end went back.
TEST(LayerCache, StaysForgetfulAfterARollback) {
  auto ring = cache_of(3);
  ring.store(tokens(0, 9));
  ring.forget_from(7);
  ring.store(tokens(7, 8));
  EXPECT_EQ(ring.oldest(), 6u);
  EXPECT_THROW(ring.tokens(5, 8), Error);
  expect_tokens(ring.tokens(6, 8), 6, 8);
}

TextConfig two_layers(std::size_t window) {
  TextConfig config;
  config.sliding_window = window;
  LayerConfig layer;
  layer.head_dim = kWidth;
  layer.num_key_value_heads = kHeads;
  layer.kind = LayerKind::kSliding;
  config.layers.push_back(layer);
  layer.kind = LayerKind::kFull;
  config.layers.push_back(layer);
  return config;
}

void feed(KvCache& cache, std::size_t count) {
  const std::size_t first = cache.length();
  std::vector<TokenPlace> places;
  for (std::size_t t = first; t < first + count; ++t) {
    places.push_back({t, static_cast<std::int32_t>(t), true, 5});
  }
  for (const std::size_t layer : {0u, 1u}) {
    cache.layer(layer).store(tokens(first, first + count));
  }
  cache.append_places(places);
}

// after a rollback into a vision block the cache still ends inside one.
TEST(KvCache, ARollbackIntoABlockStaysInTheBlock) {
  KvCache cache(two_layers(4), 4);
  feed(cache, 5);
  EXPECT_TRUE(cache.ends_in_block());
  cache.forget_from(3);
  EXPECT_TRUE(cache.ends_in_block());
  cache.forget_from(0);
  EXPECT_FALSE(cache.ends_in_block());
}

// M-88: W - 1 tokens before the current one, and one more for each that may be taken back.
TEST(KvCache, HoldsTheWindowAndTheReserve) {
  KvCache plain(two_layers(4), 0);
  KvCache reserved(two_layers(4), 2);
  for (KvCache* cache : {&plain, &reserved}) {
    feed(*cache, 10);
    EXPECT_EQ(cache->first_visible(LayerKind::kSliding), 7u);
    EXPECT_EQ(cache->first_visible(LayerKind::kFull), 0u);
    EXPECT_EQ(cache->layer(1).oldest(), 0u);
  }
  EXPECT_EQ(plain.layer(0).oldest(), 7u);
  EXPECT_EQ(reserved.layer(0).oldest(), 5u);
}

TEST(KvCache, ShowsEverythingBeforeTheWindowIsFull) {
  KvCache cache(two_layers(4), 0);
  EXPECT_EQ(cache.first_visible(LayerKind::kSliding), 0u);
  feed(cache, 3);
  EXPECT_EQ(cache.first_visible(LayerKind::kSliding), 0u);
  feed(cache, 1);
  EXPECT_EQ(cache.first_visible(LayerKind::kSliding), 1u);
}

TEST(KvCache, AWindowOfOneKeepsNothingThatIsSeen) {
  KvCache cache(two_layers(1), 0);
  feed(cache, 3);
  EXPECT_EQ(cache.first_visible(LayerKind::kSliding), 3u);
  expect_tokens(cache.layer(0).with_new(3, tokens(3, 4)), 3, 4);
}

// the reserve is exactly what may be taken back.
TEST(KvCache, TakesBackAsMuchAsTheReserve) {
  for (const std::size_t reserve : {0u, 1u, 3u}) {
    KvCache cache(two_layers(4), reserve);
    feed(cache, 12);
    cache.forget_from(12 - reserve);
    EXPECT_EQ(cache.length(), 12 - reserve);
    const std::size_t first = cache.first_visible(LayerKind::kSliding);
    expect_tokens(cache.layer(0).tokens(first, cache.length()), first, cache.length());
    feed(cache, 2);
    expect_tokens(cache.layer(1).tokens(0, cache.length()), 0, cache.length());
  }
}

TEST(KvCache, TooLargeARollbackIsNoticed) {
  KvCache cache(two_layers(4), 1);
  feed(cache, 12);
  cache.forget_from(10);
  EXPECT_THROW(cache.layer(0).tokens(cache.first_visible(LayerKind::kSliding), 10), Error);
}

// a block opens only in the call that contains it.
TEST(KvCache, ForgetsBlocks) {
  KvCache cache(two_layers(4), 0);
  feed(cache, 2);
  EXPECT_EQ(cache.places()[1].block, -1);
  EXPECT_EQ(cache.places()[1].position, 1);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
