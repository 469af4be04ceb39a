// SPDX-License-Identifier: Apache-2.0
// What is accepted, by hand and in frequencies. Rounds over a real model:
// reference_session_test.cc.
#include "conformance/generation/speculation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>

#include "reference/family/base/error.h"
#include "reference/family/testing/test_differences.h"

namespace assay::conformance {
namespace {

using Ids = std::vector<std::int32_t>;
using Rows = std::vector<std::vector<double>>;

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Greedy: rows of logits whose row r has its largest value at choices[r].
Rows rows_choosing(const Ids& choices) {
  Rows rows;
  for (const std::int32_t choice : choices) {
    rows.emplace_back(8, 0.0);
    rows.back()[static_cast<std::size_t>(choice)] = 1;
  }
  return rows;
}

double no_number() {
  throw std::logic_error("greedy choice asked for a random number");
}

Acceptance accept_greedy(const Ids& drafted, const Rows& logits, const Ids& suppressed) {
  const SamplingOptions greedy{0.0, 0, 1.0, suppressed};
  return accept(
      drafted, [&](std::size_t j) { return candidates(logits.at(j), greedy); }, no_number);
}

void expect_accepted(const Ids& drafted, const Ids& choices, std::size_t count,
                     std::int32_t bonus) {
  const auto acceptance = accept_greedy(drafted, rows_choosing(choices), {});
  EXPECT_EQ(acceptance.accepted, count);
  EXPECT_EQ(acceptance.bonus, bonus);
}

TEST(AcceptGreedy, TheLongestPrefixOfTheTargetsOwn) {
  expect_accepted({3, 4, 5}, {3, 4, 5, 6}, 3, 6);  // all, and one more
  expect_accepted({3, 4, 5}, {3, 4, 7, 6}, 2, 7);  // the target's own in place of the third
  expect_accepted({3, 4, 5}, {1, 4, 5, 6}, 0, 1);  // later agreement does not count
  expect_accepted({}, {2}, 0, 2);
}

// what is suppressed is neither accepted nor a bonus.
TEST(AcceptGreedy, LeavesOutWhatIsSuppressed) {
  auto logits = rows_choosing({3, 4});
  logits[0][5] = 0.5;
  const auto acceptance = accept_greedy({3}, logits, {3});
  EXPECT_EQ(acceptance.accepted, 0u);
  EXPECT_EQ(acceptance.bonus, 5);
}

// Uniform numbers given one by one.
Uniform numbers(std::vector<double> values) {
  return
      [values = std::move(values), next = std::size_t{0}]() mutable { return values.at(next++); };
}

// Exactly these probabilities, in the order of candidates().
std::vector<Candidate> with_probabilities(const std::vector<double>& probabilities) {
  std::vector<Candidate> all;
  for (std::size_t v = 0; v < probabilities.size(); ++v) {
    if (probabilities[v] > 0) {
      all.push_back({static_cast<std::int32_t>(v), probabilities[v]});
    }
  }
  std::ranges::stable_sort(all, std::greater{}, &Candidate::probability);
  return all;
}

Acceptance accept_sampled(const Ids& drafted, const Rows& probs, const Uniform& uniform) {
  return accept(
      drafted, [&](std::size_t j) { return with_probabilities(probs.at(j)); }, uniform);
}

Acceptance sampled(const Ids& drafted, std::vector<double> uniform) {
  return accept_sampled(drafted, {{0, 0.25, 0.5, 0.25}, {1, 0, 0, 0}}, numbers(std::move(uniform)));
}

TEST(AcceptSampled, AcceptsBelowTheProbability) {
  EXPECT_EQ(sampled({2}, {0.499, 0.7}).accepted, 1u);
  EXPECT_EQ(sampled({2}, {0.499, 0.7}).bonus, 0);
  EXPECT_EQ(sampled({2}, {0.5, 0.3}).accepted, 0u);
}

// The rest of the first row is (0, 1/2, 0, 1/2).
TEST(AcceptSampled, ARejectedDraftIsNotDrawnAgain) {
  EXPECT_EQ(sampled({2}, {0.9, 0.0}).bonus, 1);
  EXPECT_EQ(sampled({2}, {0.9, 0.499}).bonus, 1);
  EXPECT_EQ(sampled({2}, {0.9, 0.5}).bonus, 3);
  EXPECT_EQ(sampled({2}, {0.9, 0.999999}).bonus, 3);
}

TEST(AcceptSampled, ImpossibleAndCertainDrafts) {
  EXPECT_EQ(sampled({0}, {0.0, 0.0}).accepted, 0u);
  EXPECT_EQ(sampled({0}, {0.0, 0.0}).bonus, 2);
  EXPECT_EQ(sampled({0}, {0.0, 0.6}).bonus, 1);
  const Rows certain = {{0, 1}, {1, 0}};
  EXPECT_EQ(accept_sampled({1}, certain, numbers({0.999999, 0})).accepted, 1u);
  EXPECT_EQ(accept_sampled({0}, certain, numbers({0, 0})).bonus, 1);
}

TEST(AcceptSampled, WithoutDraftsItDraws) {
  EXPECT_EQ(sampled({}, {0.3}).bonus, 2);
  EXPECT_EQ(sampled({}, {0.3}).accepted, 0u);
}

// A session whose drafter and rows make no sense.
class BadSession final : public Session {
 public:
  BadSession(Ids drafted, std::size_t rows) : drafted_(std::move(drafted)), rows_(rows) {}
  Status begin(const PromptRequest& /*prompt*/, Ids& /*expanded*/, Logits& /*last*/) override {
    return {};
  }
  Status extend(const Ids& /*tokens*/, Logits& rows) override {
    rows = {rows_, std::vector<double>(4 * rows_)};
    return {};
  }
  Status take_back(std::size_t /*count*/) override { return {}; }
  Status draft(std::int32_t /*token*/, std::size_t /*steps*/, Ids& drafted) override {
    drafted = drafted_;
    return {};
  }
  std::size_t length() const override { return 3; }

