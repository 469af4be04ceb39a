// SPDX-License-Identifier: Apache-2.0
// The scales, the relative keys and the order of what happens; windows are in local_attention_test.
// Rules RC-8 ... RC-11, RC-15.
#include "reference/blocks/audio_attention.h"

#include <numbers>

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_audio_blocks.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr std::size_t kRows = 15;
constexpr std::size_t kHeads = 2;
constexpr std::size_t kHeadDim = kAudioWidth / kHeads;
constexpr double kLn2 = std::numbers::ln2;
const double kKeyScale = std::log(1 + std::numbers::e) / kLn2;  // 1.8946361

const Tensor<T, D> kInput = Real(2) * random_tensor<T, D>({kRows, kAudioWidth}, 100);
const auto kWeights = random_audio_attention(1);

AudioWindow window_of(std::size_t keys) {
  return {keys, relative_positions(13, kAudioWidth)};
}

TapRecorder run(std::size_t keys = 12) {
  TapRecorder taps;
  audio_attention(kWeights, small_audio_config(), window_of(keys), kInput, TapScope(taps, ""));
  return taps;
}

// q_proj times `factor` times f(per_dim_scale).
template <class Function>
Values queries(const Values& q_proj, double factor, Function f) {
  Values q = q_proj;
  for (std::size_t i = 0; i < q.size(); ++i) {
    q[i] *= factor * f(static_cast<double>(kWeights.per_dim_scale(i % kHeadDim)));
  }
  return q;
}

double softplus_of(double x) {
  return std::log1p(std::exp(x));
}

const double kQueryScale = 1 / (std::sqrt(static_cast<double>(kHeadDim)) * kLn2);

// [N, T, T] from values [T, N, H]: content[n,t,j] and, by distance, q[t] . rel[12 - (t - j)].
Values logits_of(const Values& q, const Values& k, const Values& rel_q, const Values& rel_k) {
  Values logits(kHeads * kRows * kRows, 0.0);
  const auto dot = [](const Values& a, std::size_t i, const Values& b, std::size_t j) {
    double sum = 0;
    for (std::size_t h = 0; h < kHeadDim; ++h) {
      sum += a[i * kHeadDim + h] * b[j * kHeadDim + h];
    }
    return sum;
  };
  for (std::size_t n = 0; n < kHeads; ++n) {
    for (std::size_t t = 0; t < kRows; ++t) {
      for (std::size_t j = t < 11 ? 0 : t - 11; j <= t; ++j) {
        logits[(n * kRows + t) * kRows + j] =
            dot(q, t * kHeads + n, k, j * kHeads + n) +
            dot(rel_q, t * kHeads + n, rel_k, (12 - (t - j)) * kHeads + n);
      }
    }
  }
  return logits;
}

Values mix_of(const Values& probs, const Values& v) {
  Values mix(kRows * kAudioWidth, 0.0);
  for (std::size_t i = 0; i < mix.size(); ++i) {
    const std::size_t t = i / kAudioWidth;
    const std::size_t n = i % kAudioWidth / kHeadDim;
    for (std::size_t j = 0; j < kRows; ++j) {
      mix[i] += probs[(n * kRows + t) * kRows + j] * v[j * kAudioWidth + i % kAudioWidth];
    }
  }
  return mix;
}

TEST(AudioAttention, EveryTapFollowsFromTheOnesBefore) {
  const auto taps = run();
  const auto at = [&taps](const char* name) { return taps.at(name).values; };
  const Values x = values_of(kInput);
  expect_near(at("q_proj"), clipped_product(x, kWeights.q_proj), kAudioBound);
  expect_near(at("k_proj"), clipped_product(x, kWeights.k_proj), kAudioBound);
  expect_near(at("v_proj"), clipped_product(x, kWeights.v_proj), kAudioBound);
  expect_near(at("q_scaled"), queries(at("q_proj"), kQueryScale, softplus_of), kAudioBound);
  expect_near(at("k_scaled"), each(at("k_proj"), [](double k) { return k * kKeyScale; }),
              kAudioBound);
  expect_near(at("rel_k"),
              product(values_of(window_of(12).rel_pos_table), kWeights.relative_k_proj.weight),
              kAudioBound);
  expect_near(at("logits"), logits_of(at("q_scaled"), at("k_scaled"), at("q_scaled"), at("rel_k")),
              kAudioBound);
  expect_near(at("logits_capped"),
              each(at("logits"), [](double v) { return 50 * std::tanh(v / 50); }), kAudioBound);
  expect_near(at("context"), mix_of(at("probs"), at("v_proj")), kAudioBound);
  expect_near(at("post"), clipped_product(at("context"), kWeights.post), kAudioBound);
}

