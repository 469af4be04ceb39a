// SPDX-License-Identifier: Apache-2.0
// Ids to text, in one go and as a stream.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "reference/family/testing/test_vocabulary.h"
#include "reference/family/tokenizer/utf8.h"

namespace assay {
namespace {

std::int32_t byte_id(int byte) {
  constexpr char kHex[] = "0123456789ABCDEF";
  const std::string name = {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'};
  return small_tokenizer().id_of(name).value();
}

Ids byte_ids(std::initializer_list<int> bytes) {
  Ids ids;
  for (const int byte : bytes) {
    ids.push_back(byte_id(byte));
  }
  return ids;
}

std::int32_t id(const std::string& token) {
  return small_tokenizer().id_of(token).value();
}

const std::string kUnknown(kReplacementCharacter);

TEST(Decode, EveryVectorOfTheLibrary) {  // RT-12, RT-13
  const Json table = golden_json("tables/tokenizer.json");
  ASSERT_GE(table["decode"].size(), 60U);
  for (const Json& row : table["decode"]) {
    const auto ids = row[0].get<Ids>();
    EXPECT_EQ(small_tokenizer().decode(ids), row[1].get<std::string>()) << row[0];
    EXPECT_EQ(small_tokenizer().decode(ids, true), row[2].get<std::string>()) << row[0];
  }
}

TEST(Decode, SpaceSymbolsBecomeSpacesEverywhere) {  // RT-12
  EXPECT_EQ(small_tokenizer().decode(Ids{id(std::string(kSpaceSymbol)), id("a")}), " a");
  EXPECT_EQ(small_tokenizer().decode(small_tokenizer().encode("a\u2581b")), "a b");
}

TEST(Decode, ARunOfBytesIsTextAsAWholeOrNotAtAll) {  // RT-13
  EXPECT_EQ(small_tokenizer().decode(byte_ids({0xC3, 0xA9})), "é");
  EXPECT_EQ(small_tokenizer().decode(byte_ids({0xC3, 0xA9, 0xC3})), kUnknown + kUnknown + kUnknown);
  EXPECT_EQ(small_tokenizer().decode(byte_ids({0x41, 0xFF})), kUnknown + kUnknown);
  Ids apart = byte_ids({0xC3});
  apart.push_back(id("a"));
  apart.push_back(byte_id(0xA9));
  EXPECT_EQ(small_tokenizer().decode(apart), kUnknown + "a" + kUnknown);
}

TEST(Decode, ControlTokensMayBeLeftOut) {
  Ids ids = {id("<|turn>"), id("user"), id("<turn|>")};
  EXPECT_EQ(small_tokenizer().decode(ids), "<|turn>user<turn|>");
  EXPECT_EQ(small_tokenizer().decode(ids, true), "user");
  // What is left out does not end a run of bytes: that is how the library has it.
  Ids split = byte_ids({0xC3});
  split.push_back(id("<eos>"));
  split.push_back(byte_id(0xA9));
  EXPECT_EQ(small_tokenizer().decode(split, true), "é");
  EXPECT_EQ(small_tokenizer().decode(split), kUnknown + "<eos>" + kUnknown);
}

TEST(decode_mistakes, P12_byte_to_unicode_table) {  // RT-9
  EXPECT_EQ(small_tokenizer().decode(small_tokenizer().encode("你好")), "你好");
  const Ids nul = small_tokenizer().encode(std::string_view("\0", 1));
  EXPECT_EQ(nul, byte_ids({0}));
  EXPECT_EQ(small_tokenizer().decode(nul), std::string("\0", 1));
}

TEST(decode_mistakes, P13_partial_characters_in_a_stream) {  // RT-14
  StreamingDecoder decoder(small_tokenizer());
  for (const std::int32_t piece : byte_ids({0xF0, 0x9D, 0x94, 0x98})) {
    EXPECT_TRUE(is_utf8(decoder.push(piece)));
  }
  std::string rest = decoder.push(id("a"));
  EXPECT_EQ(rest, "\U0001D518a");
  EXPECT_EQ(decoder.finish(), "");

  EXPECT_EQ(decoder.push(byte_id(0xF0)), "");
  EXPECT_EQ(decoder.finish(), kUnknown);
  EXPECT_EQ(decoder.push(id("a")), "a");
}

TEST(StreamingDecode, EqualsTheWholeForRandomIds) {  // RT-14
  std::mt19937 random(5);
  const auto size = static_cast<std::uint32_t>(small_tokenizer().size());
  for (int round = 0; round < 20000; ++round) {
    Ids ids;
    for (std::size_t n = random() % 12; n > 0; --n) {
      const bool byte = random() % 3 != 0;
      ids.push_back(byte ? byte_id(static_cast<int>(random() % 256))
                         : static_cast<std::int32_t>(random() % size));
    }
    for (const bool skip : {false, true}) {
      StreamingDecoder decoder(small_tokenizer(), skip);
      std::string streamed;
      for (const std::int32_t piece : ids) {
        const std::string part = decoder.push(piece);
        ASSERT_TRUE(is_utf8(part));
        streamed += part;
      }
      streamed += decoder.finish();
      ASSERT_EQ(streamed, small_tokenizer().decode(ids, skip));
    }
  }
}

}  // namespace
}  // namespace assay
