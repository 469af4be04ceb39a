// SPDX-License-Identifier: Apache-2.0
// The sampling loop over the reference's session: speculation against plain greedy decoding, round
// by round..
#include "conformance/doors/reference/reference_session.h"

#include <gtest/gtest.h>

#include <map>

#include "conformance/generation/generation.h"
#include "conformance/records/tap.h"
#include "reference/family/testing/source_dir.h"
#include "reference/model/generate.h"
#include "reference/testing/test_pair.h"

namespace assay::conformance {
namespace {

using assay::ASSAY_REFERENCE::Drafter;
using assay::ASSAY_REFERENCE::DraftWindow;
using assay::ASSAY_REFERENCE::generate_greedy;
using assay::ASSAY_REFERENCE::one_row;
using assay::ASSAY_REFERENCE::Pair;
using assay::ASSAY_REFERENCE::text_chunk;

using Ids = std::vector<std::int32_t>;

std::unique_ptr<Session> reference_session(const std::string& name, std::size_t draft_steps,
                                           bool standard_window) {
  const std::string path = source_dir() + "/golden/checkpoints/" + name;
  const SessionRequest request{path, path + "-drafter", draft_steps, "REF", standard_window, "",
                               true};
#ifdef ASSAY_FP64
  return make_reference_session_f64(request);
#else
  return make_reference_session_f32(request);
#endif
}

// spec.round.{r}.… of a run.
class RoundTaps final : public TapListener {
 public:
  bool wants(const std::string& /*name*/) const override { return true; }
  void on_tap(const TensorView& view) override {
    EXPECT_EQ(view.dtype, TensorDtype::kI32);
    taps_[std::string(view.name)] = to_tap(view);
  }

  std::size_t rounds() const { return taps_.size() / 5; }
  Ids ids(std::size_t round, const std::string& name) const {
    const Tap& tap = taps_.at("spec.round." + std::to_string(round) + "." + name);
    EXPECT_EQ(tap.shape, std::vector{tap.values.size()});
    Ids ids;
    for (const double value : tap.values) {
      ids.push_back(static_cast<std::int32_t>(value));
    }
    return ids;
  }
  std::int32_t one(std::size_t round, const std::string& name) const {
    EXPECT_EQ(ids(round, name).size(), 1u) << name;
    return ids(round, name).at(0);
  }

 private:
  std::map<std::string, Tap> taps_;
};

// Greedy tokens after the prompt; `taps` hears the rounds.
Ids answer(Session& session, const Pair& pair, const Ids& prompt, std::size_t count,
           std::size_t draft_steps, TapListener* taps) {
  GenerationOptions options;
  options.sampling = {0.0, 0, 1.0, pair.target.config().suppress_tokens};
  options.max_tokens = count;
  options.draft_steps = draft_steps;
  options.taps = taps;
  Ids expanded;
  Logits last;
  EXPECT_TRUE(session.begin({prompt, {}, {}}, expanded, last).ok());
  Ids ids;
  const auto generation = generate(session, last, options, [](const GeneratedToken&) {});
  for (const GeneratedToken& token : generation.tokens) {
    ids.push_back(token.id);
  }
  EXPECT_EQ(session.length(), prompt.size() + ids.size() - 1);
  return ids;
}

class Speculation : public testing::TestWithParam<std::string> {};

// token for token, for every step count and window; every ring wraps several times.
TEST_P(Speculation, GreedyIsPlainGreedy) {
  const Pair pair(GetParam());
  constexpr std::size_t kCount = 24;
  std::size_t rejected = 0;
  for (const Ids& ids : {Ids{2, 17, 5}, Ids{2, 17, 5, 9, 31, 12, 7, 22, 38, 14, 3, 25}}) {
    const auto plain = generate_greedy(pair.target, text_chunk(ids, 0), kCount);
    const auto alone = reference_session(GetParam(), 0, false);
    EXPECT_EQ(answer(*alone, pair, ids, kCount, 0, nullptr), plain);
    for (std::size_t steps = 1; steps <= 5; ++steps) {
      for (const bool standard_window : {false, true}) {
        RoundTaps taps;
        const auto session = reference_session(GetParam(), steps, standard_window);
        EXPECT_EQ(answer(*session, pair, ids, kCount, steps, &taps), plain) << steps << " steps";
        for (std::size_t r = 0; r < taps.rounds(); ++r) {
          rejected += steps - static_cast<std::size_t>(taps.one(r, "accepted"));
        }
      }
    }
  }
  EXPECT_GT(rejected, 0u);
}

// The reference's session with a drafter that knows the answer, up to a token that it gets wrong.
class KnowingSession final : public Session {
 public:
  KnowingSession(std::unique_ptr<Session> session, Ids plain)
      : session_(std::move(session)), plain_(std::move(plain)) {}
  Status begin(const PromptRequest& prompt, Ids& expanded, Logits& last) override {
    prompt_ = prompt.ids.size();
    return session_->begin(prompt, expanded, last);
  }
  Status extend(const Ids& tokens, Logits& rows) override { return session_->extend(tokens, rows); }
  Status take_back(std::size_t count) override { return session_->take_back(count); }
  Status draft(std::int32_t token, std::size_t steps, Ids& drafted) override {
    const std::size_t known = length() - prompt_ + 1;  // `token` is the last of them
    EXPECT_EQ(token, plain_.at(known - 1));
    const std::size_t right = round_++ % (steps + 1);
    drafted.assign(plain_.begin() + static_cast<std::ptrdiff_t>(known),
                   plain_.begin() + static_cast<std::ptrdiff_t>(known + steps));
    if (right < steps) {
      drafted[right] = (drafted[right] + 1) % 64;
    }
    return {};
  }
  std::size_t length() const override { return session_->length(); }