 private:
  Ids drafted_;
  std::size_t rows_;
};

void speculate_on(Ids drafted, std::size_t rows) {
  BadSession session(std::move(drafted), rows);
  speculate(session, 0, 1, {0.0, 0, 1.0, {}}, no_number);
}

TEST(Speculate, RefusesTooFewRowsAndStrangeDrafts) {
  EXPECT_EQ(error_of([] { speculate_on({1}, 1); }), "logits: got 1 rows, expected 2");
  EXPECT_EQ(error_of([] { speculate_on({9}, 2); }), "speculation: got draft 9, expected 0 to 3");
  EXPECT_EQ(error_of([] { speculate_on({-1}, 2); }), "speculation: got draft -1, expected 0 to 3");
  EXPECT_EQ(error_of([] { speculate_on({3}, 2); }), "");
}

TEST(AcceptSampled, RefusesARowOfNothing) {
  const std::vector<double> nothing(4, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(error_of([&] {
              accept(
                  {},
                  [&](std::size_t) {
                    return candidates(nothing, {1.0, 0, 1.0, {}});
                  },
                  numbers({0.5}));
            }),
            "logits: got nothing that may be chosen, expected at least one token");
}

constexpr std::size_t kDraws = 100000;
constexpr double kFourSigma = 4 * 0.5 / 316.2;  // 4 sqrt(p (1 - p) / n), at most

const std::vector<double> kFirst = {0.1, 0.2, 0.3, 0.4, 0};
const std::vector<double> kSecond = {0.5, 0, 0.05, 0.25, 0.2};

// How often each token came first, and second after an accepted first.
struct Frequencies {
  std::vector<double> first = std::vector<double>(5, 0.0);
  std::vector<double> second = std::vector<double>(5, 0.0);
};

Frequencies drawn(const Ids& drafted) {
  const std::vector rows = {with_probabilities(kFirst), with_probabilities(kSecond),
                            with_probabilities(kFirst)};
  std::mt19937_64 generator(12);
  const auto uniform = [&generator] { return static_cast<double>(generator() >> 11) * 0x1p-53; };
  Frequencies frequencies;
  double seconds = 0;
  for (std::size_t i = 0; i < kDraws; ++i) {
    const auto acceptance = accept(
        drafted, [&](std::size_t j) { return rows[j]; }, uniform);
    const auto token = [&](std::size_t at) {
      return static_cast<std::size_t>(at < acceptance.accepted ? drafted[at] : acceptance.bonus);
    };
    frequencies.first[token(0)] += 1.0 / kDraws;
    if (acceptance.accepted > 0) {
      frequencies.second[token(1)] += 1;
      seconds += 1;
    }
  }
  for (double& value : frequencies.second) {
    value /= seconds;
  }
  return frequencies;
}

// whatever is drafted, tokens come out as the target alone would draw them.
TEST(AcceptSampled, DrawsFromTheTarget) {
  for (const std::int32_t first : {0, 1, 2, 3}) {
    for (const std::int32_t second : {0, 2, 4}) {
      const auto frequencies = drawn({first, second});
      expect_near(frequencies.first, kFirst, kFourSigma);
      const double share = std::sqrt(kFirst[static_cast<std::size_t>(first)]);
      expect_near(frequencies.second, kSecond, kFourSigma / share);
      EXPECT_EQ(frequencies.first[4], 0);
      EXPECT_EQ(frequencies.second[1], 0);
    }
  }
}

// DIV-24: an argmax draft accepted with P/Q, Q the drafter's softmax, biases what comes out.
TEST(speculative, drafter_softmax_as_q) {
  const std::vector<double> q = {0.1, 0.2, 0.35, 0.25, 0.1};  // drafts token 2
  const double accepted = kFirst[2] / q[2];
  std::vector<double> wrong(5, 0.0);
  double total = 0;
  for (std::size_t v = 0; v < 5; ++v) {
    wrong[v] = std::max(0.0, kFirst[v] - q[v]);
    total += wrong[v];
  }
  for (double& value : wrong) {
    value *= (1 - accepted) / total;
  }
  wrong[2] += accepted;
  expect_avoided(drawn({2, 0}).first, kFirst, wrong, kFourSigma);
}

// A rejected draft that may be drawn again comes out too often.
TEST(speculative, rejected_token_drawn_again) {
  auto wrong = kFirst;
  for (double& value : wrong) {
    value *= 0.7;
  }
  wrong[2] += 0.3;
  expect_avoided(drawn({2, 0}).first, kFirst, wrong, kFourSigma);
}

}  // namespace
}  // namespace assay::conformance
