// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/write_tokenizer.h"

#include <gtest/gtest.h>

#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/tokenizer/load_tokenizer.h"

namespace assay {
namespace {

Vocabulary committed() {
  return read_tokenizer_json(source_dir() + "/golden/tokenizer/tokenizer.json");
}

Vocabulary read_back(const Vocabulary& vocabulary) {
  const TestDirectory directory;
  return read_tokenizer_json(directory.write("tokenizer.json", tokenizer_json_text(vocabulary)));
}

void expect_same(const Vocabulary& a, const Vocabulary& b) {
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.merges, b.merges);
  EXPECT_EQ(a.prepends_bos, b.prepends_bos);
  ASSERT_EQ(a.added.size(), b.added.size());
  for (std::size_t i = 0; i < a.added.size(); ++i) {
    EXPECT_EQ(a.added[i].id, b.added[i].id);
    EXPECT_EQ(a.added[i].text, b.added[i].text);
  }
}

TEST(WriteTokenizer, TheCommittedOneComesBack) {
  const Vocabulary vocabulary = committed();
  expect_same(read_back(vocabulary), vocabulary);
}

TEST(WriteTokenizer, ABaseCheckpointStillBeginsWithBos) {
  Vocabulary vocabulary = committed();
  vocabulary.prepends_bos = true;
  expect_same(read_back(vocabulary), vocabulary);
}

TEST(WriteTokenizer, TokensOfAnyTextComeBack) {
  Vocabulary vocabulary;
  vocabulary.tokens = {"<bos>", "\"", "\\", "\n", "\t", "\x01", "\xE2\x96\x81", "\xF0\x9F\x98\x80",
                       "\"\\"};
  vocabulary.merges = {{1, 2}};
  vocabulary.added = {{0, "<bos>"}};
  expect_same(read_back(vocabulary), vocabulary);
}

TEST(WriteTokenizer, TheConfigNamesTheTokensThatAreThere) {
  Vocabulary vocabulary;
  vocabulary.tokens = {"<bos>", "<mask>"};
  EXPECT_EQ(parse_json(tokenizer_config_text(vocabulary), "x"),
            (Json::Object{{"tokenizer_class", "PreTrainedTokenizerFast"},
                          {"bos_token", "<bos>"},
                          {"mask_token", "<mask>"}}));
}

}  // namespace
}  // namespace assay
