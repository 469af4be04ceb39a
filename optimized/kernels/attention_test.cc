// SPDX-License-Identifier: Apache-2.0
// Attention on every instruction set against a plain softmax in fp64.
//
// The unit of an error: with scores off by d at most, the mean of values moves by 2 d sum p |v|;
// exponentials, sums of probabilities and of values add 8 + sqrt(keys) roundings.
#include "optimized/kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "optimized/kernels/attention_tile.h"
#include "optimized/testing/every_target.h"
#include "optimized/testing/test_numbers.h"
#include "optimized/testing/tolerance.h"
#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/ggml_blocks.h"

namespace assay::cpu {
namespace {

class Attention : public EveryTarget {};
ASSAY_ON_EVERY_TARGET(Attention);

struct Setting {
  std::size_t head_dim = 64;
  std::size_t heads = 4;
  std::size_t group = 2;
  std::size_t tokens = 1;  // queries, the last of the sequence
  std::size_t length = 100;
  std::size_t window = 0;  // 0: all keys
  std::size_t slots = 0;   // of the ring; 0: a slot for each token
  CacheType type = CacheType::kF32;
  double size = 1;     // of queries
  bool holes = false;  // every third key hidden
};

struct Rows64 {
  std::vector<float> values;
  std::size_t stride = 0;
  const float* row(std::size_t t) const { return values.data() + t * stride; }
};

Rows64 some_rows(Numbers& numbers, std::size_t rows, std::size_t width, double size) {
  Rows64 made{std::vector<float>(rows * (width + 5)), width + 5};
  for (float& value : made.values) {
    value = static_cast<float>(size * double(numbers.normal()));
  }
  return made;
}

std::string name_of(CacheType type) {
  return type == CacheType::kF32 ? "f32" : type == CacheType::kBf16 ? "bf16" : "q8_0";
}

// As a row comes back out of a cache.
std::vector<float> stored(CacheType type, const float* row, std::size_t count) {
  std::vector<float> values(row, row + count);
  if (type == CacheType::kBf16) {
    std::ranges::transform(values, values.begin(), round_to_bf16);
  } else if (type == CacheType::kQ8_0) {
    values.resize((count + 31) / 32 * 32);
    std::vector<std::byte> blocks(values.size() / 32 * 34);
    store_q8_0(values.data(), values.size(), blocks.data());
    widen_ggml<GgmlBlock::kQ8_0>(blocks.data(), values.size(), values.data());
    values.resize(count);
  }
  return values;
}

class Trial {
 public:
  explicit Trial(const Setting& s)
      : s_(s),
        caches_(s.heads / s.group),
        numbers_(s.head_dim * 1009 + s.length),
        queries_(some_rows(numbers_, s.tokens, s.heads * s.head_dim,
                           s.size / std::sqrt(double(s.head_dim)))),
        keys_(some_rows(numbers_, s.length, caches_.size() * s.head_dim, 1)),
        values_(some_rows(numbers_, s.length, caches_.size() * s.head_dim, 1)),
        out_stride_(s.heads * s.head_dim + 7),
        out_(out_stride_ * (s.tokens - 1) + s.heads * s.head_dim, 3) {
    const std::size_t slots =
        s.slots > 0 ? s.slots : (s.length + kKeyBlock - 1) / kKeyBlock * kKeyBlock;
    for (HeadCache& cache : caches_) {
      memory_.emplace_back(head_bytes(s.type, slots, s.head_dim));
      cache = head_cache(s.type, slots, s.head_dim, memory_.back().data());
    }
    see();
  }

  // What the slots held before: of a longer sequence that was taken back, say.
  void fill_slots(float value) {
    const std::vector<float> row(s_.head_dim, value);
    for (const HeadCache& cache : caches_) {
      for (std::size_t slot = 0; slot < cache.slots; ++slot) {
        store_key_value(cache, slot, row.data(), row.data());
      }
    }
  }

