// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

std::vector<std::string> pieces(std::string_view text,
                                ControlText control = ControlText::kRecognise) {
  std::vector<std::string> tokens;
  for (const std::int32_t id : small_tokenizer().encode(text, control)) {
    tokens.push_back(small_tokenizer().token(id));
  }
  return tokens;
}

const std::string kSpace(kSpaceSymbol);

TEST(Tokenizer, EncodesEveryVectorOfTheLibrary) {  // RT-6 to RT-10
  const Json table = golden_json("tables/tokenizer.json");
  ASSERT_GE(table["encode"].size(), 150U);
  for (const Json& row : table["encode"]) {
    const auto text = row[0].get<std::string>();
    EXPECT_EQ(small_tokenizer().encode(text), row[1].get<Ids>()) << row[0];
  }
}

TEST(Tokenizer, SplitsLineFeedsOffWithoutLoss) {  // RT-8
  // With a token that mixes LINE FEED with others the pieces may not be taken one by one.
  Vocabulary mixed{"v", {"a", "\n", "a\n", "<0x41>"}, {}, {}, false};
  mixed.merges = rebuild_merges(mixed.tokens);
  EXPECT_THAT(Tokenizer(mixed).encode("aa\n\n"), ElementsAre(0, 2, 1));
}

TEST(Tokenizer, ControlLiteralsMayBePlainText) {  // RT-15
  EXPECT_THAT(pieces("<eos>"), ElementsAre("<eos>"));
  EXPECT_THAT(pieces("<eos>", ControlText::kPlain), ElementsAre("<", "e", "o", "s", ">"));
  const std::string typed = "say <|image|> and <turn|>";
  for (const std::int32_t id : small_tokenizer().encode(typed, ControlText::kPlain)) {
    EXPECT_FALSE(small_tokenizer().is_control(id));
  }
  EXPECT_EQ(small_tokenizer().decode(small_tokenizer().encode(typed, ControlText::kPlain)), typed);
}

TEST(Tokenizer, RefusesWhatIsNoText) {
  EXPECT_EQ(error_of([] { small_tokenizer().encode("ab\xC3("); }),
            "text: byte 2: got 0xc3, expected UTF-8");
  EXPECT_EQ(error_of([] { small_tokenizer().encode("\xED\xA0\x80"); }),
            "text: byte 0: got 0xed, expected UTF-8");
}

TEST(Tokenizer, RefusesIdsOutsideTheVocabulary) {
  for (const std::int32_t id : {-1, 618, 2147483647}) {
    EXPECT_THAT(error_of([=] { small_tokenizer().decode(Ids{id}); }),
                HasSubstr("got " + std::to_string(id) + ", expected 0 to 617"));
  }
}

TEST(Tokenizer, NeedsBytesForUnknownCharacters) {  // RT-9
  const Tokenizer without({"v", {"a", "<0xC3>"}, {}, {}, false});
  EXPECT_THAT(error_of([&] { without.encode("é"); }),
              HasSubstr("v: character 'é': got neither a token nor byte tokens for it"));
}

TEST(Tokenizer, MayBeMoved) {
  Tokenizer first(read_tokenizer_json(small_tokenizer_file()));
  const Ids ids = first.encode("Hello world\n");
  const Tokenizer second = std::move(first);
  EXPECT_EQ(second.encode("Hello world\n"), ids);
  EXPECT_EQ(second.decode(ids), "Hello world\n");
}

TEST(Tokenizer, KnowsItsTokens) {  // RT-3
  const Tokenizer& small = small_tokenizer();
  EXPECT_EQ(small.size(), 618U);
  EXPECT_FALSE(small.prepends_bos());
  EXPECT_EQ(small.id_of("<bos>"), 2);
  EXPECT_EQ(small.id_of("no such token"), std::nullopt);
  EXPECT_EQ(small.byte_of(*small.id_of("<0xE9>")), 0xE9);
  EXPECT_EQ(small.byte_of(*small.id_of("a")), std::nullopt);
  std::size_t control = 0;
  for (std::size_t id = 0; id < small.size(); ++id) {
    control += small.is_control(static_cast<std::int32_t>(id)) ? 1 : 0;
  }
  EXPECT_EQ(control, 24U);
}

// Every text comes back but for U+2581, which comes back as a space.
TEST(Tokenizer, RandomTextsRoundTrip) {  // RT-12
  std::mt19937 random(11);
  const std::vector<std::string> units = {"a", "he", " ", "\n",   "\t",        "é",           "日",
                                          "😀", "<",  ">", "\r",   "<|turn>",   "<0x41>",      "{",
                                          "3", "ÿ",  ".", "\x7F", "<unused1>", "\xEF\xBF\xBD"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t n = random() % 30; n > 0; --n) {
      text += units[random() % units.size()];
    }
    ASSERT_EQ(small_tokenizer().decode(small_tokenizer().encode(text)), text);
    ASSERT_EQ(small_tokenizer().decode(small_tokenizer().encode(text, ControlText::kPlain)), text);
  }
}

TEST(tokenizer_mistakes, P01_prefix_space) {  // RT-7
  EXPECT_THAT(pieces("Hello"), ElementsAre("Hello"));
  EXPECT_NE(pieces("Hello"), pieces(" Hello"));
}