TEST(AudioAttention, TapShapes) {
  const auto taps = run();
  using Shape = std::vector<std::size_t>;
  EXPECT_EQ(taps.at("q_proj").shape, (Shape{kRows, kAudioWidth}));
  EXPECT_EQ(taps.at("q_scaled").shape, (Shape{kRows, kHeads, kHeadDim}));
  EXPECT_EQ(taps.at("rel_k").shape, (Shape{13, kHeads, kHeadDim}));
  EXPECT_EQ(taps.at("probs").shape, (Shape{kHeads, kRows, kRows}));
  EXPECT_EQ(taps.at("context").shape, (Shape{kRows, kAudioWidth}));
}

TEST(AudioAttention, ReleasedScales) {  // heads of 128
  EXPECT_NEAR(1 / (std::sqrt(128.0) * kLn2), 0.12751743, 5e-9);
  EXPECT_NEAR(kKeyScale, 1.8946361, 5e-8);
}

TEST(AudioAttention, RefusesAnotherHeadWidth) {
  AudioAttentionWeights w = kWeights;
  w.per_dim_scale = make_tensor<H>({8});
  Taps silent;
  EXPECT_EQ(error_of([&] {
              audio_attention(w, small_audio_config(), window_of(12), kInput, TapScope(silent, ""));
            }),
            "audio_attention: per_dim_scale: got shape [8], expected [4]");
}

void expect_queries_avoid(const TapRecorder& taps, const Values& wrong) {
  const Values right = queries(taps.at("q_proj").values, kQueryScale, softplus_of);
  expect_avoided(taps.at("q_scaled").values, right, wrong, kAudioBound);
}

// C27
TEST(audio_attention, softplus_omitted_or_twice_or_exp) {
  const auto taps = run();
  const Values q = taps.at("q_proj").values;
  expect_queries_avoid(taps, queries(q, kQueryScale, [](double p) { return p; }));
  expect_queries_avoid(
      taps, queries(q, kQueryScale, [](double p) { return softplus_of(softplus_of(p)); }));
  expect_queries_avoid(taps, queries(q, kQueryScale, [](double p) { return std::exp(p); }));
}

// C28
TEST(audio_attention, ln_2_omitted) {
  const auto taps = run();
  expect_queries_avoid(taps, queries(taps.at("q_proj").values, kQueryScale * kLn2, softplus_of));
}

// C29
TEST(audio_attention, root_of_head_dim_omitted) {
  const auto taps = run();
  expect_queries_avoid(taps, queries(taps.at("q_proj").values, 1 / kLn2, softplus_of));
}

void expect_keys_avoid(double scale) {
  const auto taps = run();
  const Values k = taps.at("k_proj").values;
  expect_avoided(taps.at("k_scaled").values, each(k, [](double v) { return v * kKeyScale; }),
                 each(k, [scale](double v) { return v * scale; }), kAudioBound);
}

// C30
TEST(audio_attention, key_scale_omitted_or_one_over_ln_2) {
  expect_keys_avoid(1);
  expect_keys_avoid(1 / kLn2);
}

// C19
TEST(audio_attention, relative_term_of_unscaled_queries) {
  const auto taps = run();
  const auto at = [&taps](const char* name) { return taps.at(name).values; };
  expect_avoided(at("logits"),
                 logits_of(at("q_scaled"), at("k_scaled"), at("q_scaled"), at("rel_k")),
                 logits_of(at("q_scaled"), at("k_scaled"), at("q_proj"), at("rel_k")), kAudioBound);
}

void expect_relative_keys_avoid(const Values& wrong) {
  const auto table = values_of(window_of(12).rel_pos_table);
  expect_avoided(run().at("rel_k").values, product(table, kWeights.relative_k_proj.weight), wrong,
                 kAudioBound);
}

// C20
TEST(audio_attention, relative_keys_scaled_like_keys) {
  const auto table = values_of(window_of(12).rel_pos_table);
  expect_relative_keys_avoid(each(product(table, kWeights.relative_k_proj.weight),
                                  [](double v) { return v * kKeyScale; }));
}

// C21
TEST(audio_attention, relative_keys_clipped_like_keys) {
  ClippedLinear wrong = kWeights.k_proj;
  wrong.weight = kWeights.relative_k_proj.weight;
  expect_relative_keys_avoid(clipped_product(values_of(window_of(12).rel_pos_table), wrong));
}

// C31
TEST(audio_attention, values_scaled_like_keys) {
  const auto taps = run();
  const Values v = taps.at("v_proj").values;
  expect_avoided(taps.at("context").values, mix_of(taps.at("probs").values, v),
                 mix_of(taps.at("probs").values, each(v, [](double x) { return x * kKeyScale; })),
                 kAudioBound);
}

// C32: row 12 is the first that has a thirteenth key.
TEST(audio_attention, thirteen_keys) {
  const Values twelve = run(12).at("logits").values;
  const Values thirteen = run(13).at("logits").values;
  for (std::size_t i = 0; i < twelve.size(); ++i) {
    const std::size_t t = i / kRows % kRows;
    const bool thirteenth = i % kRows + 12 == t;
    EXPECT_EQ(twelve[i], thirteenth ? 0 : thirteen[i]);
    EXPECT_TRUE(!thirteenth || std::abs(thirteen[i]) > 1e-3) << t;
  }
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
