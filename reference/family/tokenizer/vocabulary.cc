// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/vocabulary.h"

#include <algorithm>
#include <tuple>

#include "reference/family/base/error.h"
#include "reference/family/tokenizer/utf8.h"

namespace assay {
namespace {

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
    const std::int32_t left = ids.find(token.substr(0, boundaries[i]));
    if (left == kNoToken) {
      continue;
    }
    const std::int32_t right = ids.find(token.substr(boundaries[i]));
    if (right != kNoToken) {
      splits.push_back({score, i + 1, boundaries.size() - i, {left, right}});
    }
  }
  std::sort(splits.begin() + static_cast<std::ptrdiff_t>(first), splits.end(),
            [](const Split& a, const Split& b) { return a.ids < b.ids; });
}

std::string place_of(const Vocabulary& vocabulary, const char* what, std::size_t index) {
  return vocabulary.source + ": " + what + " " + std::to_string(index);
}

void check_tokens(const Vocabulary& vocabulary, const TokenIds& ids) {
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (!is_utf8(token)) {
      check_utf8(token, place_of(vocabulary, "token", id));
    }
    const auto first = static_cast<std::size_t>(ids.find(token));
    if (first != id) {
      throw Error(place_of(vocabulary, "token", id) + ": got '" + printable(token) +
                  "' again, expected it once (token " + std::to_string(first) + ")");
    }
  }
}

std::vector<std::int32_t> merged_ids(const Vocabulary& vocabulary, const TokenIds& ids) {
  const auto count = static_cast<std::int32_t>(vocabulary.tokens.size());
  std::vector<std::int32_t> wholes;
  wholes.reserve(vocabulary.merges.size());
  std::string whole;
  for (const auto& [left, right] : vocabulary.merges) {
    if (left < 0 || right < 0 || left >= count || right >= count) {
      throw Error(place_of(vocabulary, "merge", wholes.size()) +
                  ": got an id outside the vocabulary of " + std::to_string(count));
    }
    whole = vocabulary.tokens[static_cast<std::size_t>(left)];
    whole += vocabulary.tokens[static_cast<std::size_t>(right)];
    wholes.push_back(ids.find(whole));
    if (wholes.back() == kNoToken) {
      throw Error(place_of(vocabulary, "merge", wholes.size() - 1) + ": got '" + printable(whole) +
                  "', expected a token of the vocabulary");
    }
  }
  return wholes;
}

void check_added(const Vocabulary& vocabulary, const TokenIds& ids) {
  for (const AddedToken& added : vocabulary.added) {
    if (added.id < 0 || ids.find(added.text) != added.id) {
      throw Error(vocabulary.source + ": added token '" + printable(added.text) + "': got id " +
                  std::to_string(added.id) + ", expected the id it has in the vocabulary");
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

Merges rebuild_merges(const std::vector<std::string>& tokens) {
  const TokenIds ids(tokens);
  const std::int64_t first_piece = ids.find("<0xFF>") + 1;
  std::vector<Split> splits;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const std::int64_t score =
        is_whitespace_run(tokens[id]) ? 0 : first_piece - static_cast<std::int64_t>(id);
    append_splits(tokens[id], score, ids, splits);
  }
  std::stable_sort(splits.begin(), splits.end(), [](const Split& a, const Split& b) {
    return std::tie(a.score, a.left_characters, a.right_characters) >
           std::tie(b.score, b.left_characters, b.right_characters);
  });
  Merges merges;
  merges.reserve(splits.size());
  for (const Split& split : splits) {
    merges.push_back(split.ids);
  }
  return merges;
}

void check_sizes(const Vocabulary& vocabulary) {
  const std::size_t count = vocabulary.tokens.size();
  if (count == 0 || count > kMaxVocabulary) {
    throw Error(vocabulary.source + ": got " + std::to_string(count) + " tokens, expected 1 to " +
                std::to_string(kMaxVocabulary));
  }
  for (std::size_t id = 0; id < count; ++id) {
    const std::size_t bytes = vocabulary.tokens[id].size();
    if (bytes == 0 || bytes > kMaxTokenBytes) {
      throw Error(place_of(vocabulary, "token", id) + ": got " + std::to_string(bytes) +
                  " bytes, expected 1 to " + std::to_string(kMaxTokenBytes));
    }
  }
}

std::vector<std::int32_t> check_vocabulary(const Vocabulary& vocabulary, const TokenIds& ids) {
  check_sizes(vocabulary);
  check_tokens(vocabulary, ids);
  check_added(vocabulary, ids);
  return merged_ids(vocabulary, ids);
}

}  // namespace assay