TEST(tokenizer_mistakes, P02_normalisation_forms) {  // RT-7
  EXPECT_EQ(small_tokenizer().decode(small_tokenizer().encode("e\u0301")), "e\u0301");
  EXPECT_NE(pieces("e\u0301"), pieces("\u00e9"));
  EXPECT_THAT(pieces("\uFF21"), ElementsAre("<0xEF>", "<0xBC>", "<0xA1>"));
  EXPECT_NE(pieces("\uFB01"), pieces("fi"));
}

TEST(tokenizer_mistakes, P03_white_space_collapsed_or_stripped) {  // RT-7
  EXPECT_EQ(pieces("Hello  world")[1], kSpace + kSpace);
  EXPECT_EQ(pieces("Hello world ").back(), kSpace);
  EXPECT_EQ(pieces(" \n").size(), 2U);
  EXPECT_EQ(pieces("\u00a0"), (std::vector<std::string>{"<0xC2>", "<0xA0>"}));
}

TEST(tokenizer_mistakes, P04_split_at_spaces) {  // RT-8
  EXPECT_THAT(pieces("   indent"), ElementsAre(kSpace + kSpace + kSpace, "indent"));
  EXPECT_EQ(pieces("Hello" + kSpace + "world"), pieces("Hello world"));
}

TEST(tokenizer_mistakes, P05_turn_markers_of_the_older_family) {
  EXPECT_THAT(pieces("<|turn>user\nHello<turn|>\n"),
              ElementsAre("<|turn>", "user", "\n", "Hello", "<turn|>", "\n"));
  EXPECT_GT(pieces("<start_of_turn>").size(), 1U);
}

TEST(tokenizer_mistakes, P06_end_of_image) {
  EXPECT_THAT(pieces("<|image><|image|><image|>"),
              ElementsAre("<|image>", "<|image|>", "<image|>"));
}

TEST(tokenizer_mistakes, P07_reserved_and_html_strings_matched_whole) {  // RT-3
  for (const char* text : {"<table>", "<unused0>", "</s>", "<0x41>", "[multimodal]"}) {
    EXPECT_GT(pieces(text).size(), 1U) << text;
    EXPECT_EQ(small_tokenizer().decode(small_tokenizer().encode(text)), text);
  }
}

// The released vocabulary holds such strings, and no merge leads to them.
TEST(tokenizer_mistakes, P07_even_where_the_vocabulary_holds_them) {  // RT-3
  const std::vector<std::string> tokens = {"<table>", "</s>", "<s>", "<unused0>", "<", ">",
                                           "/",       "s",    "t",   "a",         "b", "l",
                                           "e",       "u",    "n",   "d",         "0"};
  Vocabulary vocabulary{"v", tokens, rebuild_merges(tokens), control_tokens(tokens), false};
  const Tokenizer tokenizer(std::move(vocabulary));
  for (const char* text : {"<table>", "</s>", "<s>", "<unused0>"}) {  // P16
    EXPECT_EQ(tokenizer.encode(text).size(), std::string_view(text).size()) << text;
    EXPECT_FALSE(tokenizer.is_control(*tokenizer.id_of(text)));
  }
}

// What a greedy reader makes of a word: the longest token that fits, again and again.
std::vector<std::string> longest_matches(std::string_view word) {
  std::vector<std::string> tokens;
  for (std::size_t at = 0; at < word.size(); at += tokens.back().size()) {
    std::size_t length = word.size() - at;
    while (!small_tokenizer().id_of(word.substr(at, length))) {
      --length;
    }
    tokens.emplace_back(word.substr(at, length));
  }
  return tokens;
}

TEST(tokenizer_mistakes, P08_longest_match) {  // RT-10
  EXPECT_THAT(longest_matches("here"), ElementsAre("he", "re"));
  EXPECT_THAT(pieces("here"), ElementsAre("h", "er", "e"));
}

TEST(tokenizer_mistakes, P11_unknown_token) {  // RT-9
  EXPECT_THAT(pieces("\U0001D518"), ElementsAre("<0xF0>", "<0x9D>", "<0x94>", "<0x98>"));
  EXPECT_THAT(pieces(std::string("\x01", 1)), ElementsAre("<0x01>"));
}

TEST(tokenizer_mistakes, P14_bos_added_by_the_tokenizer) {  // RT-11
  EXPECT_THAT(pieces("Hello"), ElementsAre("Hello"));
  EXPECT_THAT(pieces("<bos>Hello"), ElementsAre("<bos>", "Hello"));
}

TEST(tokenizer_mistakes, P15_control_literals_after_normalisation) {  // RT-6
  const auto tokens = pieces("before <|image|> after");
  EXPECT_EQ(std::ranges::count(tokens, "<|image|>"), 1);
  const auto at = std::ranges::find(tokens, "<|image|>");
  EXPECT_EQ(*(at - 1), kSpace);
  EXPECT_TRUE((at + 1)->starts_with(kSpace));
  EXPECT_THAT(pieces("a<|turn>b"), ElementsAre("a", "<|turn>", "b"));
  EXPECT_EQ(std::ranges::count(pieces("<" + kSpace + "bos>"), "<bos>"), 0);
}

TEST(tokenizer_mistakes, P16_end_of_sentence_by_its_text) {  // RT-3
  EXPECT_EQ(small_tokenizer().id_of("</s>"), std::nullopt);
  EXPECT_THAT(control_tokens({"</s>", "<s>", "<eos>"}), testing::SizeIs(1));
}

}  // namespace
}  // namespace assay
