// SPDX-License-Identifier: Apache-2.0
// Router and sampling of a device in every order of execution, against their formulas in fp64.
#include "optimized/kernels/router_cuda.h"

#include <numeric>
#include <stdexcept>

#include "optimized/kernels/largest.h"
#include "optimized/kernels/sampling_cuda.h"
#include "optimized/testing/every_order.h"

namespace assay::cuda {
namespace {

class RouterCuda : public EveryOrder {};
ASSAY_IN_EVERY_ORDER(RouterCuda);

TEST_P(RouterCuda, ThreeNormsOfOneRow) {
  const std::size_t rows = 3;
  for (const std::size_t columns : {20, 128, 300}) {
    const auto x = normal_values(rows * columns, 1);
    const auto scale = normal_values(columns, 2);
    const auto norm = normal_values(columns, 3);
    Floats h(x), by(scale), other(norm), in(x.size()), expert_in(x.size()), normed(x.size());
    Stream stream;
    router_norms(stream,
                 {h.rows(rows), by.data(), 0.25F, in.rows(rows), other.data(), expert_in.rows(rows),
                  normed.data()},
                 1e-6F);
    std::vector<double> n(x.size()), router(x.size()), expert(x.size());
    for (std::size_t r = 0; r < rows; ++r) {
      double squares = 0;
      for (std::size_t i = 0; i < columns; ++i) {
        squares += double(x[r * columns + i]) * double(x[r * columns + i]);
      }
      for (std::size_t i = 0; i < columns; ++i) {
        const std::size_t at = r * columns + i;
        n[at] = double(x[at]) / std::sqrt(squares / double(columns) + 1e-6);
        router[at] = n[at] * double(scale[i]) / 4;
        expert[at] = n[at] * double(norm[i]);
      }
    }
    EXPECT_LE(noted("router_norms", worst(normed.values(), n), 1e-6), 1e-6) << columns;
    EXPECT_LE(noted("router_norms", worst(in.values(), router), 1e-6), 1e-6) << columns;
    EXPECT_LE(noted("router_norms", worst(expert_in.values(), expert), 1e-6), 1e-6) << columns;
  }
}

TEST_P(RouterCuda, TheLargestAndTheirShares) {
  const std::size_t tokens = 4;
  for (const std::size_t experts : {8, 33, 128}) {
    for (const std::size_t slots : {1, 3, 8}) {
      auto logits = normal_values(tokens * experts, experts);
      logits[1] = logits[5] = logits[2] = 9;  // ties go to the lower index
      const auto per_expert = normal_values(experts, 4);
      Floats probs(logits), scale(per_expert), weight(tokens * slots), share(tokens * slots);
      Ints expert(tokens * slots);
      Stream stream;
      choose_experts(stream, {probs.rows(tokens), static_cast<int>(slots), scale.data(),
                              expert.data(), weight.data(), share.data()});
      std::vector<double> want_probs(logits.size()), want_share, want_weight;
      std::vector<int> want_expert;
      for (std::size_t t = 0; t < tokens; ++t) {
        const float* row = logits.data() + t * experts;
        const double most = double(*std::max_element(row, row + experts));
        double all = 0, some = 0;
        for (std::size_t e = 0; e < experts; ++e) {
          all += std::exp(double(row[e]) - most);
        }
        const auto order = cpu::largest(row, experts, slots);
        for (const std::int32_t e : order) {
          some += std::exp(double(row[e]) - most) / all;
        }
        for (std::size_t e = 0; e < experts; ++e) {
          want_probs[t * experts + e] = std::exp(double(row[e]) - most) / all;
        }
        for (const std::int32_t e : order) {
          want_expert.push_back(e);
          want_share.push_back(std::exp(double(row[e]) - most) / all / some);
          want_weight.push_back(want_share.back() *
                                double(per_expert[static_cast<std::size_t>(e)]));
        }
      }
      EXPECT_EQ(expert.values(), want_expert) << experts << " " << slots;
      EXPECT_LE(noted("choose_experts", worst(probs.values(), want_probs), 1e-6), 1e-6);
      EXPECT_LE(noted("choose_experts", worst(share.values(), want_share), 1e-6), 1e-6);
      EXPECT_LE(noted("choose_experts", worst(weight.values(), want_weight), 1e-6), 1e-6);
    }
  }
}

TEST_P(RouterCuda, ChoicesInTheOrderOfExpertsAndBack) {
  const int slots = 3, tokens = 7, experts = 200;
  std::vector<int> expert;
  cpu::Numbers numbers(5);
  for (int c = 0; c < tokens * slots; ++c) {
    expert.push_back(numbers.integer(0, 9) * 21);
  }
  const std::size_t choices = expert.size();
  Ints on(expert), first(experts + 1), sorted(choices), row_of(choices);
  ExpertRows rows{experts,   slots, static_cast<int>(choices), tokens, first.data(), sorted.data(),
                  on.data(), false};
  Stream stream;
  group_experts(stream, rows, first.data(), sorted.data(), row_of.data());
  std::vector<int> order(choices);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int c) { return expert[static_cast<std::size_t>(c)]; });
  EXPECT_EQ(sorted.values(), order);
  const auto firsts = first.values(), back = row_of.values();
  for (int e = 0; e <= experts; ++e) {
    EXPECT_EQ(firsts[static_cast<std::size_t>(e)],
              std::ranges::count_if(expert, [&](int other) { return other < e; }));
  }
  const std::size_t width = 130;
  const auto out = normal_values(choices * width, 6);
  const auto weight = normal_values(choices, 7);
  Floats values(out), by(weight), y(tokens * width);
  combine_experts(stream, rows, row_of.data(), by.data(), values.rows(choices), y.rows(tokens));
  std::vector<double> want(tokens * width);
  for (std::size_t c = 0; c < choices; ++c) {
    EXPECT_EQ(order[static_cast<std::size_t>(back[c])], static_cast<int>(c));
    for (std::size_t d = 0; d < width; ++d) {
      want[c / slots * width + d] +=
          double(weight[c]) * double(out[static_cast<std::size_t>(back[c]) * width + d]);
    }
  }
  EXPECT_LE(noted("combine_experts", worst(y.values(), want), 1e-6), 1e-6);
  rows.by_choice = true;
  group_experts(stream, rows, first.data(), sorted.data(), row_of.data());
  std::iota(order.begin(), order.end(), 0);
  EXPECT_EQ(sorted.values(), order);
  EXPECT_EQ(row_of.values(), order);
}

