// SPDX-License-Identifier: Apache-2.0
// Choosing tokens over a scripted session that keeps its sequence and checks every step against it.
#include "conformance/generation/generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;

constexpr std::size_t kVocabulary = 5;
using Ids = std::vector<std::int32_t>;
using Row = std::array<double, kVocabulary>;

// A model whose logits depend on the last two tokens, or on nothing.
Row pattern(const Ids& sequence) {
  const std::size_t n = sequence.size();
  const auto newest = static_cast<std::size_t>(sequence[n - 1]);
  const auto before = static_cast<std::size_t>(n > 1 ? sequence[n - 2] : 0);
  Row logits{};
  for (std::size_t i = 0; i < kVocabulary; ++i) {
    logits[i] = std::sin(static_cast<double>(1 + 7 * newest + 3 * before + 5 * i + n % 3));
  }
  return logits;
}

Row constant(const Ids& /*sequence*/) {
  return {std::log(0.4), std::log(0.05), std::log(0.25), std::log(0.2), std::log(0.1)};
}

std::int32_t largest(const Row& logits) {
  return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
}

enum class Drafts { kRight, kWrong, kSometimes, kCounting, kFails };

class ScriptedSession final : public Session {
 public:
  ScriptedSession(Row (*model)(const Ids&), Drafts drafts) : model_(model), drafts_(drafts) {}

  Status begin(const PromptRequest& prompt, Ids& expanded, Logits& last) override {
    sequence_ = prompt.ids;
    expanded = prompt.ids;
    append_row(last);
    return {};
  }

  Status extend(const Ids& tokens, Logits& rows) override {
    rows = {};
    for (const std::int32_t token : tokens) {
      sequence_.push_back(token);
      append_row(rows);
    }
    last_extended_ = tokens.size();
    ++passes_;
    return {};
  }

  Status take_back(std::size_t count) override {
    if (count >= last_extended_) {  // the newest token was chosen, so it stays
      throw std::logic_error("more taken back than was drafted");
    }
    sequence_.resize(sequence_.size() - count);
    last_extended_ -= count;
    return {};
  }

  Status draft(std::int32_t token, std::size_t steps, Ids& drafted) override {
    if (drafts_ == Drafts::kFails) {
      return {StatusCode::kBadInput, "no drafter"};
    }
    Ids ahead = sequence_;
    ahead.push_back(token);
    drafted.clear();
    for (std::size_t s = 0; s < steps; ++s) {
      drafted.push_back(guess(ahead));
      ahead.push_back(drafted.back());
    }
    return {};
  }

  std::size_t length() const override { return sequence_.size(); }
  const Ids& sequence() const { return sequence_; }
  std::size_t passes() const { return passes_; }

 private:
  void append_row(Logits& rows) const {
    const Row logits = model_(sequence_);
    rows.values.insert(rows.values.end(), logits.begin(), logits.end());
    ++rows.rows;
  }

  std::int32_t guess(const Ids& ahead) const {
    const std::int32_t right = largest(model_(ahead));
    const auto size = static_cast<std::int32_t>(kVocabulary);
    switch (drafts_) {
      case Drafts::kRight:
        return right;
      case Drafts::kSometimes:
        return ahead.size() % 3 == 0 ? (right + 2) % size : right;
      case Drafts::kCounting:
        return static_cast<std::int32_t>(ahead.size()) % size;
      default:
        return (right + 1) % size;
    }
  }

  Row (*model_)(const Ids&);
  Drafts drafts_;
  Ids sequence_;
  std::size_t last_extended_ = 0;
  std::size_t passes_ = 0;
};

GenerationOptions greedy(std::size_t max_tokens, std::size_t draft_steps) {
  GenerationOptions options;
  options.sampling = {0.0, 0, 1.0, {}};
  options.max_tokens = max_tokens;
  options.draft_steps = draft_steps;
  return options;
}

const Ids kPrompt = {1, 2, 3};

struct Told {
  Ids ids;
  Generation generation;
};

// Generates, and checks what holds for every generation.
Told answer(ScriptedSession& session, const GenerationOptions& options) {
  Told told;
  Ids expanded;
  Ids shown;
  Logits last;
  session.begin({kPrompt, {}, {}}, expanded, last);
  told.generation = generate(session, last, options,
                             [&](const GeneratedToken& token) { shown.push_back(token.id); });
  for (const GeneratedToken& token : told.generation.tokens) {
    told.ids.push_back(token.id);
    EXPECT_TRUE(std::isfinite(token.log_probability));
  }
  EXPECT_EQ(shown, told.ids);
  EXPECT_LE(told.generation.accepted, told.generation.drafted);
  // Every token but the newest has been appended, and nothing else is left.
  Ids kept = kPrompt;
  kept.insert(kept.end(), told.ids.begin(), told.ids.empty() ? told.ids.end() : told.ids.end() - 1);
  EXPECT_EQ(session.sequence(), kept);
  EXPECT_EQ(session.length(), kept.size());
  return told;
}

Told answer(Drafts drafts, const GenerationOptions& options) {
  ScriptedSession session(pattern, drafts);
  return answer(session, options);
}

