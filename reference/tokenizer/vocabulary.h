// SPDX-License-Identifier: Apache-2.0
// What a tokenizer is made of: strings in id order, merges in rank order, the tokens that are
// matched before anything else.  Spec prompting 1.1 to 1.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay {

struct AddedToken {
  std::int32_t id = 0;
  std::string text;  // matched on the raw input, before normalisation
};

struct Vocabulary {
  std::string source;               // for messages: the file it came from
  std::vector<std::string> tokens;  // by id; a space is spelled U+2581, a byte <0x41>
  std::vector<std::pair<std::int32_t, std::int32_t>> merges;  // ids of left and right, best first
  std::vector<AddedToken> added;                              // control tokens
  bool prepends_bos = false;  // the post-processor of base checkpoints
};

// U+2581, how a space is spelled in the vocabulary.
inline constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";

constexpr std::size_t kMaxVocabulary = 1u << 22;  // tokens
constexpr std::size_t kMaxTokenBytes = 1u << 12;  // of one token
constexpr std::size_t kMaxMerges = 1u << 23;

// The 24 control literals of Gemma 4 (spec prompting 1.3). Files without a list of added tokens
// (GGUF, a plain list of strings) get those of them that their vocabulary holds.
const std::vector<std::string>& control_literals();
std::vector<AddedToken> control_tokens(const std::vector<std::string>& tokens);

// The merge table as a function of the id-ordered vocabulary (spec prompting 1.4):
//   for each token t by id, each split t = l + r at a character with l and r in the vocabulary,
//   by (id(l), id(r)); then a stable sort, descending, by (score(t), chars(l), chars(r)),
//   score(t) = 0 for runs of LINE FEED, U+2581 or TAB, else first_piece - id(t)
// where first_piece is the id after the last byte token.
std::vector<std::pair<std::int32_t, std::int32_t>> rebuild_merges(
    const std::vector<std::string>& tokens);

// Throws Error for an empty or repeated token, text that is not UTF-8, a merge whose halves do not
// make a token, an added token with a wrong id.
void check_vocabulary(const Vocabulary& vocabulary);

}  // namespace assay
