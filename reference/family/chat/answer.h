// SPDX-License-Identifier: Apache-2.0
// What a model turn says: reasoning, content and tool calls, read from its tokens.
//
//   turn    := (thought | call | text)* stop
//   thought := <|channel> NAME "\n" chars <channel|>
//   call    := <|tool_call> "call:" NAME "{" [KEY ":" value ("," KEY ":" value)*] "}" <tool_call|>
//
// Structure is carried by control tokens, never by text that looks like them; a parser needs the
// tokens, or text decoded with the control literals kept.  Spec: prompting 2.8, RN-1 to RN-14.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/family/base/json.h"

namespace assay {

// What a token means to the parser; everything that is no control token is kText.
enum class TokenRole {
  kText,
  kOpenThought,
  kCloseThought,
  kOpenCall,
  kCloseCall,
  kOpenResult,  // also a stop
  kCloseResult,
  kDelimiter,  // <|"|>
  kStop,       // <turn|>, <eos>
  kOther       // any other control token: never content
};

// The role of a token by its literal: "<|tool_call>" is kOpenCall, "hello" kText.
TokenRole role_of_literal(std::string_view literal);

struct ToolCall {
  std::string name;
  std::string tool;                  // the declared tool that the name means; empty: none is known
  Json arguments;                    // a mapping
  std::string raw;                   // the text between the two control tokens, delimiters kept
  std::vector<std::string> repairs;  // what had to be mended; empty: the strict grammar held
  std::string error;  // why it could not be read; empty: name and arguments hold, else the name may
  bool complete = true;  // false: the turn stopped inside it; not to be executed
};

struct Answer {
  std::vector<std::string> thoughts;  // in order; an empty thought is an empty string
  std::string content;
  std::vector<ToolCall> calls;
  bool thought_open = false;     // the turn stopped inside a thought
  bool stopped = false;          // a stop token was read
  std::size_t stray_tokens = 0;  // control tokens at places where they mean nothing; dropped

  std::string reasoning() const;  // the thoughts, one after another
};

struct AnswerOptions {
  bool in_thought = false;      // the prompt ended with <|channel>thought\n
  bool lenient = true;          // repair calls that the strict grammar refuses
  const Json* tools = nullptr;  // the declared tools, for repairs that ask what a key's type is
};

// What a token added. Deltas of one kind, joined, equal the field of the finished Answer.
struct AnswerEvent {
  enum class Kind { kReasoning, kContent, kCall };
  Kind kind = Kind::kContent;
  std::string text;       // kReasoning, kContent; kCall: the arguments as JSON
  std::size_t index = 0;  // of the thought or the call
};

}  // namespace assay
