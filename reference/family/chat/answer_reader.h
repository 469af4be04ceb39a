// SPDX-License-Identifier: Apache-2.0
// What comes out of a model, as ids or as text, to AnswerParser; however it is cut, the events
// joined equal the answer of the whole.  Spec: prompting 2.8.6, RN-13.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/chat/answer_parser.h"
#include "reference/family/tokenizer/tokenizer.h"

namespace assay {

class AnswerReader {
 public:
  explicit AnswerReader(const Tokenizer& tokenizer, AnswerOptions options = {})
      : tokenizer_(&tokenizer), decoder_(tokenizer), parser_(options) {}

  std::vector<AnswerEvent> push(std::int32_t id);
  std::vector<AnswerEvent> finish();
  bool stopped() const { return parser_.stopped(); }
  const Answer& answer() const { return parser_.answer(); }

 private:
  const Tokenizer* tokenizer_;
  StreamingDecoder decoder_;
  AnswerParser parser_;
};

// Text decoded with the control literals kept, in pieces of any size, down to single bytes. What
// may be the beginning of a literal or of a character is held back.
class AnswerTextReader {
 public:
  explicit AnswerTextReader(AnswerOptions options = {}) : parser_(options) {}

  // Throws Error when the text is not UTF-8.
  std::vector<AnswerEvent> push(std::string_view text);
  std::vector<AnswerEvent> finish();
  const Answer& answer() const { return parser_.answer(); }

 private:
  void read(bool last, std::vector<AnswerEvent>& events);
  void pass(TokenRole role, std::string_view text, std::vector<AnswerEvent>& events);

  AnswerParser parser_;
  std::string held_;  // not passed on yet
};

Answer parse_answer(const Tokenizer& tokenizer, std::span<const std::int32_t> ids,
                    const AnswerOptions& options = {});
Answer parse_answer_text(std::string_view text, const AnswerOptions& options = {});

}  // namespace assay
