// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/case_tokens.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

using Calls = std::vector<std::pair<std::size_t, std::size_t>>;

TextConfig two_wide() {
  TextConfig config;
  config.hidden_size = 2;
  config.special = {0, 49, 54, 52};
  return config;
}

conformance::CaseInput case_of(std::vector<std::int32_t> ids) {
  conformance::CaseInput input;
  input.ids = std::move(ids);
  return input;
}

TEST(TokensOf, CountsPositionsFromZero) {
  const auto tokens = tokens_of(case_of({5, 6, 7}), two_wide());
  EXPECT_EQ(tokens.ids, std::vector<std::int32_t>({5, 6, 7}));
  EXPECT_EQ(tokens.positions, std::vector<std::int32_t>({0, 1, 2}));
  EXPECT_EQ(tokens.valid, std::vector<bool>({true, true, true}));
}

// max(0, cumsum(valid) - 1)
TEST(TokensOf, PaddingDoesNotCount) {
  auto input = case_of({0, 0, 5, 6, 7});
  input.valid = {0, 0, 1, 1, 1};
  const auto tokens = tokens_of(input, two_wide());
  EXPECT_EQ(tokens.positions, std::vector<std::int32_t>({0, 0, 0, 1, 2}));
  EXPECT_EQ(tokens.valid, std::vector<bool>({false, false, true, true, true}));
}

TEST(TokensOf, TakesTheCasesPositions) {
  auto input = case_of({5, 6});
  input.positions = {40, 7};
  EXPECT_EQ(tokens_of(input, two_wide()).positions, std::vector<std::int32_t>({40, 7}));
}

// Without token types a placeholder is known by its id; with them the id says nothing.
TEST(TokensOf, TypesByIdOrAsGiven) {
  auto input = case_of({49, 5, 54, 52});
  input.media = {{MediaKind::kImage, 1, 2, {1, 2}},
                 {MediaKind::kFrame, 1, 2, {3, 4}},
                 {MediaKind::kAudio, 1, 2, {5, 6}}};
  const auto by_id = tokens_of(input, two_wide());
  EXPECT_EQ(by_id.types, std::vector<TokenType>({TokenType::kImage, TokenType::kText,
                                                 TokenType::kVideo, TokenType::kAudio}));
  EXPECT_EQ(values_of(by_id.soft), std::vector<double>({1, 2, 0, 0, 3, 4, 5, 6}));
  input.token_types = {0, 1, 3, 2};
  const auto given = tokens_of(input, two_wide());
  EXPECT_EQ(given.types, std::vector<TokenType>({TokenType::kText, TokenType::kImage,
                                                 TokenType::kAudio, TokenType::kVideo}));
  EXPECT_EQ(values_of(given.soft), std::vector<double>({0, 0, 1, 2, 3, 4, 5, 6}));
}

std::string refusal(const conformance::CaseInput& input) {
  return error_of([&] { tokens_of(input, two_wide()); });
}

// as many soft-token embeddings as placeholders.
TEST(TokensOf, RefusesWhatDoesNotFitTheIds) {
  EXPECT_EQ(refusal(case_of({})), "ids: got none, expected at least one");
  auto input = case_of({5, 6});
  input.positions = {1};
  EXPECT_EQ(refusal(input), "positions: got 1 entries, expected 2, one for each id");
  input = case_of({5, 6});
  input.valid = {1, 1, 1};
  EXPECT_EQ(refusal(input), "valid: got 3 entries, expected 2, one for each id");
  input = case_of({5, 6});
  input.token_types = {0, 4};
  EXPECT_EQ(refusal(input),
            "token_types[1]: got 4, expected 0 (text), 1 (image), 2 (video) or 3 (audio)");
  input.token_types = {-1, 0};
  EXPECT_NE(refusal(input), "no error");
  input.token_types = {0, 1};
  EXPECT_EQ(refusal(input),
            "soft-token embeddings: got 0 rows, expected 1, one for each placeholder token");
  input.media = {{MediaKind::kImage, 2, 2, {1, 2, 3, 4}}};
  EXPECT_NE(refusal(input), "no error");
  input.media = {{MediaKind::kImage, 1, 3, {1, 2, 3}}};
  EXPECT_EQ(refusal(input), "soft-token embeddings: got width 3, expected 2");
  input.media = {{MediaKind::kImage, 1, 2, {1, 2, 3}}};
  EXPECT_NE(refusal(input), "no error");
}

TokenChunk tokens_with_blocks() {  // 0 1 [2 3 4] 5 [6 7] 8 9
  auto input = case_of(std::vector<std::int32_t>(10, 5));
  input.token_types = {0, 0, 1, 1, 2, 0, 1, 1, 0, 0};
  input.media = {{MediaKind::kImage, 5, 2, std::vector<double>(10, 1.0)}};
  return tokens_of(input, two_wide());
}

TEST(TokensOf, RefusesPaddingBetweenTokens) {
  auto input = case_of({2, 0, 5});
  input.valid = {1, 0, 1};
  EXPECT_EQ(refusal(input),
            "valid[1]: got padding between tokens, expected it before or after them");
}

TEST(CallsOf, CutsEvenlyWithoutBlocks) {
  EXPECT_EQ(calls_of(tokens_with_blocks(), 0, false), Calls({{0, 10}}));
  EXPECT_EQ(calls_of(tokens_with_blocks(), 4, false), Calls({{0, 4}, {4, 8}, {8, 10}}));
  EXPECT_EQ(calls_of(tokens_with_blocks(), 99, false), Calls({{0, 10}}));
}

// the chunk grows to the block's end, and goes on from there.
TEST(CallsOf, GrowsAChunkOverItsBlock) {
  EXPECT_EQ(calls_of(tokens_with_blocks(), 3, true), Calls({{0, 5}, {5, 8}, {8, 10}}));
  EXPECT_EQ(calls_of(tokens_with_blocks(), 1, true),
            Calls({{0, 1}, {1, 2}, {2, 5}, {5, 6}, {6, 8}, {8, 9}, {9, 10}}));
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
