// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/open_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

CaseInput prompt(std::vector<std::int32_t> types) {
  CaseInput input;
  input.ids.assign(types.size(), 3);
  input.token_types = std::move(types);
  return input;
}

Tap rows_of(const char* name, std::size_t rows) {
  return {name, {rows, 2}, std::vector<double>(rows * 2, 1), false};
}

const char* kChoice = "text.layer.1.moe.topk_index";

TEST(OpenRows, TheRowAloneUntilTheNextAttentionThenAllLaterOnes) {
  OpenRows open(prompt({0, 0, 0, 0}));
  EXPECT_THAT(open.felt_at(rows_of("text.layer.1.moe.sum", 4)).rows, IsEmpty());
  open.open(kChoice, {0, 1, 0, 0});
  const auto felt = open.felt_at(rows_of("text.layer.1.moe.sum", 4));
  EXPECT_THAT(felt.rows, ElementsAre(0, 1, 0, 0));
  EXPECT_EQ(felt.choice, kChoice);
  EXPECT_THAT(open.felt_at(rows_of("text.layer.2.in", 4)).rows, ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(open.felt_at(rows_of("text.layer.2.attn.mix", 4)).rows, ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(open.felt_at(rows_of("text.layer.3.in", 4)).rows, ElementsAre(0, 1, 1, 1));
}

// Rows of one image see each other.
TEST(OpenRows, AnImageIsSpoiltAsAWhole) {
  OpenRows open(prompt({0, 1, 1, 1, 0}));
  open.open(kChoice, {0, 0, 0, 1, 0});
  EXPECT_THAT(open.felt_at(rows_of("text.logits", 5)).rows, ElementsAre(0, 1, 1, 1, 1));
}

TEST(OpenRows, EarlierChoicesStayOpenBesideLaterOnes) {
  OpenRows open(prompt({0, 0, 0}));
  open.open(kChoice, {0, 1, 0});
  open.open("text.layer.2.moe.topk_index", {1, 0, 0});
  EXPECT_THAT(open.felt_at(rows_of("text.layer.2.moe.sum", 3)).rows, ElementsAre(1, 1, 1));
  open.close("text.layer.2.moe.sum");
  EXPECT_FALSE(open.any());
}

TEST(OpenRows, WhatHasNoRowPerTokenIsSpoiltWhole) {
  OpenRows open(prompt({0, 0, 0}));
  open.open(kChoice, {0, 0, 1});
  EXPECT_TRUE(open.felt_at(rows_of("mtp.step.0.logits", 1)).all);
  EXPECT_FALSE(open.felt_at(rows_of("text.logits", 3)).all);
}

}  // namespace
}  // namespace assay::conformance
