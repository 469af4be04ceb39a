// SPDX-License-Identifier: Apache-2.0
#include "reference/model/speculative.h"

#include "reference/family/testing/test_directory.h"
#include "reference/model/generate.h"
#include "reference/testing/test_pair.h"
#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

using Ids = std::vector<std::int32_t>;

// Logits whose row r has its largest value at choices[r].
Tensor<T, V> rows_choosing(const Ids& choices) {
  auto logits = make_tensor<T, V>({choices.size(), 8});
  for (std::size_t r = 0; r < choices.size(); ++r) {
    logits(r, static_cast<std::size_t>(choices[r])) = 1;
  }
  return logits;
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
  logits(0, 5) = Real(0.5);
  const auto acceptance = accept_greedy({3}, logits, {3});
  EXPECT_EQ(acceptance.accepted, 0u);
  EXPECT_EQ(acceptance.bonus, 5);
}

// Uniform numbers given one by one.
std::function<double()> numbers(std::vector<double> values) {
  return
      [values = std::move(values), next = std::size_t{0}]() mutable { return values.at(next++); };
}

Acceptance sampled(const Ids& drafted, std::vector<double> uniform) {
  const auto probs = tensor_of<T, V>({2, 4}, {0, 0.25, 0.5, 0.25, 1, 0, 0, 0});
  return accept_sampled(drafted, probs, numbers(std::move(uniform)));
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
  EXPECT_EQ(sampled({0}, {0.0, 0.0}).bonus, 1);
  const auto certain = tensor_of<T, V>({2, 2}, {0, 1, 1, 0});
  EXPECT_EQ(accept_sampled({1}, certain, numbers({0.999999, 0})).accepted, 1u);
  EXPECT_EQ(accept_sampled({0}, certain, numbers({0, 0})).bonus, 1);
}

TEST(AcceptSampled, WithoutDraftsItDraws) {
  EXPECT_EQ(sampled({}, {0.3}).bonus, 2);
  EXPECT_EQ(sampled({}, {0.3}).accepted, 0u);
}

TEST(AcceptGreedy, RefusesTooFewRowsAndStrangeDrafts) {
  const auto rows = make_tensor<T, V>({1, 4});
  EXPECT_EQ(error_of([&] { accept_greedy({1}, rows, {}); }),
            "speculation: got 1 rows of the target, expected 2");
  EXPECT_EQ(error_of([&] {
              accept_greedy({9}, make_tensor<T, V>({2, 4}), {});
            }),
            "speculation: got draft 9, expected 0 to 3");
}

