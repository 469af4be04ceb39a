// SPDX-License-Identifier: Apache-2.0
// For tests: what the events of a stream add up to, and what must hold of every one of them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "reference/family/chat/answer_reader.h"
#include "reference/family/tokenizer/utf8.h"

namespace assay {

// Joins events. `problem` says what is wrong with one of them.
class JoinedEvents {
 public:
  void add(const std::vector<AnswerEvent>& events) {
    for (const AnswerEvent& event : events) {
      check(event);
      if (event.kind == AnswerEvent::Kind::kContent) {
        content_ += event.text;
      } else if (event.kind == AnswerEvent::Kind::kReasoning) {
        thoughts_.resize(std::max(thoughts_.size(), event.index + 1));
        thoughts_[event.index] += event.text;
      } else {
        calls_.push_back(event.text);
      }
    }
  }

  // Why the events are not this answer; empty when they are.
  std::string difference(const Answer& answer) const {
    if (!problem_.empty()) {
      return problem_;
    }
    auto thoughts = thoughts_;
    thoughts.resize(std::max(thoughts.size(), answer.thoughts.size()));
    if (content_ != answer.content) {
      return "content: '" + content_ + "', expected '" + answer.content + "'";
    }
    if (thoughts != answer.thoughts) {
      return "thoughts differ";
    }
    if (calls_.size() != answer.calls.size()) {
      return "calls: " + std::to_string(calls_.size());
    }
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (parse_json(calls_[i], "arguments", kChatRules) != answer.calls[i].arguments) {
        return "arguments of call " + std::to_string(i) + ": " + calls_[i];
      }
    }
    return "";
  }

 private:
  void check(const AnswerEvent& event) {
    if (!is_utf8(event.text)) {
      problem_ = "an event that is not UTF-8";
    }
    if (event.text.empty()) {
      problem_ = "an event without text";
    }
    for (const std::string& literal : control_literals()) {
      const bool plain = event.kind != AnswerEvent::Kind::kCall;
      if (plain && event.text.find(literal) != std::string::npos) {
        problem_ = "an event with " + literal;
      }
    }
  }

  std::string content_;
  std::vector<std::string> thoughts_;
  std::vector<std::string> calls_;
  std::string problem_;
};

// Whether two answers are the same in every field.
inline bool same(const Answer& a, const Answer& b) {
  if (a.thoughts != b.thoughts || a.content != b.content || a.calls.size() != b.calls.size() ||
      a.thought_open != b.thought_open || a.stopped != b.stopped ||
      a.stray_tokens != b.stray_tokens) {
    return false;
  }
  for (std::size_t i = 0; i < a.calls.size(); ++i) {
    const ToolCall& x = a.calls[i];
    const ToolCall& y = b.calls[i];
    if (x.name != y.name || x.arguments != y.arguments || x.raw != y.raw ||
        x.repairs != y.repairs || x.error != y.error || x.complete != y.complete) {
      return false;
    }
  }
  return true;
}

}  // namespace assay
