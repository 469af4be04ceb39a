// SPDX-License-Identifier: Apache-2.0
// tokenizer.json, lists of token strings, xz: what is read, and what is refused with one message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>

#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_json.h"
#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A tokenizer.json of six tokens.
Json tiny_json() {
  Json json = golden_json("tokenizer/tokenizer.json");
  json["added_tokens"] = Json::Array{json["added_tokens"][2]};
  json["added_tokens"][0]["id"] = 0;
  json["model"]["vocab"] =
      Json::Object{{"<bos>", 0}, {"a", 1}, {"b", 2}, {"ab", 3}, {"<0x41>", 4}, {"▁", 5}};
  json["model"]["merges"] = parse_json(R"([["a", "b"]])", "test");
  return json;
}

std::string error_of_json(const std::string& text) {
  const TestDirectory directory;
  const auto file = directory.write("tokenizer.json", text);
  const std::string message = error_of([&] { Tokenizer{read_tokenizer_json(file)}; });
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

// The message when one place of the file holds something else.
std::string error_with(const std::string& pointer, const Json& value) {
  Json json = tiny_json();
  part_at(json, pointer) = value;
  return error_of_json(json_text(json));
}

std::string error_without(const std::string& parent, const std::string& key) {
  Json json = tiny_json();
  part_at(json, parent).erase(key);
  return error_of_json(json_text(json));
}

std::string packed(const std::string& text) {
  std::string out(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, nullptr,
                                    reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                    reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size()),
            LZMA_OK);
  return out.substr(0, size);
}