TEST_P(RouterCuda, ArgmaxIsTheFirstOfTheLargest) {
  auto x = normal_values(3 * 1000, 8);
  x[700] = x[311] = x[999] = 50;
  x[1000] = x[1999] = 60;
  Floats scores(x);
  Ints token(3);
  Stream stream;
  argmax(stream, scores.rows(3), token.data());
  const auto last = std::max_element(x.begin() + 2000, x.end()) - x.begin() - 2000;
  EXPECT_EQ(token.values(), (std::vector<int>{311, 0, static_cast<int>(last)}));
}

// What sampler.h draws, in its words.
int drawn(const std::vector<float>& scores, const Sample& how, double u) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater(), [&](int i) { return scores[i]; });
  const float threshold = scores[order[static_cast<std::size_t>(how.top_k) - 1]];
  std::erase_if(order, [&](int i) { return scores[i] < threshold; });
  std::vector<double> share;
  for (const int i : order) {
    share.push_back(
        std::exp((double(scores[i]) - double(scores[order[0]])) / double(how.temperature)));
  }
  const double all = std::accumulate(share.begin(), share.end(), 0.0);
  double prefix = 0, sum = 0;
  for (std::size_t i = 0; i < share.size() && prefix < double(how.top_p) * all; ++i) {
    prefix += share[i];
  }
  for (std::size_t i = 0; i < share.size(); ++i) {
    sum += share[i];
    if (sum > u * prefix) {
      return order[i];
    }
  }
  return order.back();
}

