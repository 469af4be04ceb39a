// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/tokenizer.h"

#include <algorithm>

#include "reference/family/base/error.h"
#include "reference/family/tokenizer/utf8.h"

namespace assay {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The byte of a token spelled <0x41>, or -1.
std::int16_t byte_in(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token.back() != '>') {
    return -1;
  }
  const int high = hex_digit(token[3]);
  const int low = hex_digit(token[4]);
  return high < 0 || low < 0 ? std::int16_t{-1} : static_cast<std::int16_t>(high * 16 + low);
}

bool mixes_feeds(std::string_view token) {
  return token.find('\n') != std::string_view::npos &&
         token.find_first_not_of('\n') != std::string_view::npos;
}

// Spaces as the vocabulary spells them.
std::string with_space_symbols(std::string_view text) {
  std::string normal;
  normal.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    if (c == ' ') {
      normal += kSpaceSymbol;
    } else {
      normal += c;
    }
  }
  return normal;
}

std::string with_spaces(std::string_view token) {
  std::string text;
  for (std::size_t at = 0; at < token.size();) {
    if (token.substr(at, kSpaceSymbol.size()) == kSpaceSymbol) {
      text += ' ';
      at += kSpaceSymbol.size();
    } else {
      text += token[at];
      ++at;
    }
  }
  return text;
}

}  // namespace

Tokenizer::Tokenizer(Vocabulary vocabulary)
    : vocabulary_(std::move(vocabulary)), ids_(vocabulary_.tokens) {
  merges_ = MergeTable(vocabulary_.merges, check_vocabulary(vocabulary_, ids_));
  byte_ids_.fill(-1);
  for (std::size_t i = 0; i < vocabulary_.tokens.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    bytes_.push_back(byte_in(vocabulary_.tokens[i]));
    if (bytes_.back() >= 0) {
      byte_ids_[static_cast<std::size_t>(bytes_.back())] = id;
    }
    feeds_stand_alone_ = feeds_stand_alone_ && !mixes_feeds(vocabulary_.tokens[i]);
  }
  control_.resize(vocabulary_.tokens.size());
  for (const AddedToken& added : vocabulary_.added) {
    control_[static_cast<std::size_t>(added.id)] = true;
    begins_control_[static_cast<unsigned char>(added.text[0])] = true;
  }
}

// The leftmost control literal from `from` on, the longest one there.
Tokenizer::Match Tokenizer::next_control(std::string_view text, std::size_t from) const {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (!begins_control_[static_cast<unsigned char>(text[at])]) {
      continue;
    }
    Match match{at, nullptr};
    for (const AddedToken& added : vocabulary_.added) {
      if (text.substr(at, added.text.size()) == added.text &&
          (match.token == nullptr || added.text.size() > match.token->text.size())) {
        match.token = &added;
      }
    }
    if (match.token != nullptr) {
      return match;
    }
  }
  return {text.size(), nullptr};
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, ControlText control) const {
  check_utf8(text, "text");
  std::vector<std::int32_t> ids;
  if (control == ControlText::kPlain) {
    encode_piece(text, ids);
    return ids;
  }
  for (std::size_t at = 0; at < text.size();) {
    const Match match = next_control(text, at);
    encode_piece(text.substr(at, match.at - at), ids);
    at = match.at;
    if (match.token != nullptr) {
      ids.push_back(match.token->id);
      at += match.token->text.size();
    }
  }
  return ids;
}

// Where no token of the vocabulary holds both, runs of LINE FEED and the text between them never
// merge with each other; taking them one by one keeps the words short.
void Tokenizer::encode_piece(std::string_view text, std::vector<std::int32_t>& ids) const {
  if (!feeds_stand_alone_) {
    encode_word(text, ids);
    return;
  }
  for (std::size_t at = 0; at < text.size();) {
    const bool feeds = text[at] == '\n';
    const std::size_t end =
        std::min(feeds ? text.find_first_not_of('\n', at) : text.find('\n', at), text.size());
    encode_word(text.substr(at, end - at), ids);
    at = end;
  }
}

void Tokenizer::encode_word(std::string_view text, std::vector<std::int32_t>& ids) const {
  const auto merged = merges_.merge_all(symbols_of(with_space_symbols(text)));
  ids.insert(ids.end(), merged.begin(), merged.end());
}

// One symbol per character; the bytes of a character that the vocabulary lacks.
std::vector<std::int32_t> Tokenizer::symbols_of(std::string_view text) const {
  std::vector<std::int32_t> symbols;
  symbols.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const std::string_view character = text.substr(at, length);
    at += length;
    if (const std::int32_t known = ids_.find(character); known != kNoToken) {
      symbols.push_back(known);
      continue;
    }
    for (const char c : character) {
      const std::int32_t id = byte_ids_[static_cast<unsigned char>(c)];
      if (id < 0) {
        throw Error(vocabulary_.source + ": character '" + printable(character) +
                    "': got neither a token nor byte tokens for it");
      }
      symbols.push_back(id);
    }
  }
  return symbols;
}

const std::string& Tokenizer::token(std::int32_t id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= vocabulary_.tokens.size()) {
    throw Error("token id: got " + std::to_string(id) + ", expected 0 to " +
                std::to_string(vocabulary_.tokens.size() - 1));
  }
  return vocabulary_.tokens[static_cast<std::size_t>(id)];
}

std::optional<std::int32_t> Tokenizer::id_of(std::string_view token) const {
  const std::int32_t found = ids_.find(token);
  return found == kNoToken ? std::nullopt : std::optional(found);
}

bool Tokenizer::is_control(std::int32_t id) const {
  token(id);
  return control_[static_cast<std::size_t>(id)];
}

std::optional<std::uint8_t> Tokenizer::byte_of(std::int32_t id) const {
  token(id);
  const std::int16_t byte = bytes_[static_cast<std::size_t>(id)];
  return byte < 0 ? std::nullopt : std::optional(static_cast<std::uint8_t>(byte));
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_control) const {
  StreamingDecoder decoder(*this, skip_control);
  std::string text;
  for (const std::int32_t id : ids) {
    text += decoder.push(id);
  }
  return text + decoder.finish();
}

std::string StreamingDecoder::push(std::int32_t id) {
  if (const auto byte = tokenizer_->byte_of(id)) {
    bytes_ += static_cast<char>(*byte);
    return "";
  }
  if (skip_control_ && tokenizer_->is_control(id)) {
    return "";
  }
  return flush_bytes() + with_spaces(tokenizer_->token(id));
}

std::string StreamingDecoder::finish() {
  return flush_bytes();
}

// A run is UTF-8 as a whole or not at all, so nothing of it can be shown before it ends.
std::string StreamingDecoder::flush_bytes() {
  std::string text;
  if (is_utf8(bytes_)) {
    text = bytes_;
  } else {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      text += kReplacementCharacter;
    }
  }
  bytes_.clear();
  return text;
}

}  // namespace assay