 private:
  std::unique_ptr<Session> session_;
  Ids plain_;
  std::size_t prompt_ = 0;
  std::size_t round_ = 0;
};

// Drafts that are right up to any point.
TEST_P(Speculation, AcceptedDraftsLeaveTheRightCache) {
  const Pair pair(GetParam());
  const Ids prompt = {2, 17, 5, 9, 31, 12};
  constexpr std::size_t kCount = 30;
  constexpr std::size_t kSteps = 4;
  const auto plain = generate_greedy(pair.target, text_chunk(prompt, 0), kCount + kSteps);
  KnowingSession session(reference_session(GetParam(), kSteps, false), plain);
  RoundTaps taps;
  EXPECT_EQ(answer(session, pair, prompt, kCount, kSteps, &taps),
            Ids(plain.begin(), plain.begin() + kCount));
  std::size_t known = 1;
  for (std::size_t round = 0; round < taps.rounds(); ++round) {
    const std::size_t right = round % (kSteps + 1);
    ASSERT_EQ(taps.one(round, "accepted"), right) << "round " << round;
    EXPECT_EQ(taps.one(round, "bonus"), plain[known + right]);
    known += 1 + right;
  }
  EXPECT_GE(known, kCount);
}

// What a round says of itself.
TEST_P(Speculation, RoundsAddUp) {
  const Pair pair(GetParam());
  RoundTaps taps;
  const auto session = reference_session(GetParam(), 3, false);
  const auto tokens = answer(*session, pair, {2, 17, 5}, 12, 3, &taps);
  EXPECT_EQ(tokens.size(), 12u);
  std::int32_t position = 3;
  std::size_t count = 1;
  ASSERT_GT(taps.rounds(), 0u);
  for (std::size_t r = 0; r < taps.rounds(); ++r) {
    EXPECT_EQ(taps.one(r, "position"), position);
    const Ids drafted = taps.ids(r, "drafted");
    EXPECT_EQ(drafted.size(), 3u);
    const auto accepted = static_cast<std::size_t>(taps.one(r, "accepted"));
    for (std::size_t j = 0; j < accepted && count + j < tokens.size(); ++j) {
      EXPECT_EQ(drafted.at(j), tokens[count + j]);
    }
    if (count + accepted < tokens.size()) {
      EXPECT_EQ(taps.one(r, "bonus"), tokens[count + accepted]);
    }
    count += 1 + accepted;
    position += 1 + static_cast<std::int32_t>(accepted);
    EXPECT_EQ(taps.one(r, "kv_len"), position);
  }
  EXPECT_GE(count, 12u);
}

// M-143, M-144, M-152, M-154: each round drafts what a drafter drafts that starts afresh after the
// same tokens: right hidden vector, right keys. Acceptance would hide a wrong one.
TEST_P(Speculation, EachRoundDraftsFromTheRightState) {
  const Pair pair(GetParam());
  const Ids prompt = {2, 17, 5, 9, 31, 12};
  constexpr std::size_t kSteps = 3;
  for (const auto window : {DraftWindow::kLastKeys, DraftWindow::kStandard}) {
    assay::ASSAY_REFERENCE::Taps silent;
    RoundTaps taps;
    const auto session = reference_session(GetParam(), kSteps, window == DraftWindow::kStandard);
    const auto tokens = answer(*session, pair, prompt, 12, kSteps, &taps);
    ASSERT_GT(taps.rounds(), 0u);
    for (std::size_t r = 0; r < taps.rounds(); ++r) {
      Ids ids = prompt;
      ids.insert(ids.end(), tokens.begin(), tokens.end());
      const std::int32_t position = taps.one(r, "position");
      const std::int32_t newest = ids.at(static_cast<std::size_t>(position));
      ids.resize(static_cast<std::size_t>(position));
      auto cache = pair.target.new_cache(Drafter::rollback_reserve(kSteps));
      const auto pass = pair.target.forward(text_chunk(ids, 0), cache, silent);
      const auto hidden = one_row(pass.final_norm, ids.size() - 1);
      EXPECT_EQ(pair.drafter.draft(cache, newest, position, hidden, kSteps, window, silent),
                taps.ids(r, "drafted"))
          << "round at " << position;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Drafters, Speculation,
                         testing::Values("e2b-tiny", "e4b-tiny", "12b-tiny", "26b-tiny",
                                         "31b-tiny"),
                         [](const auto& value) { return value.param.substr(0, 3); });

}  // namespace
}  // namespace assay::conformance
