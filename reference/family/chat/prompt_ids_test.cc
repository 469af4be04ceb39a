// SPDX-License-Identifier: Apache-2.0
// From a conversation to ids: template and tokenizer together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "reference/family/testing/test_requests.h"
#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

TEST(prompt_ids_mistakes, P14_bos_twice_or_never) {  // RT-11
  for (const Json& one : renderings()) {
    for (const TemplateVariant variant : {TemplateVariant::kSmall, TemplateVariant::kLarge}) {
      const Ids ids = small_tokenizer().encode(render_chat(*one.find("input"), variant));
      const std::int32_t bos = *small_tokenizer().id_of("<bos>");
      ASSERT_FALSE(ids.empty());
      EXPECT_EQ(ids.front(), bos);
      EXPECT_EQ(std::ranges::count(ids, bos), 1);
    }
  }
}

TEST(PromptIds, ComeBackAsTheText) {
  for (const Json& one : renderings()) {
    const std::string text = one.find("large")->string();
    EXPECT_EQ(small_tokenizer().decode(small_tokenizer().encode(text)), text);
  }
}

// The part of a rendering that a name of the table means: "C05 large tail", "C15 small, from the
// first user turn".
std::string part_of(const std::string& name) {
  const std::string id = name.substr(0, name.find(' '));
  const std::string small = rendered(id, TemplateVariant::kSmall);
  if (name.find("large tail") != std::string::npos) {
    return rendered(id, TemplateVariant::kLarge).substr(small.size());
  }
  const bool later = name.find("from the first user turn") != std::string::npos;
  return later ? small.substr(small.find("<|turn>user")) : small;
}

TEST(PromptIds, OfTheReleasedVocabulary) {
  const auto file = released_vocabulary_file();
  if (file.empty()) {
    GTEST_SKIP() << "no released vocabulary: ASSAY_VOCABULARY names none";
  }
  const Tokenizer released(read_any_tokenizer(file));
  const Json table = golden_json("tables/released_tokens.json");
  ASSERT_EQ(table["prompts"].size(), 14U);
  for (const Json& row : table["prompts"]) {
    EXPECT_EQ(released.encode(part_of(row[0].string())), row[1].get<Ids>()) << row[0];
  }
}

}  // namespace
}  // namespace assay