TEST(Generation, GreedyFollowsTheLargestLogit) {
  const Told told = answer(Drafts::kRight, greedy(12, 0));
  Ids sequence = kPrompt;
  for (const GeneratedToken& token : told.generation.tokens) {
    const Row logits = pattern(sequence);
    EXPECT_EQ(token.id, largest(logits));
    EXPECT_EQ(token.log_probability, log_probability(logits, token.id));
    sequence.push_back(token.id);
  }
  EXPECT_EQ(sequence.size(), kPrompt.size() + 12);
  EXPECT_FALSE(told.generation.stopped);
  EXPECT_EQ(told.generation.drafted, 0);
}

TEST(Generation, GreedyIsTheSameWithAnyDrafts) {
  const Ids plain = answer(Drafts::kRight, greedy(40, 0)).ids;
  for (const Drafts drafts :
       {Drafts::kRight, Drafts::kWrong, Drafts::kSometimes, Drafts::kCounting}) {
    for (const std::size_t steps : {1, 2, 3, 4, 7, 64}) {
      for (const std::size_t max_tokens : {1, 2, 3, 5, 39, 40}) {
        const Ids ids = answer(drafts, greedy(max_tokens, steps)).ids;
        EXPECT_EQ(ids, Ids(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(max_tokens)));
      }
    }
  }
}

TEST(Generation, RightDraftsAreAllAccepted) {
  ScriptedSession session(pattern, Drafts::kRight);
  const Told told = answer(session, greedy(1 + 3 * 5, 4));  // a round gives four and one of its own
  EXPECT_EQ(told.generation.drafted, 12);
  EXPECT_EQ(told.generation.accepted, 12);
  EXPECT_EQ(session.passes(), 3);
}

TEST(Generation, WrongDraftsCostARoundEach) {
  ScriptedSession session(pattern, Drafts::kWrong);
  const Told told = answer(session, greedy(7, 4));
  EXPECT_EQ(told.generation.drafted, 24);
  EXPECT_EQ(told.generation.accepted, 0);
  EXPECT_EQ(session.passes(), 6);
}

TEST(Generation, CountsTheLeadingRightDraftsOnly) {
  // Of a sequence of n tokens the guess is wrong where n divides by 3. Rounds begin with 4, 7, 10 …
  // tokens after the guess: two right drafts, a wrong one, a right one that nobody asks.
  ScriptedSession session(pattern, Drafts::kSometimes);
  const Told told = answer(session, greedy(1 + 3 * 4, 4));
  EXPECT_EQ(told.generation.drafted, 16);
  EXPECT_EQ(told.generation.accepted, 8);
  EXPECT_EQ(session.passes(), 4);
}

TEST(Generation, MaxTokensEndsWithinARound) {
  ScriptedSession session(pattern, Drafts::kRight);
  const Told told = answer(session, greedy(3, 4));
  EXPECT_EQ(told.ids.size(), 3);
  EXPECT_FALSE(told.generation.stopped);
  EXPECT_EQ(told.generation.accepted, 2);
  EXPECT_EQ(session.length(), kPrompt.size() + 2);
}

TEST(Generation, NoTokensAskedNoneGiven) {
  EXPECT_TRUE(answer(Drafts::kRight, greedy(0, 0)).ids.empty());
  EXPECT_TRUE(answer(Drafts::kRight, greedy(0, 3)).ids.empty());
}

// A model that counts: 0 1 2 3 4 0 …
Row counting(const Ids& sequence) {
  Row logits{};
  logits[static_cast<std::size_t>(sequence.back() + 1) % kVocabulary] = 3;
  return logits;
}

TEST(Generation, StopsAtAStopTokenWithinAnAcceptedDraft) {
  for (const std::size_t steps : {0, 1, 2, 3, 4, 8}) {
    GenerationOptions options = greedy(50, steps);
    options.stop = {1};
    ScriptedSession session(counting, Drafts::kRight);
    const Told told = answer(session, options);
    EXPECT_THAT(told.ids, ElementsAre(4, 0, 1));
    EXPECT_TRUE(told.generation.stopped);
  }
}

TEST(Generation, StopsAtAStopTokenThatIsTheFirst) {
  GenerationOptions options = greedy(50, 4);
  options.stop = {2, 4};
  ScriptedSession session(counting, Drafts::kRight);
  const Told told = answer(session, options);
  EXPECT_THAT(told.ids, ElementsAre(4));
  EXPECT_TRUE(told.generation.stopped);
  EXPECT_EQ(session.passes(), 0);
}

TEST(Generation, AStopTokenThatWasOnlyDraftedStopsNothing) {
  GenerationOptions options = greedy(10, 4);
  options.stop = {3};
  ScriptedSession session([](const Ids&) { return Row{1, 0, 0, 0, 0}; }, Drafts::kCounting);
  const Told told = answer(session, options);
  EXPECT_EQ(told.ids, Ids(10, 0));
  EXPECT_FALSE(told.generation.stopped);
}