TEST(AcceptSampled, RefusesARowOfNothing) {
  const auto nothing = make_tensor<T, V>({1, 4});
  EXPECT_EQ(error_of([&] { accept_sampled({}, nothing, numbers({0.5})); }),
            "accept_sampled: got no token of positive probability, expected one");
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
  auto rows = kFirst;
  rows.insert(rows.end(), kSecond.begin(), kSecond.end());
  rows.insert(rows.end(), kFirst.begin(), kFirst.end());
  const auto probs = tensor_of<T, V>({3, 5}, rows);
  std::mt19937_64 generator(12);
  const auto uniform = [&generator] { return static_cast<double>(generator() >> 11) * 0x1p-53; };
  Frequencies frequencies;
  double seconds = 0;
  for (std::size_t i = 0; i < kDraws; ++i) {
    const auto acceptance = accept_sampled(drafted, probs, uniform);
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

class Speculate : public testing::TestWithParam<std::string> {};

// token for token, for every step count and window; every ring wraps several times.
TEST_P(Speculate, GreedyIsPlainGreedy) {
  const Pair pair(GetParam());
  constexpr std::size_t kCount = 24;
  Taps silent;
  std::size_t rejected = 0;
  for (const Ids& ids : {Ids{2, 17, 5}, Ids{2, 17, 5, 9, 31, 12, 7, 22, 38, 14, 3, 25}}) {
    const auto prompt = text_chunk(ids, 0);
    const auto plain = generate_greedy(pair.target, prompt, kCount);
    for (std::size_t steps = 1; steps <= 5; ++steps) {
      for (const auto window : {DraftWindow::kLastKeys, DraftWindow::kStandard}) {
        const auto fast =
            speculate_greedy(pair.target, pair.drafter, prompt, kCount, steps, window, silent);
        EXPECT_EQ(fast.tokens, plain) << steps << " steps";
        for (const Round& round : fast.rounds) {
          rejected += round.drafted.size() - round.acceptance.accepted;
        }
      }
    }
  }
  EXPECT_GT(rejected, 0u);
}

// Drafts that are right up to any point: the loop of speculate_greedy with a drafter that knows.
TEST_P(Speculate, AcceptedDraftsLeaveTheRightCache) {
  const Pair pair(GetParam());
  const auto prompt = text_chunk({2, 17, 5, 9, 31, 12}, 0);
  constexpr std::size_t kCount = 30;
  constexpr std::size_t kSteps = 4;
  const auto plain = generate_greedy(pair.target, prompt, kCount + kSteps);
  Taps silent;
  KvCache cache = pair.target.new_cache(kSteps);
  pair.target.forward(prompt, cache, silent);
  std::size_t known = 1;  // plain[known - 1] is the newest token, not in the cache yet
  for (std::size_t round = 0; known < kCount; ++round) {
    const std::size_t right = round % (kSteps + 1);
    Ids ids(plain.begin() + static_cast<std::ptrdiff_t>(known) - 1,
            plain.begin() + static_cast<std::ptrdiff_t>(known + kSteps));
    if (right < kSteps) {
      ids[1 + right] = (ids[1 + right] + 1) % 64;
    }
    const std::size_t before = cache.length();
    const auto pass = pair.target.forward(text_chunk(ids, before), cache, silent);
    const auto acceptance = accept_greedy({ids.begin() + 1, ids.end()}, pass.logits,
                                          pair.target.config().suppress_tokens);
    ASSERT_EQ(acceptance.accepted, right) << "round " << round;
    EXPECT_EQ(acceptance.bonus, plain[known + right]);
    cache.forget_from(before + 1 + right);
    known += 1 + right;
  }
}

// What a round says of itself, and its taps.
TEST_P(Speculate, RoundsAddUp) {
  const Pair pair(GetParam());
  TapRecorder taps;
  const auto output = speculate_greedy(pair.target, pair.drafter, text_chunk({2, 17, 5}, 0), 12, 3,
                                       DraftWindow::kLastKeys, taps);
  std::int32_t position = 3;
  std::size_t count = 1;
  for (std::size_t r = 0; r < output.rounds.size(); ++r) {
    const Round& round = output.rounds[r];
    const std::string at = "spec.round." + std::to_string(r) + ".";
    EXPECT_EQ(round.position, position);
    EXPECT_EQ(round.drafted.size(), 3u);
    EXPECT_EQ(taps.at(at + "position").values[0], position);
    EXPECT_EQ(taps.at(at + "accepted").values[0], round.acceptance.accepted);
    EXPECT_EQ(taps.at(at + "bonus").values[0], round.acceptance.bonus);
    EXPECT_EQ(taps.at(at + "drafted").values, values_of(round.drafted));
    EXPECT_EQ(taps.at(at + "kv_len").values[0], round.kv_len);
    count += 1 + round.acceptance.accepted;
    position += 1 + static_cast<std::int32_t>(round.acceptance.accepted);
    EXPECT_EQ(round.kv_len, static_cast<std::size_t>(position));
  }
  EXPECT_GE(count, 12u);
  EXPECT_EQ(output.tokens.size(), 12u);
}

// M-143, M-144, M-152, M-154: each round drafts what a drafter drafts that starts afresh after the
// same tokens: right hidden vector, right keys. Acceptance would hide a wrong one.
TEST_P(Speculate, EachRoundDraftsFromTheRightState) {
  const Pair pair(GetParam());
  const Ids prompt = {2, 17, 5, 9, 31, 12};
  constexpr std::size_t kSteps = 3;
  for (const auto window : {DraftWindow::kLastKeys, DraftWindow::kStandard}) {
    Taps silent;
    const auto output = speculate_greedy(pair.target, pair.drafter, text_chunk(prompt, 0), 12,
                                         kSteps, window, silent);
    for (const Round& round : output.rounds) {
      Ids ids = prompt;
      ids.insert(ids.end(), output.tokens.begin(), output.tokens.end());
      const auto position = static_cast<std::size_t>(round.position);
      const std::int32_t newest = ids.at(position);
      ids.resize(position);
      KvCache cache = pair.target.new_cache(Drafter::rollback_reserve(kSteps));
      const auto pass = pair.target.forward(text_chunk(ids, 0), cache, silent);
      const std::size_t width = pass.final_norm.shape()[1];
      auto hidden = make_tensor<T, D>({1, width});
      std::copy_n(pass.final_norm.data() + (position - 1) * width, width, hidden.data());
      EXPECT_EQ(pair.drafter.draft(cache, newest, round.position, hidden, kSteps, window, silent),
                round.drafted)
          << "round at " << round.position;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Drafters, Speculate,
                         testing::Values("e2b-tiny", "e4b-tiny", "12b-tiny", "26b-tiny",
                                         "31b-tiny"),
                         [](const auto& value) { return value.param.substr(0, 3); });

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
