// SPDX-License-Identifier: Apache-2.0
#include "reference/family/convert/gguf_tokenizer_keys.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "reference/family/base/error.h"

namespace assay {
namespace {

enum TokenType : std::int32_t {
  kNormal = 1,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

constexpr float kScore = -1000;

constexpr std::array<std::string_view, 7> kVisible = {
    "<|channel>",       "<channel|>",       "<|tool_call>", "<tool_call|>",
    "<|tool_response>", "<tool_response|>", "<|\"|>"};

constexpr std::pair<const char*, std::string_view> kSpecialIds[] = {
    {"tokenizer.ggml.bos_token_id", "<bos>"},
    {"tokenizer.ggml.eos_token_id", "<eos>"},
    {"tokenizer.ggml.unknown_token_id", "<unk>"},
    {"tokenizer.ggml.padding_token_id", "<pad>"},
    {"tokenizer.ggml.mask_token_id", "<mask>"}};

bool is_hexadecimal(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

bool is_byte_token(std::string_view token) {
  return token.size() == 6 && token.starts_with("<0x") && token.back() == '>' &&
         is_hexadecimal(token[3]) && is_hexadecimal(token[4]);
}

std::vector<std::int32_t> token_types(const Vocabulary& vocabulary) {
  std::vector<std::int32_t> types;
  for (const std::string& token : vocabulary.tokens) {
    types.push_back(is_byte_token(token) ? kByte : kNormal);
  }
  for (const AddedToken& token : vocabulary.added) {
    const bool visible = std::find(kVisible.begin(), kVisible.end(), token.text) != kVisible.end();
    types.at(static_cast<std::size_t>(token.id)) = visible ? kUserDefined : kControl;
  }
  return types;
}

std::vector<std::string> merge_lines(const Vocabulary& vocabulary) {
  std::vector<std::string> lines;
  lines.reserve(vocabulary.merges.size());
  for (const auto& [left, right] : vocabulary.merges) {
    lines.push_back(vocabulary.tokens[static_cast<std::size_t>(left)] + " " +
                    vocabulary.tokens[static_cast<std::size_t>(right)]);
  }
  return lines;
}

void add_special_ids(const std::vector<std::string>& tokens, GgufKeys& keys) {
  for (const auto& [key, literal] : kSpecialIds) {
    const auto found = std::find(tokens.begin(), tokens.end(), literal);
    if (found != tokens.end()) {
      keys.add_uint32(key, static_cast<std::uint32_t>(found - tokens.begin()));
    }
  }
}

}  // namespace

void add_tokenizer_keys(const Vocabulary& vocabulary, std::size_t rows, GgufKeys& keys) {
  std::vector<std::string> tokens = vocabulary.tokens;
  if (tokens.size() > rows) {
    throw Error(vocabulary.source + ": got " + std::to_string(tokens.size()) +
                " tokens, expected at most " + std::to_string(rows) + ", the embedding's rows");
  }
  std::vector<std::int32_t> types = token_types(vocabulary);
  types.resize(rows, kUnused);
  for (std::size_t id = tokens.size(); id < rows; ++id) {
    tokens.push_back("[PAD" + std::to_string(id) + "]");
  }
  keys.add_string("tokenizer.ggml.model", "gemma4");
  keys.add_strings("tokenizer.ggml.tokens", tokens);
  keys.add_float32s("tokenizer.ggml.scores", std::vector<float>(rows, kScore));
  keys.add_int32s("tokenizer.ggml.token_type", types);
  keys.add_strings("tokenizer.ggml.merges", merge_lines(vocabulary));
  add_special_ids(tokens, keys);
  keys.add_bool("tokenizer.ggml.add_space_prefix", false);
  keys.add_bool("tokenizer.ggml.add_bos_token", true);
}

void add_no_tokenizer(GgufKeys& keys) {
  keys.add_string("tokenizer.ggml.model", "no_vocab");
}

}  // namespace assay