std::string error_of_list(const std::string& bytes) {
  const TestDirectory directory;
  const auto file = directory.write("v.nul", bytes);
  const std::string message = error_of([&] { Tokenizer{read_vocabulary_list(file)}; });
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

TEST(TokenizerJson, ReadsTheTinyOne) {
  const TestDirectory directory;
  const auto file = directory.write("tokenizer.json", json_text(tiny_json()));
  const Vocabulary vocabulary = read_tokenizer_json(file);
  EXPECT_THAT(vocabulary.tokens, ElementsAre("<bos>", "a", "b", "ab", "<0x41>", "▁"));
  EXPECT_THAT(vocabulary.merges, ElementsAre(std::pair(1, 2)));
  EXPECT_FALSE(vocabulary.prepends_bos);
  EXPECT_THAT(Tokenizer(vocabulary).encode("<bos>ab A"), ElementsAre(0, 3, 5, 4));
}

TEST(TokenizerJson, OlderFilesWriteMergesAsOneString) {
  const TestDirectory directory;
  Json json = tiny_json();
  json["model"]["merges"] = Json::Array{"a b"};
  const auto file = directory.write("tokenizer.json", json_text(json));
  EXPECT_THAT(read_tokenizer_json(file).merges, ElementsAre(std::pair(1, 2)));
}

TEST(TokenizerJson, BaseCheckpointsPrependBos) {  // RT-1, RT-11
  const TestDirectory directory;
  Json json = tiny_json();
  json["post_processor"]["single"] = parse_json(
      R"([{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}])",
      "test");
  const auto file = directory.write("tokenizer.json", json_text(json));
  EXPECT_TRUE(read_tokenizer_json(file).prepends_bos);
  EXPECT_THAT(Tokenizer(read_tokenizer_json(file)).encode("a"), ElementsAre(1));  // P14
}

TEST(TokenizerJson, AddedTokensMayStandAfterTheVocabulary) {
  const TestDirectory directory;
  Json json = tiny_json();
  json["added_tokens"].array().push_back(json["added_tokens"][0]);
  json["added_tokens"][1]["id"] = 6;
  json["added_tokens"][1]["content"] = "<extra>";
  const auto file = directory.write("tokenizer.json", json_text(json));
  EXPECT_THAT(Tokenizer(read_tokenizer_json(file)).encode("a<extra>"), ElementsAre(1, 6));
}

TEST(TokenizerJsonErrors, WhatIsNoDocument) {
  for (const char* text : {"", "{", "[]", "{}", "nonsense", "{\"model\": 3}", "\xFF\xFE{}"}) {
    EXPECT_THAT(error_of_json(text), HasSubstr("tokenizer.json")) << text;
  }
  EXPECT_THAT(error_of([] { read_tokenizer_json("/nowhere/tokenizer.json"); }),
              HasSubstr("nowhere"));
}

TEST(TokenizerJsonErrors, SettingsThatCutTextInAnotherWay) {
  EXPECT_THAT(error_with("/model/type", "WordPiece"), HasSubstr("model.type: got \"WordPiece\""));
  EXPECT_THAT(error_with("/model/byte_fallback", false), HasSubstr("model.byte_fallback"));
  EXPECT_THAT(error_with("/model/ignore_merges", true), HasSubstr("model.ignore_merges"));
  EXPECT_THAT(error_with("/model/dropout", 0.1), HasSubstr("model.dropout"));
  EXPECT_THAT(error_with("/model/end_of_word_suffix", "</w>"), HasSubstr("end_of_word_suffix"));
  EXPECT_THAT(error_with("/model/continuing_subword_prefix", "##"), HasSubstr("subword_prefix"));
  EXPECT_THAT(error_with("/normalizer", nullptr), HasSubstr("normalizer"));
  EXPECT_THAT(error_with("/normalizer/type", "NFC"), HasSubstr("normalizer.type: got \"NFC\""));
  EXPECT_THAT(error_with("/normalizer/content", "_"), HasSubstr("normalizer.content"));
  EXPECT_THAT(error_with("/normalizer/pattern/String", "x"), HasSubstr("normalizer.pattern"));
  EXPECT_THAT(error_with("/pre_tokenizer/type", "ByteLevel"), HasSubstr("pre_tokenizer.type"));
  EXPECT_THAT(error_with("/pre_tokenizer/pattern/String", "a"), HasSubstr("pre_tokenizer.pattern"));
  EXPECT_THAT(error_with("/post_processor/type", "ByteLevel"), HasSubstr("post_processor.type"));
  EXPECT_THAT(error_with("/decoder/type", "ByteLevel"), HasSubstr("decoder.type"));
  EXPECT_THAT(error_with("/decoder/decoders/1/type", "Strip"), HasSubstr("ByteFallback"));
  EXPECT_THAT(error_with("/decoder/decoders", Json::Array{}), HasSubstr("decoder.decoders: got 0"));
  EXPECT_THAT(error_with("/added_tokens/0/lstrip", true), HasSubstr("added_tokens.lstrip"));
  EXPECT_THAT(error_with("/added_tokens/0/normalized", true), HasSubstr("added_tokens.normalized"));
}

TEST(TokenizerJsonErrors, VocabulariesThatContradictThemselves) {
  EXPECT_THAT(error_without("/model", "vocab"), HasSubstr("model.vocab"));
  EXPECT_THAT(error_with("/model/vocab", Json::Object{}), HasSubstr("model.vocab: got 0 tokens"));
  EXPECT_THAT(error_with("/model/vocab/b", 1), HasSubstr("an id of its own below 6"));
  EXPECT_THAT(error_with("/model/vocab/b", 6), HasSubstr("an id of its own below 6"));
  EXPECT_THAT(error_with("/model/vocab/b", -1), HasSubstr("an id of its own below 6"));
  EXPECT_THAT(error_with("/model/vocab/b", 1.5), HasSubstr("an id of its own below 6"));
  EXPECT_THAT(error_with("/model/vocab/b", "2"), HasSubstr("an id of its own below 6"));
  EXPECT_THAT(error_without("/model", "merges"), HasSubstr("model.merges"));
  EXPECT_THAT(error_with("/model/merges/0", "ab"), HasSubstr("model.merges.0: got"));
  EXPECT_THAT(error_with("/model/merges/0", 3), HasSubstr("model.merges.0: got"));
  EXPECT_THAT(error_with("/model/merges/0/1", "c"), HasSubstr("two tokens of the vocabulary"));
  EXPECT_THAT(error_with("/model/merges/0", Json::Array{"b", "a"}), HasSubstr("merge 0: got 'ba'"));
  EXPECT_THAT(error_with("/added_tokens/0/id", 1), HasSubstr("added token '<bos>': got id 1"));
  EXPECT_THAT(error_with("/added_tokens/0/id", -1), HasSubstr("added_tokens.id"));
  EXPECT_THAT(error_with("/added_tokens/0/content", ""), HasSubstr("added_tokens.content"));
  EXPECT_THAT(error_with("/added_tokens", 3), HasSubstr("added_tokens"));
  EXPECT_THAT(error_of_json(R"({"model": {"vocab": {"a": 0, "a": 1}}})"),
              HasSubstr("tokenizer.json"));
}

TEST(VocabularyList, PlainAndPacked) {
  const TestDirectory directory;
  const std::string text("<bos>\0a\0b\0ab\0<0x41>", 19);
  for (const std::string& bytes : {text, text + std::string(1, '\0'), packed(text)}) {
    const Vocabulary vocabulary = read_any_tokenizer(directory.write("v", bytes));
    EXPECT_THAT(vocabulary.tokens, ElementsAre("<bos>", "a", "b", "ab", "<0x41>"));
    EXPECT_THAT(vocabulary.merges, ElementsAre(std::pair(1, 2)));
    EXPECT_EQ(vocabulary.added.size(), 1U);
  }
}

TEST(VocabularyListErrors, WhatIsNoList) {
  EXPECT_THAT(error_of_list(""), HasSubstr("v.nul"));
  EXPECT_THAT(error_of_list(std::string(1, '\0')), HasSubstr("token 0: got 0 bytes"));
  EXPECT_THAT(error_of_list(std::string("a\0\0b", 4)), HasSubstr("token 1: got 0 bytes"));
  EXPECT_THAT(error_of_list(std::string("a\0b\0a", 5)), HasSubstr("got 'a' again"));
  EXPECT_THAT(error_of_list("\xC3"), HasSubstr("token 0: byte 0: got 0xc3, expected UTF-8"));
  EXPECT_THAT(error_of_list(std::string(1 << 20, 'x')), HasSubstr("got 1048576 bytes, expected 1"));
  EXPECT_THAT(error_of_list(std::string(kMaxVocabulary * 2 + 2, '\0')),
              HasSubstr("tokens, expected at most 4194304"));
  EXPECT_THAT(error_of([] { read_vocabulary_list("/nowhere"); }), HasSubstr("nowhere"));
}

TEST(VocabularyListErrors, DamagedXz) {
  const std::string whole = packed(std::string("a\0b\0ab", 6));
  EXPECT_EQ(error_of_list(whole), "no error");
  for (std::size_t size = 6; size < whole.size(); ++size) {
    EXPECT_THAT(error_of_list(whole.substr(0, size)), HasSubstr("xz: got damaged or truncated"));
  }
  for (const std::size_t at : {std::size_t{7}, whole.size() / 2, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    EXPECT_THAT(error_of_list(damaged), HasSubstr("xz: got damaged or truncated"));
  }
  // 80 MB of NULs in a few kB.
  EXPECT_THAT(error_of_list(packed(std::string(80u << 20, '\0'))),
              HasSubstr("xz: got more than 67108864 bytes, expected fewer"));
}

TEST(AnyTokenizer, ToldByWhatTheFileIs) {
  const TestDirectory directory;
  directory.write("tokenizer.json", " \n" + json_text(tiny_json()));
  EXPECT_EQ(read_any_tokenizer(directory.path()).tokens.size(), 6U);
  EXPECT_EQ(read_any_tokenizer(directory.path() / "tokenizer.json").tokens.size(), 6U);
  const TestDirectory empty_directory;
  EXPECT_THAT(error_of([] { read_checkpoint_tokenizer("/nowhere"); }),
              HasSubstr("got no tokenizer.json, expected one beside config.json"));
  EXPECT_THAT(error_of([] { read_any_tokenizer("/nowhere"); }), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace assay
