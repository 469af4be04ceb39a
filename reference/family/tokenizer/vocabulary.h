// SPDX-License-Identifier: Apache-2.0
// What a tokenizer is made of: strings in id order, merges in rank order, the tokens that are
// matched before anything else.  Spec: prompting 1.1 to 1.4, RT-1 to RT-5.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/family/tokenizer/token_ids.h"

namespace assay {

struct AddedToken {
  std::int32_t id = 0;
  std::string text;  // matched on the raw input, before normalisation
};

// Ids of left and right, best first.
using Merges = std::vector<std::pair<std::int32_t, std::int32_t>>;

struct Vocabulary {
  std::string source;               // for messages: the file it came from
  std::vector<std::string> tokens;  // by id; a space is spelled U+2581, a byte <0x41>
  Merges merges;
  std::vector<AddedToken> added;  // control tokens
  bool prepends_bos = false;      // the post-processor of base checkpoints
};

// U+2581, how a space is spelled in the vocabulary.
inline constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";

constexpr std::size_t kMaxVocabulary = 1u << 22;  // tokens
constexpr std::size_t kMaxTokenBytes = 256;       // of one token; the released ones have up to 93
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
Merges rebuild_merges(const std::vector<std::string>& tokens);

// Throws Error for no token at all, too many, or one that is empty or too long. The readers ask
// it before they rebuild merges, which takes time that grows with the square of a token's length.
void check_sizes(const Vocabulary& vocabulary);

// check_sizes, and throws Error for a repeated token, text that is not UTF-8, a merge whose halves
// do not make a token, an added token with a wrong id. Gives the id that each merge makes.
std::vector<std::int32_t> check_vocabulary(const Vocabulary& vocabulary, const TokenIds& ids);

}  // namespace assay