TEST_P(RouterCuda, DrawsAsTheSamplerDoes) {
  const std::vector<double> u = {0.31, 0.999};
  auto row = normal_values(2100, 14);
  row[7] = row[2000] = row[1024] = 2.5F;  // ties, near the threshold of 20
  row[90] = -INFINITY;
  std::vector<float> rows;
  for (std::size_t i = 0; i < u.size(); ++i) {
    rows.insert(rows.end(), row.begin(), row.end());
  }
  Floats scores(rows);
  OnDevice<double> numbers(u);
  Ints token(u.size());
  Stream stream;
  for (const int top_k : {1, 20, 200}) {
    for (const float top_p : {0.3F, 0.95F, 1.0F}) {
      const Sample how{scores.rows(u.size()), 0.8F, top_k, top_p, numbers.data(), token.data()};
      sample(stream, how);
      const auto got = token.values();
      for (std::size_t i = 0; i < u.size(); ++i) {
        EXPECT_EQ(got[i], drawn(row, how, u[i])) << top_k << " " << top_p << " " << u[i];
      }
    }
  }
}

TEST_P(RouterCuda, DrawsNeitherANanNorFromOptionsOutOfRange) {
  std::vector<float> row(40, NAN);
  row[11] = -3;
  Floats scores(row);
  OnDevice<double> u(std::vector<double>{0.99});
  Ints token(1);
  Stream stream;
  sample(stream, {scores.rows(1), 1, 64, 1, u.data(), token.data()});
  EXPECT_EQ(token.values()[0], 11);
  sample(stream, {scores.rows(1), 0, 64, 1, u.data(), token.data()});
  EXPECT_EQ(token.values()[0], 11);
  for (const auto& [temperature, top_k, top_p] : {std::tuple{-1.0F, 64, 1.0F},
                                                  {NAN, 64, 1.0F},
                                                  {1.0F, 0, 1.0F},
                                                  {1.0F, 1025, 1.0F},
                                                  {1.0F, 64, 0.0F},
                                                  {1.0F, 64, 1.5F}}) {
    EXPECT_THROW(
        sample(stream, {scores.rows(1), temperature, top_k, top_p, u.data(), token.data()}),
        std::invalid_argument);
  }
}

TEST_P(RouterCuda, LargestOfARow) {
  for (const std::size_t count : {5, 64, 1000}) {
    auto x = normal_values(1000, 9);
    x[3] = x[900] = x[44];
    Floats scores(x);
    Ints order(count);
    Stream stream;
    largest(stream, scores.rows(1), static_cast<int>(count), order.data());
    const auto want = cpu::largest(x.data(), x.size(), count);
    EXPECT_EQ(order.values(), std::vector<int>(want.begin(), want.end()));
  }
  Floats few(10);
  Stream stream;
  EXPECT_THROW(largest(stream, few.rows(1), 11, nullptr), std::invalid_argument);
}

TEST_P(RouterCuda, ScoresOfSomeCentroidsToTheVocabulary) {
  const std::vector<int> chosen = {2, 0};
  const std::vector<int> tokens = {7, 1, 5, 2, 4, 8, 0, 3, 6};
  Floats scored(std::vector<float>{0.5F, -2, 3, 1, 7, 4}), logits(9);
  Ints chosen_on(chosen), tokens_on(tokens);
  Stream stream;
  ordered_scores(stream, {scored.rows(2), chosen_on.data(), tokens_on.data(), logits.rows(1)});
  EXPECT_EQ(logits.values(), (std::vector<float>{0.5F, 7, -3, -2, -3, 4, 3, 1, -3}));
}

}  // namespace
}  // namespace assay::cuda
