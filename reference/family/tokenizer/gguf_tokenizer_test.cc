// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_gguf.h"
#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kMerges = "tokenizer.ggml.merges";

std::string error_of_gguf(const std::string& bytes) {
  const TestDirectory directory;
  const auto file = directory.write("v.gguf", bytes);
  const std::string message = error_of([&] { read_gguf_tokenizer(file); });
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

TEST(Gguf, ReadsTokensAndMergesAndSkipsTheRest) {  // RT-16
  const TestDirectory directory;
  GgufFile file(6);
  file.key("general.architecture", GgufFile::kString).string("gemma4");
  file.key("gemma4.block_count", GgufFile::kUint32).number(std::uint32_t{35});
  file.strings(kTokens, {"<bos>", "a", "b", "ab", "</s>"});
  file.key("tokenizer.ggml.scores", GgufFile::kArray).array(GgufFile::kFloat32, 5);
  for (int i = 0; i < 5; ++i) {
    file.number(std::uint32_t{0xC47A0000});  // -1000
  }
  file.strings(kMerges, {"a b"});
  file.key("x", GgufFile::kArray).array(GgufFile::kArray, 1).array(GgufFile::kUint8, 2);
  file.number(std::uint16_t{7});
  const Vocabulary vocabulary = read_gguf_tokenizer(directory.write("v.gguf", file.text()));
  EXPECT_THAT(vocabulary.tokens, ElementsAre("<bos>", "a", "b", "ab", "</s>"));
  EXPECT_THAT(vocabulary.merges, ElementsAre(std::pair(1, 2)));
  ASSERT_EQ(vocabulary.added.size(), 1U);
  EXPECT_THAT(Tokenizer(vocabulary).encode("<bos>ab"), ElementsAre(0, 3));
}

TEST(Gguf, MergesAreRebuiltWhereTheFileHasNone) {
  const TestDirectory directory;
  const std::string bytes = GgufFile(1, 2).strings(kTokens, {"a", "b", "ab"}).text();
  EXPECT_THAT(read_any_tokenizer(directory.write("v.gguf", bytes)).merges,
              ElementsAre(std::pair(0, 1)));
}

TEST(Gguf, TheSmallVocabularyComesThroughUnchanged) {
  const TestDirectory directory;
  const Vocabulary& small = small_tokenizer().vocabulary();
  std::vector<std::string> merges;
  for (const auto& [left, right] : small.merges) {
    merges.push_back(small.tokens[static_cast<std::size_t>(left)] + " " +
                     small.tokens[static_cast<std::size_t>(right)]);
  }
  const std::string bytes =
      GgufFile(2).strings(kTokens, small.tokens).strings(kMerges, merges).text();
  const Vocabulary read = read_any_tokenizer(directory.write("v.gguf", bytes));
  EXPECT_EQ(read.tokens, small.tokens);
  EXPECT_EQ(read.merges, small.merges);
}

TEST(GgufErrors, OfTheHeader) {
  EXPECT_THAT(error_of_gguf("GGU"), HasSubstr("got another format, expected GGUF"));
  EXPECT_THAT(error_of_gguf("GGML1234"), HasSubstr("got another format, expected GGUF"));
  EXPECT_THAT(error_of_gguf("GGUF"), HasSubstr("version: got 0 bytes"));
  EXPECT_THAT(error_of_gguf(GgufFile(0, 1).text()), HasSubstr("version: got 1, expected 2 or 3"));
  EXPECT_THAT(error_of_gguf(GgufFile(0, 0x03000000).text()), HasSubstr("expected 2 or 3"));
  EXPECT_THAT(error_of_gguf(GgufFile(0).text().substr(0, 20)), HasSubstr("number of keys: got 4"));
  EXPECT_THAT(error_of_gguf(GgufFile(~std::uint64_t{0}).text()),
              HasSubstr("number of keys: got 18446744073709551615, expected at most"));
  EXPECT_THAT(error_of_gguf(GgufFile(0).text()),
              HasSubstr("tokenizer.ggml.tokens: got nothing, expected strings"));
  EXPECT_THAT(error_of_gguf(GgufFile(1).text()), HasSubstr("length of a string: got 0 bytes"));
}

TEST(GgufErrors, OfValues) {
  EXPECT_THAT(error_of_gguf(GgufFile(1).number(~std::uint64_t{0}).text()),
              HasSubstr("a string: got 0 bytes"));
  EXPECT_THAT(error_of_gguf(GgufFile(1).key("a", 13).text()),
              HasSubstr("type of a value: got 13, expected 0 to 12"));
  EXPECT_THAT(
      error_of_gguf(GgufFile(1).key("a", GgufFile::kUint64).number(std::uint32_t{1}).text()),
      HasSubstr("a value: got 4 bytes, expected at least 8"));
  EXPECT_THAT(
      error_of_gguf(
          GgufFile(1).key("a", GgufFile::kArray).array(GgufFile::kUint64, 1ULL << 61).text()),
      HasSubstr("an array: got 2305843009213693952 values, expected no more"));
  GgufFile deep(1);
  deep.key("a", GgufFile::kArray);
  for (int i = 0; i < 100; ++i) {
    deep.array(GgufFile::kArray, 1);
  }
  EXPECT_THAT(error_of_gguf(deep.text()), HasSubstr("an array: got more than 4 levels"));
  GgufFile endless(1);
  endless.key("a", GgufFile::kArray).array(GgufFile::kString, ~std::uint64_t{0});
  EXPECT_THAT(error_of_gguf(endless.text()),
              HasSubstr("a: got 18446744073709551615 strings, expected at most 0, "));
}

TEST(GgufErrors, OfTokensAndMerges) {
  EXPECT_THAT(error_of_gguf(GgufFile(1).key(kTokens, GgufFile::kUint32).number(1U).text()),
              HasSubstr("tokenizer.ggml.tokens: got another type, expected strings"));
  EXPECT_THAT(
      error_of_gguf(GgufFile(1).key(kTokens, GgufFile::kArray).array(GgufFile::kUint8, 0).text()),
      HasSubstr("tokenizer.ggml.tokens: got another type, expected strings"));
  EXPECT_THAT(
      error_of_gguf(
          GgufFile(1).key(kTokens, GgufFile::kArray).array(GgufFile::kString, 1ULL << 40).text()),
      HasSubstr("tokenizer.ggml.tokens: got 1099511627776 strings, expected at most"));
  EXPECT_THAT(error_of_gguf(GgufFile(1).strings(kTokens, {"a", ""}).text()),
              HasSubstr("token 1: got 0 bytes"));
  EXPECT_THAT(error_of_gguf(GgufFile(1).strings(kTokens, {std::string(100000, 'x')}).text()),
              HasSubstr("token 0: got 100000 bytes, expected 1 to 256"));
  for (const char* merge : {"ab", "a", " ", "a  b", "a c", "\xFF b"}) {
    EXPECT_THAT(
        error_of_gguf(
            GgufFile(2).strings(kTokens, {"a", "b", "ab"}).strings(kMerges, {merge}).text()),
        HasSubstr("tokenizer.ggml.merges[0]: got "));
  }
}

// Whatever byte is lost or changed: an error or a vocabulary, never a crash.
TEST(GgufErrors, EveryTruncationAndManyDamages) {
  const TestDirectory directory;
  const std::string whole =
      GgufFile(2).strings(kTokens, {"a", "b", "ab", "é"}).strings(kMerges, {"a b"}).text();
  std::size_t errors = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto file = directory.write("v.gguf", whole.substr(0, size));
    errors += error_of([&] { Tokenizer{read_gguf_tokenizer(file)}; }) == "no error" ? 0 : 1;
  }
  EXPECT_EQ(errors, whole.size());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\0', '\xFF'}) {
      std::string damaged = whole;
      damaged[at] = byte;
      const auto file = directory.write("v.gguf", damaged);
      error_of([&] { Tokenizer{read_gguf_tokenizer(file)}; });
    }
  }
}

}  // namespace
}  // namespace assay
