// SPDX-License-Identifier: Apache-2.0
#include "reference/model/generate.h"

#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

std::int32_t greedy(const std::vector<Real>& logits, const std::vector<std::int32_t>& suppressed) {
  return greedy_token(logits, suppressed);
}

TEST(GreedyToken, TheLargestAndAmongTiesTheFirst) {
  EXPECT_EQ(greedy({-3, -1, -2}, {}), 1);
  EXPECT_EQ(greedy({0, 5, 5, 1}, {}), 1);
}

// what is suppressed is left out of the choice.
TEST(GreedyToken, LeavesOutWhatIsSuppressed) {
  EXPECT_EQ(greedy({0, 5, 4, 1}, {1}), 2);
  EXPECT_EQ(greedy({0, 5, 4, 1}, {2, 1, 99, -1}), 3);
  EXPECT_EQ(error_of([] {
              greedy({1, 2}, {0, 1});
            }),
            "greedy_token: got every token suppressed, expected at least one allowed");
}

TEST(TextChunk, CountsPositions) {
  const TokenChunk chunk = text_chunk({4, 5, 6}, 10);
  EXPECT_EQ(chunk.positions, std::vector<std::int32_t>({10, 11, 12}));
  EXPECT_EQ(chunk.valid, std::vector<bool>({true, true, true}));
  EXPECT_EQ(chunk.types.size(), 3u);
}

TEST(Slice, TakesRowsOfEverything) {
  TokenChunk chunk = text_chunk({4, 5, 6, 7}, 0);
  chunk.types[2] = TokenType::kAudio;
  chunk.valid[1] = false;
  chunk.soft = tensor_of<T, D>({4, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  const TokenChunk part = slice(chunk, 1, 3);
  EXPECT_EQ(part.ids, std::vector<std::int32_t>({5, 6}));
  EXPECT_EQ(part.positions, std::vector<std::int32_t>({1, 2}));
  EXPECT_EQ(part.types[1], TokenType::kAudio);
  EXPECT_EQ(part.valid, std::vector<bool>({false, true}));
  EXPECT_EQ(values_of(part.soft), std::vector<double>({2, 3, 4, 5}));
}

// Every token is the argmax of a prompt that holds those before it; the ring wraps on the way.
TEST(GenerateGreedy, IsTheArgmaxOfTheGrowingPrompt) {
  for (const std::string name : {"e2b-tiny", "12b-tiny", "26b-tiny"}) {
    const auto checkpoint = Checkpoint::open(source_dir() + "/golden/checkpoints/" + name);
    const Transformer model(checkpoint);
    std::vector<std::int32_t> ids = {2, 17, 5};
    const auto tokens = generate_greedy(model, text_chunk(ids, 0), 9);
    ASSERT_EQ(tokens.size(), 9u);
    Taps silent;
    for (const std::int32_t token : tokens) {
      KvCache cache = model.new_cache();
      const auto logits = model.forward(text_chunk(ids, 0), cache, silent).logits;
      const auto last = row(logits, ids.size() - 1, logits.shape()[1]);
      EXPECT_EQ(token, greedy_token(last, model.config().suppress_tokens)) << name;
      ids.push_back(token);
    }
  }
}

TEST(GenerateGreedy, NoneWhenNoneAreAsked) {
  const auto checkpoint = Checkpoint::open(source_dir() + "/golden/checkpoints/e2b-tiny");
  EXPECT_TRUE(generate_greedy(Transformer(checkpoint), text_chunk({2}, 0), 0).empty());
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
