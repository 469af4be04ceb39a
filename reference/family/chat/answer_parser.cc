// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/answer_parser.h"

#include <algorithm>
#include <utility>

#include "reference/family/chat/tool_call.h"
#include "reference/family/tokenizer/vocabulary.h"

namespace assay {
namespace {

constexpr std::string_view kNameLine = "thought\n";

const std::vector<std::pair<std::string_view, TokenRole>>& structural_literals() {
  static const std::vector<std::pair<std::string_view, TokenRole>> literals = {
      {"<|channel>", TokenRole::kOpenThought},
      {"<channel|>", TokenRole::kCloseThought},
      {"<|tool_call>", TokenRole::kOpenCall},
      {"<tool_call|>", TokenRole::kCloseCall},
      {"<|tool_response>", TokenRole::kOpenResult},
      {"<tool_response|>", TokenRole::kCloseResult},
      {"<|\"|>", TokenRole::kDelimiter},
      {"<turn|>", TokenRole::kStop},
      {"<eos>", TokenRole::kStop}};
  return literals;
}

}  // namespace

TokenRole role_of_literal(std::string_view literal) {
  for (const auto& [text, role] : structural_literals()) {
    if (text == literal) {
      return role;
    }
  }
  const auto& all = control_literals();
  return std::ranges::find(all, literal) == all.end() ? TokenRole::kText : TokenRole::kOther;
}

std::string Answer::reasoning() const {
  std::string all;
  for (const std::string& thought : thoughts) {
    all += thought;
  }
  return all;
}

AnswerParser::AnswerParser(AnswerOptions options) : options_(options) {
  if (options_.in_thought) {
    open_thought();
    name_pending_ = false;  // its name was in the prompt
  }
}

std::vector<AnswerEvent> AnswerParser::push(TokenRole role, std::string_view text) {
  events_.clear();
  if (answer_.stopped) {
    return {};
  }
  if (role == TokenRole::kText) {
    push_text(text);
  } else {
    push_control(role, text);
  }
  return std::move(events_);
}

std::vector<AnswerEvent> AnswerParser::finish() {
  events_.clear();
  if (place_ == Place::kCall) {
    close_call(false);
  } else if (place_ == Place::kThought) {
    close_thought();
    answer_.thought_open = true;
  }
  return std::move(events_);
}

void AnswerParser::push_text(std::string_view text) {
  switch (place_) {
    case Place::kContent:
      add_content(text);
      return;
    case Place::kThought:
      add_thought(text);
      return;
    case Place::kCall:
      call_ += text;
      return;
  }
}

void AnswerParser::push_control(TokenRole role, std::string_view literal) {
  if (role == TokenRole::kStop || (role == TokenRole::kOpenResult && place_ != Place::kCall)) {
    const auto events = finish();
    events_ = events;
    answer_.stopped = true;
    return;
  }
  if (place_ == Place::kCall) {
    if (role == TokenRole::kDelimiter) {
      call_ += kDelimiterByte;
    } else if (role == TokenRole::kCloseCall) {
      close_call(true);
    } else if (role == TokenRole::kOpenCall) {  // the closer is missing: begin anew
      close_call(false);
      open_call();
    } else if (role == TokenRole::kOpenResult) {
      close_call(false);
      answer_.stopped = true;
    } else {
      call_ += literal;
    }
    return;
  }
  if (role == TokenRole::kOpenCall) {
    if (place_ == Place::kThought) {
      close_thought();
    }
    open_call();
  } else if (role == TokenRole::kOpenThought && place_ == Place::kContent) {
    open_thought();
  } else if (role == TokenRole::kCloseThought && place_ == Place::kThought) {
    close_thought();
    after_thought_ = true;
  } else if (!(after_call_ && role == TokenRole::kCloseCall)) {
    ++answer_.stray_tokens;
  }
}

void AnswerParser::add_content(std::string_view text) {
  if (after_thought_) {
    const std::size_t first = std::min(text.find_first_not_of('\n'), text.size());
    text.remove_prefix(first);
  }
  if (text.empty()) {
    return;
  }
  after_thought_ = false;
  after_call_ = false;
  answer_.content += text;
  events_.push_back({AnswerEvent::Kind::kContent, std::string(text), 0});
}

// The name line is held back until it is whole, or until the text cannot be one.
void AnswerParser::add_thought(std::string_view text) {
  std::string ready(text);
  if (name_pending_) {
    name_line_ += text;
    const std::size_t common = std::min(name_line_.size(), kNameLine.size());
    if (name_line_.compare(0, common, kNameLine.substr(0, common)) != 0) {
      ready = std::exchange(name_line_, {});  // no name at all: it is the thought itself
    } else if (name_line_.size() >= kNameLine.size()) {
      ready = name_line_.substr(kNameLine.size());
    } else {
      return;
    }
    name_line_.clear();
    name_pending_ = false;
  }
  if (!ready.empty()) {
    answer_.thoughts.back() += ready;
    events_.push_back(
        {AnswerEvent::Kind::kReasoning, std::move(ready), answer_.thoughts.size() - 1});
  }
}

void AnswerParser::open_thought() {
  place_ = Place::kThought;
  name_pending_ = true;
  name_line_.clear();
  answer_.thoughts.emplace_back();
}

// What is left of an unfinished name line is a name, not a thought.
void AnswerParser::close_thought() {
  name_line_.clear();
  name_pending_ = false;
  place_ = Place::kContent;
}

void AnswerParser::open_call() {
  place_ = Place::kCall;
  call_.clear();
}

void AnswerParser::close_call(bool complete) {
  ToolCall call = parse_tool_call(call_, options_);
  call.complete = complete;
  events_.push_back({AnswerEvent::Kind::kCall, json_text(call.arguments), answer_.calls.size()});
  answer_.calls.push_back(std::move(call));
  call_.clear();
  place_ = Place::kContent;
  after_call_ = true;
  after_thought_ = false;
}

}  // namespace assay
