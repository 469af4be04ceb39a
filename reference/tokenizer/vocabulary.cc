// SPDX-License-Identifier: Apache-2.0
#include "reference/tokenizer/vocabulary.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "reference/core/error.h"
#include "reference/tokenizer/utf8.h"

namespace assay {
namespace {

using TokenIds = std::unordered_map<std::string_view, std::int32_t>;

TokenIds ids_of(const std::vector<std::string>& tokens) {
  TokenIds ids;
  ids.reserve(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    ids.emplace(tokens[id], static_cast<std::int32_t>(id));
  }
  return ids;
}

// The positions between the characters of a token, both ends left out.
std::vector<std::size_t> character_boundaries(std::string_view token) {
  std::vector<std::size_t> boundaries;
  for (std::size_t at = 0; at < token.size();) {
    at += std::max<std::size_t>(1, utf8_length(token, at));
    if (at < token.size()) {
      boundaries.push_back(at);
    }
  }
  return boundaries;
}

bool is_whitespace_run(std::string_view token) {
  for (const std::string_view unit :
       {std::string_view("\n"), kSpaceSymbol, std::string_view("\t")}) {
    bool all = token.size() % unit.size() == 0;
    for (std::size_t at = 0; all && at < token.size(); at += unit.size()) {
      all = token.substr(at, unit.size()) == unit;
    }
    if (all) {
      return true;
    }
  }
  return false;
}

struct Split {
  std::int64_t score = 0;
  std::size_t left_characters = 0;
  std::size_t right_characters = 0;
  std::pair<std::int32_t, std::int32_t> ids;
};

// The splits of one token whose halves are tokens, by (id(l), id(r)).
void append_splits(std::string_view token, std::int64_t score, const TokenIds& ids,
                   std::vector<Split>& splits) {
  const std::vector<std::size_t> boundaries = character_boundaries(token);
  const std::size_t first = splits.size();
  for (std::size_t i = 0; i < boundaries.size(); ++i) {
    const auto left = ids.find(token.substr(0, boundaries[i]));
    if (left == ids.end()) {
      continue;
    }
    const auto right = ids.find(token.substr(boundaries[i]));
    if (right != ids.end()) {
      splits.push_back({score, i + 1, boundaries.size() - i, {left->second, right->second}});
    }
  }
  std::sort(splits.begin() + static_cast<std::ptrdiff_t>(first), splits.end(),
            [](const Split& a, const Split& b) { return a.ids < b.ids; });
}

std::int64_t first_piece(const TokenIds& ids) {
  const auto last_byte = ids.find("<0xFF>");
  return last_byte == ids.end() ? 0 : last_byte->second + 1;
}

void check_tokens(const Vocabulary& vocabulary, const TokenIds& ids) {
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    const std::string what = vocabulary.source + ": token " + std::to_string(id);
    if (token.empty() || token.size() > kMaxTokenBytes) {
      throw Error(what + ": got " + std::to_string(token.size()) + " bytes, expected 1 to " +
                  std::to_string(kMaxTokenBytes));
    }
    check_utf8(token, what);
    const auto first = static_cast<std::size_t>(ids.at(token));
    if (first != id) {
      throw Error(what + ": got '" + printable(token) + "' again, expected it once (token " +
                  std::to_string(first) + ")");
    }
  }
}

void check_merges(const Vocabulary& vocabulary, const TokenIds& ids) {
  const auto count = static_cast<std::int32_t>(vocabulary.tokens.size());
  for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const auto [left, right] = vocabulary.merges[rank];
    const std::string what = vocabulary.source + ": merge " + std::to_string(rank);
    if (left < 0 || right < 0 || left >= count || right >= count) {
      throw Error(what + ": got an id outside the vocabulary of " + std::to_string(count));
    }
    const std::string whole = vocabulary.tokens[static_cast<std::size_t>(left)] +
                              vocabulary.tokens[static_cast<std::size_t>(right)];
    if (ids.find(whole) == ids.end()) {
      throw Error(what + ": got '" + printable(whole) + "', expected a token of the vocabulary");
    }
  }
}

}  // namespace

const std::vector<std::string>& control_literals() {
  static const std::vector<std::string> literals = {"<pad>",
                                                    "<eos>",
                                                    "<bos>",
                                                    "<unk>",
                                                    "<mask>",
                                                    "<|tool>",
                                                    "<tool|>",
                                                    "<|tool_call>",
                                                    "<tool_call|>",
                                                    "<|tool_response>",
                                                    "<tool_response|>",
                                                    "<|\"|>",
                                                    "<|think|>",
                                                    "<|channel>",
                                                    "<channel|>",
                                                    "<|turn>",
                                                    "<turn|>",
                                                    "<|image>",
                                                    "<|audio>",
                                                    "<|image|>",
                                                    "<|audio|>",
                                                    "<image|>",
                                                    "<audio|>",
                                                    "<|video|>"};
  return literals;
}

std::vector<AddedToken> control_tokens(const std::vector<std::string>& tokens) {
  std::vector<AddedToken> added;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (std::ranges::find(control_literals(), tokens[id]) != control_literals().end()) {
      added.push_back({static_cast<std::int32_t>(id), tokens[id]});
    }
  }
  return added;
}

std::vector<std::pair<std::int32_t, std::int32_t>> rebuild_merges(
    const std::vector<std::string>& tokens) {
  const TokenIds ids = ids_of(tokens);
  const std::int64_t first = first_piece(ids);
  std::vector<Split> splits;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const std::int64_t score =
        is_whitespace_run(tokens[id]) ? 0 : first - static_cast<std::int64_t>(id);
    append_splits(tokens[id], score, ids, splits);
  }
  std::stable_sort(splits.begin(), splits.end(), [](const Split& a, const Split& b) {
    return std::tie(a.score, a.left_characters, a.right_characters) >
           std::tie(b.score, b.left_characters, b.right_characters);
  });
  std::vector<std::pair<std::int32_t, std::int32_t>> merges;
  merges.reserve(splits.size());
  for (const Split& split : splits) {
    merges.push_back(split.ids);
  }
  return merges;
}

void check_vocabulary(const Vocabulary& vocabulary) {
  if (vocabulary.tokens.empty() || vocabulary.tokens.size() > kMaxVocabulary) {
    throw Error(vocabulary.source + ": got " + std::to_string(vocabulary.tokens.size()) +
                " tokens, expected 1 to " + std::to_string(kMaxVocabulary));
  }
  const TokenIds ids = ids_of(vocabulary.tokens);
  check_tokens(vocabulary, ids);
  check_merges(vocabulary, ids);
  for (const AddedToken& added : vocabulary.added) {
    const auto known = ids.find(added.text);
    if (known == ids.end() || known->second != added.id) {
      throw Error(vocabulary.source + ": added token '" + printable(added.text) + "': got id " +
                  std::to_string(added.id) + ", expected the id it has in the vocabulary");
    }
  }
}

}  // namespace assay
