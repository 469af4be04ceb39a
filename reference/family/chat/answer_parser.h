// SPDX-License-Identifier: Apache-2.0
// Reads a model turn token by token; the one-shot parse is the stream, taken whole.
//
// No event ever holds a piece of a control literal, of the channel's name line or of an unfinished
// character. A call is given out when it is closed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reference/family/chat/answer.h"

namespace assay {

class AnswerParser {
 public:
  explicit AnswerParser(AnswerOptions options = {});

  // `text` is whole characters of ordinary text, or the literal of a control token.
  std::vector<AnswerEvent> push(TokenRole role, std::string_view text);
  // No more tokens: what was held back is given out, what is open is marked.
  std::vector<AnswerEvent> finish();

  bool stopped() const { return answer_.stopped; }
  const Answer& answer() const { return answer_; }

 private:
  enum class Place { kContent, kThought, kCall };

  void push_text(std::string_view text);
  void push_control(TokenRole role, std::string_view literal);
  void add_content(std::string_view text);
  void add_thought(std::string_view text);
  void open_thought();
  void close_thought();
  void open_call();
  void close_call(bool complete);

  AnswerOptions options_;
  Answer answer_;
  std::vector<AnswerEvent> events_;
  Place place_ = Place::kContent;
  std::string name_line_;       // of a thought, until it is known not to be one
  bool name_pending_ = false;   // the name line may still be read
  bool after_thought_ = false;  // newlines directly after a thought are no content
  bool after_call_ = false;     // a stray closer or result opener directly after a call is noise
  std::string call_;            // the body of the open call, kDelimiterByte for delimiters
};

}  // namespace assay
