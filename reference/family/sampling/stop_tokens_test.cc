// SPDX-License-Identifier: Apache-2.0
// Spec: prompting 4.2; mutations P16-P18 of its section 6.
#include "reference/family/sampling/stop_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

TEST(StopTokens, TheLiteralsEndAnAnswerWhateverTheFilesSay) {
  const Tokenizer& tokenizer = small_tokenizer();
  const auto stop = stop_tokens({}, tokenizer);
  EXPECT_THAT(stop, UnorderedElementsAre(*tokenizer.id_of("<eos>"), *tokenizer.id_of("<turn|>"),
                                         *tokenizer.id_of("<|tool_response>")));
  EXPECT_TRUE(std::ranges::is_sorted(stop));
}

TEST(StopTokens, TheFilesAddTheirs) {
  GenerationConfig config;
  config.stop = {1, 300};
  const auto stop = stop_tokens(config, small_tokenizer());
  EXPECT_THAT(stop, Contains(300));
  EXPECT_EQ(stop.size(), 4);
  EXPECT_TRUE(std::ranges::is_sorted(stop));
}

TEST(StopTokens, TheOldEndOfSentenceIsText) {  // P16, RT-3
  Vocabulary vocabulary;
  vocabulary.tokens = {"<pad>", "<eos>", "</s>", "<turn|>", "<|tool_response>", "<s>"};
  vocabulary.added = control_tokens(vocabulary.tokens);
  EXPECT_THAT(stop_tokens({}, Tokenizer(std::move(vocabulary))), ElementsAre(1, 3, 4));
}

}  // namespace
}  // namespace assay