  void run(const Threads& threads) {
    for (std::size_t head = 0; head < caches_.size(); ++head) {
      for (std::size_t i = 0; i < s_.length; ++i) {
        store_key_value(caches_[head], i, keys_.row(i) + head * s_.head_dim,
                        values_.row(i) + head * s_.head_dim);
      }
    }
    attention({queries_.values.data(), queries_.stride, s_.tokens, s_.heads, caches_.data(),
               s_.group, visible_.data(), out_.data(), out_stride_},
              threads);
  }

  float* query(std::size_t t) { return queries_.values.data() + t * queries_.stride; }
  std::vector<VisibleKeys>& visible() { return visible_; }
  const float* out(std::size_t t) { return out_.data() + t * out_stride_; }

  std::vector<float> all() {
    std::vector<float> values;
    for (std::size_t t = 0; t < s_.tokens; ++t) {
      values.insert(values.end(), out(t), out(t) + s_.heads * s_.head_dim);
    }
    return values;
  }

  // The largest error in its unit; see above.
  double worst() {
    double most = 0;
    for (std::size_t t = 0; t < s_.tokens; ++t) {
      for (std::size_t n = 0; n < s_.heads; ++n) {
        most = std::max(most, worst_of_head(t, n));
      }
    }
    return most;
  }

  bool stayed_inside() {
    bool inside = out_.intact();
    for (std::size_t t = 0; t + 1 < s_.tokens; ++t) {
      for (std::size_t c = s_.heads * s_.head_dim; c < out_stride_; ++c) {
        inside = inside && out_.untouched(t * out_stride_ + c);
      }
    }
    return inside;
  }

  std::string words() const {
    return "head_dim " + std::to_string(s_.head_dim) + ", group " + std::to_string(s_.group) +
           ", " + std::to_string(s_.tokens) + " of " + std::to_string(s_.length) + ", window " +
           std::to_string(s_.window) + ", " + name_of(s_.type);
  }

 private:
  void see() {
    mask_.resize(s_.length);
    for (std::size_t i = 0; i < s_.length; ++i) {
      mask_[i] = !s_.holes || i % 3 != 1 ? 1 : 0;
    }
    for (std::size_t t = 0; t < s_.tokens; ++t) {
      const std::size_t last = s_.length - s_.tokens + t;
      const std::size_t reach = s_.window > 0 ? s_.window - 1 : last;
      visible_.push_back({last > reach ? last - reach : 0, last,
                          s_.holes ? mask_.data() + 1 : nullptr, s_.holes ? std::size_t{1} : 0});
      if (s_.holes) {
        visible_.back().first = std::max<std::size_t>(1, visible_.back().first);
      }
    }
  }

  bool sees(std::size_t t, std::size_t i) const {
    const VisibleKeys& v = visible_[t];
    return v.first <= i && i <= v.last && (v.mask == nullptr || v.mask[i - v.mask_first] != 0);
  }

  double worst_of_head(std::size_t t, std::size_t n) {
    const std::size_t at = n / s_.group * s_.head_dim;
    const float* const q = query(t) + n * s_.head_dim;
    std::vector<double> score(s_.length, -INFINITY);
    double most = -INFINITY;
    double unsure = 0;
    for (std::size_t i = 0; i < s_.length; ++i) {
      if (!sees(t, i)) {
        continue;
      }
      double sum = 0;
      double magnitude = 0;
      const std::vector<float> key = stored(s_.type, keys_.row(i) + at, s_.head_dim);
      for (std::size_t c = 0; c < s_.head_dim; ++c) {
        const double product = double(q[c]) * double(key[c]);
        sum += product;
        magnitude += std::abs(product);
      }
      score[i] = sum;
      most = std::max(most, sum);
      unsure = std::max(unsure, strict_limit(s_.head_dim, 1) * (magnitude + std::abs(sum)));
    }
    double total = 0;
    double keys = 0;
    for (double& s : score) {
      s = s == -INFINITY ? 0 : std::exp(s - most);
      total += s;
      keys += s > 0 ? 1 : 0;
    }
    double largest = 0;
    std::vector<std::vector<float>> values;
    for (std::size_t i = 0; i < s_.length; ++i) {
      values.push_back(stored(s_.type, values_.row(i) + at, s_.head_dim));
    }
    for (std::size_t c = 0; c < s_.head_dim; ++c) {
      double expected = 0;
      double magnitude = 0;
      for (std::size_t i = 0; i < s_.length && total > 0; ++i) {
        const double part = score[i] / total * double(values[i][c]);
        expected += part;
        magnitude += std::abs(part);
      }
      const double off = std::abs(double(out(t)[n * s_.head_dim + c]) - expected);
      const double unit = kRounding * (2 * unsure + 8 + std::sqrt(keys)) * magnitude + 1e-30;
      largest = off == 0 ? largest : std::max(largest, off <= 1e30 ? off / unit : INFINITY);
    }
    return largest;
  }

