// SPDX-License-Identifier: Apache-2.0
// Text to ids and back, as the tokenizers library does it for Gemma 4.
//
//   encode  control literals are cut out first; then every space becomes U+2581 and each piece of
//           text between them is ONE word: a symbol per character (per byte where the vocabulary
//           lacks the character), the adjacent pair of lowest rank merged, leftmost first, until
//           none is left. O(n log n).
//   decode  strings joined, U+2581 to a space, runs of byte tokens to UTF-8; a run that is no UTF-8
//           gives one U+FFFD per byte.
//
// No pre-tokenizer, no normalisation form, no prefix space, nothing stripped.
// Spec: prompting 1.4, 1.5, RT-5 to RT-15.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/tokenizer/merge_table.h"
#include "reference/family/tokenizer/vocabulary.h"

namespace assay {

enum class ControlText {
  kRecognise,  // a control literal in the text becomes its token, as in the released tokenizer
  kPlain       // it is text like any other: for what users and tools supply
};

class Tokenizer {
 public:
  // Throws Error on a vocabulary that contradicts itself.
  explicit Tokenizer(Vocabulary vocabulary);
  Tokenizer(Tokenizer&&) = default;
  Tokenizer& operator=(Tokenizer&&) = default;
  Tokenizer(const Tokenizer&) = delete;  // ids_ points at the strings of vocabulary_
  Tokenizer& operator=(const Tokenizer&) = delete;
  ~Tokenizer() = default;

  // Throws Error when the text is not UTF-8: the released tokenizer takes strings, not bytes.
  // No BOS is added, whatever prepends_bos() says: the chat template writes its own.
  std::vector<std::int32_t> encode(std::string_view text,
                                   ControlText control = ControlText::kRecognise) const;

  // Throws Error on an id outside the vocabulary.
  std::string decode(std::span<const std::int32_t> ids, bool skip_control = false) const;

  std::size_t size() const { return vocabulary_.tokens.size(); }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  bool prepends_bos() const { return vocabulary_.prepends_bos; }
  const std::string& token(std::int32_t id) const;  // as in the vocabulary; throws as decode does
  std::optional<std::int32_t> id_of(std::string_view token) const;
  bool is_control(std::int32_t id) const;
  std::optional<std::uint8_t> byte_of(std::int32_t id) const;  // of a byte token <0x41>

 private:
  struct Match {
    std::size_t at = 0;
    const AddedToken* token = nullptr;
  };
  Match next_control(std::string_view text, std::size_t from) const;
  void encode_piece(std::string_view text, std::vector<std::int32_t>& ids) const;
  void encode_word(std::string_view text, std::vector<std::int32_t>& ids) const;
  std::vector<std::int32_t> symbols_of(std::string_view text) const;

  Vocabulary vocabulary_;
  TokenIds ids_;                              // of vocabulary_.tokens
  std::array<std::int32_t, 256> byte_ids_{};  // -1: the vocabulary has no such byte token
  std::vector<std::int16_t> bytes_;           // by id; -1: not a byte token
  std::vector<bool> control_;                 // by id
  std::array<bool, 256> begins_control_{};
  bool feeds_stand_alone_ = true;  // no token mixes LINE FEED with other characters
  MergeTable merges_;
};

// Decodes a stream. The parts joined equal decode() of all ids, for every id list: therefore a run
// of byte tokens is held back until it ends, because one wrong byte later makes all of it U+FFFD.
class StreamingDecoder {
 public:
  explicit StreamingDecoder(const Tokenizer& tokenizer, bool skip_control = false)
      : tokenizer_(&tokenizer), skip_control_(skip_control) {}

  std::string push(std::int32_t id);
  std::string finish();

 private:
  std::string flush_bytes();

  const Tokenizer* tokenizer_;
  bool skip_control_;
  std::string bytes_;  // of the current run of byte tokens
};

}  // namespace assay