TEST(Generation, SuppressedTokensAreNeverChosen) {
  for (const std::size_t steps : {0, 3}) {
    GenerationOptions options = greedy(30, steps);
    options.sampling.suppress = {0, 3};
    for (const std::int32_t id : answer(Drafts::kRight, options).ids) {
      EXPECT_TRUE(id != 0 && id != 3);
    }
    options.sampling.temperature = 1;
    for (const std::int32_t id : answer(Drafts::kRight, options).ids) {
      EXPECT_TRUE(id != 0 && id != 3);
    }
  }
}

TEST(Generation, ADrafterThatFailsIsAnError) {
  ScriptedSession session(pattern, Drafts::kFails);
  Ids expanded;
  Logits last;
  session.begin({kPrompt, {}, {}}, expanded, last);
  EXPECT_THROW(generate(session, last, greedy(5, 2), [](const GeneratedToken&) {}), Error);
}

constexpr std::size_t kDraws = 20000;

// Of counts against what their probabilities let expect.
double chi_square(const std::vector<double>& counts, const std::vector<double>& probabilities) {
  double draws = 0;
  for (const double count : counts) {
    draws += count;
  }
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = draws * probabilities[i];
    sum += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  return sum;
}

// The tokens of a model without memory, one by one and in pairs; the limits are exceeded by one of
// a thousand honest samplers (4 and 24 degrees of freedom).
void expect_unbiased(Drafts drafts, std::size_t steps, const SamplingOptions& sampling,
                     const Row& probabilities) {
  GenerationOptions options = greedy(kDraws, steps);
  options.sampling = sampling;
  options.seed = 20260101;
  ScriptedSession session(constant, drafts);
  const Ids ids = answer(session, options).ids;
  ASSERT_EQ(ids.size(), kDraws);
  std::vector<double> ones(kVocabulary);
  std::vector<double> pairs(kVocabulary * kVocabulary);
  std::vector<double> pair_probabilities;
  for (const double p : probabilities) {
    for (const double q : probabilities) {
      pair_probabilities.push_back(p * q);
    }
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto id = static_cast<std::size_t>(ids[i]);
    ++ones[id];
    if (i % 2 == 1) {
      ++pairs[static_cast<std::size_t>(ids[i - 1]) * kVocabulary + id];
    }
  }
  EXPECT_LT(chi_square(ones, {probabilities.begin(), probabilities.end()}), 18.47);
  EXPECT_LT(chi_square(pairs, pair_probabilities), 51.18);
}

TEST(Generation, SampledSpeculationIsUnbiased) {
  const SamplingOptions uncut{1.0, 0, 1.0, {}};
  const Row probabilities = {0.4, 0.05, 0.25, 0.2, 0.1};
  for (const std::size_t steps : {0, 1, 3}) {
    for (const Drafts drafts : {Drafts::kRight, Drafts::kWrong, Drafts::kCounting}) {
      expect_unbiased(drafts, steps, uncut, probabilities);
    }
  }
}

TEST(Generation, SampledSpeculationIsUnbiasedAtATemperature) {
  Row probabilities = {0.16, 0.0025, 0.0625, 0.04, 0.01};  // squares, as 1 / T = 2
  for (double& p : probabilities) {
    p /= 0.275;
  }
  expect_unbiased(Drafts::kCounting, 3, {0.5, 0, 1.0, {}}, probabilities);
}

TEST(Generation, DraftsThatWereCutAreNeverKept) {
  GenerationOptions options = greedy(2000, 3);
  options.sampling = {1.0, 3, 1.0, {}};  // of 0.4, 0.25, 0.2
  ScriptedSession session(constant, Drafts::kCounting);
  std::vector<double> counts(3);
  for (const std::int32_t id : answer(session, options).ids) {
    ASSERT_TRUE(id == 0 || id == 2 || id == 3);
    ++counts[id == 0 ? 0 : static_cast<std::size_t>(id - 1)];
  }
  EXPECT_LT(chi_square(counts, {0.4 / 0.85, 0.25 / 0.85, 0.2 / 0.85}), 13.82);
}

TEST(Generation, ASampledDraftIsKeptAsOftenAsTheModelWouldChooseIt) {
  GenerationOptions options = greedy(kDraws, 1);
  options.sampling = {1.0, 0, 1.0, {}};
  ScriptedSession session(constant, Drafts::kRight);  // always token 0, of probability 0.4
  const Generation generation = answer(session, options).generation;
  const auto drafted = static_cast<double>(generation.drafted);
  EXPECT_NEAR(static_cast<double>(generation.accepted) / drafted, 0.4,
              4 * std::sqrt(0.24 / drafted));
}

TEST(Generation, ASeedGivesTheSameAnswer) {
  GenerationOptions options = greedy(50, 3);
  options.sampling.temperature = 1;
  const Ids first = answer(Drafts::kSometimes, options).ids;
  EXPECT_EQ(first, answer(Drafts::kSometimes, options).ids);
  options.seed = 1;
  EXPECT_NE(first, answer(Drafts::kSometimes, options).ids);
}

}  // namespace
}  // namespace assay::conformance