  Setting s_;
  std::vector<HeadCache> caches_;
  Numbers numbers_;
  Rows64 queries_;
  Rows64 keys_;
  Rows64 values_;
  std::size_t out_stride_;
  Guarded<float> out_;
  std::vector<std::vector<std::byte>> memory_;
  std::vector<std::uint8_t> mask_;
  std::vector<VisibleKeys> visible_;
};

void expect_right(const Setting& setting) {
  Trial trial(setting);
  trial.run(Threads(1));
  const double worst = trial.worst();
  EXPECT_LE(worst, 1) << target() << ": " << trial.words();
  note_error(setting.tokens > 1 ? "attention, prefill" : "attention, decoding",
             name_of(setting.type) + " cache", target(), worst,
             setting.tokens * setting.heads * setting.head_dim);
  EXPECT_TRUE(trial.stayed_inside()) << target() << ": " << trial.words();
}

constexpr CacheType kTypes[] = {CacheType::kF32, CacheType::kBf16, CacheType::kQ8_0};

TEST_P(Attention, EveryHeadDim) {
  for (const CacheType type : kTypes) {
    for (const std::size_t head_dim :
         {4, 5, 8, 12, 16, 17, 24, 31, 32, 33, 48, 64, 80, 96, 128, 144, 256, 512}) {
      for (const std::size_t tokens : {1, 20}) {
        expect_right({.head_dim = head_dim, .tokens = tokens, .length = 70, .type = type});
      }
    }
  }
}

TEST_P(Attention, EveryGroup) {
  for (const CacheType type : kTypes) {
    for (const std::size_t group : {1, 2, 4, 8, 16}) {
      for (const std::size_t tokens : {1, 2, 3, 7, 33}) {
        expect_right({.head_dim = 32,
                      .heads = 16,
                      .group = group,
                      .tokens = tokens,
                      .length = 130,
                      .type = type});
      }
    }
  }
}

TEST_P(Attention, EveryLength) {
  for (std::size_t length = 1; length <= 140; ++length) {
    expect_right({.head_dim = 16, .length = length});
    expect_right({.head_dim = 16, .tokens = length, .length = length});
  }
  for (const std::size_t length : {511, 512, 513, 1023, 1025, 1600}) {
    for (const CacheType type : kTypes) {
      expect_right({.head_dim = 32, .heads = 8, .group = 8, .length = length, .type = type});
      expect_right({.head_dim = 32, .tokens = 17, .length = length, .type = type});
    }
  }
}

TEST_P(Attention, Windows) {
  for (const std::size_t window : {1, 2, 15, 16, 63, 64, 65, 100, 512}) {
    for (const std::size_t tokens : {1, 5, 40}) {
      expect_right({.head_dim = 32, .tokens = tokens, .length = 700, .window = window});
    }
  }
}

TEST_P(Attention, RingsThatWrappedAround) {
  for (const CacheType type : kTypes) {
    for (const std::size_t length : {100, 191, 192, 193, 250, 1000, 1023}) {
      for (const std::size_t tokens : {1, 9, 40}) {
        // window + call <= slots
        expect_right({.head_dim = 24,
                      .tokens = tokens,
                      .length = length,
                      .window = 100,
                      .slots = 192,
                      .type = type});
      }
    }
  }
}

TEST_P(Attention, Holes) {
  for (const std::size_t tokens : {1, 6, 50}) {
    expect_right({.head_dim = 32, .tokens = tokens, .length = 150, .holes = true});
    expect_right({.head_dim = 32, .tokens = tokens, .length = 900, .window = 130, .holes = true});
  }
}

TEST_P(Attention, NoVisibleKeyGivesZero) {
  for (const std::size_t tokens : {1, 3, 40}) {
    Trial trial({.head_dim = 32, .tokens = tokens, .length = 90});
    trial.visible()[tokens - 1] = {};
    trial.run(Threads(1));
    EXPECT_LE(trial.worst(), 1);
    for (std::size_t c = 0; c < 128; ++c) {
      EXPECT_EQ(trial.out(tokens - 1)[c], 0);
    }
  }
}

TEST_P(Attention, LargeScores) {
  for (const double size : {1e-4, 1e2, 1e4, 1e8, 1e16}) {
    for (const std::size_t tokens : {1, 30}) {
      expect_right({.head_dim = 32, .tokens = tokens, .length = 600, .size = size});
    }
  }
}

TEST_P(Attention, WhatIsHiddenDoesNotMoveABit) {
  for (const std::size_t tokens : {1, 40}) {
    const Setting setting{
        .head_dim = 32, .tokens = tokens, .length = 300, .window = 70, .slots = 320};
    Trial zeros(setting);
    zeros.run(Threads(1));
    Trial others(setting);
    others.fill_slots(3e18F);
    others.run(Threads(1));
    EXPECT_EQ(zeros.all(), others.all());
  }
}

TEST_P(Attention, NoNumberComesFromAQueryThatIsNone) {
  for (const std::size_t tokens : {1, 40}) {
    Trial trial({.head_dim = 32, .tokens = tokens, .length = 90});
    trial.query(0)[3] = std::numeric_limits<float>::quiet_NaN();
    trial.run(Threads(1));
    for (std::size_t c = 0; c < 32; ++c) {
      EXPECT_TRUE(std::isnan(trial.out(0)[c])) << c;
      EXPECT_FALSE(std::isnan(trial.out(0)[32 + c])) << c;
    }
  }
}

TEST_P(Attention, BitsDoNotDependOnTheNumberOfThreads) {
  const Threads teams[] = {Threads(1), Threads(2), Threads(3), Threads(5)};
  for (const std::size_t tokens : {1, 40}) {
    std::vector<float> first;
    for (const Threads& threads : teams) {
      Trial trial({.head_dim = 64, .heads = 8, .group = 4, .tokens = tokens, .length = 1300});
      trial.run(threads);
      const auto all = trial.all();
      first = first.empty() ? all : first;
      EXPECT_EQ(std::memcmp(first.data(), all.data(), all.size() * sizeof(float)), 0)
          << threads.count() << " threads";
    }
  }
}

TEST_P(Attention, ACacheGivesBackWhatItGot) {
  for (const CacheType type : kTypes) {
    Trial trial({.head_dim = 20, .heads = 1, .group = 1, .length = 100, .slots = 64, .type = type});
    std::vector<std::byte> memory(head_bytes(type, 64, 20));
    const HeadCache cache = head_cache(type, 64, 20, memory.data());
    Numbers numbers(5);
    std::vector<std::vector<float>> rows;
    for (std::size_t i = 0; i < 100; ++i) {
      rows.push_back(weight_row(DataSet::kPlanted, numbers, 40, 1));
      store_key_value(cache, i, rows[i].data(), rows[i].data() + 20);
    }
    for (std::size_t i = 36; i < 100; ++i) {
      std::vector<float> got(40);
      load_key(cache, i, got.data());
      load_value(cache, i, got.data() + 20);
      auto expected = stored(type, rows[i].data(), 20);
      const auto value = stored(type, rows[i].data() + 20, 20);
      expected.insert(expected.end(), value.begin(), value.end());
      EXPECT_EQ(got, expected);
    }
  }
}

}  // namespace
}  // namespace assay::cpu
